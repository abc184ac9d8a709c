/** `limr-engine train --lim` and `plan` with it, on a tiny random model. */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { embeddedModel } from '../../src/launch/embedded.js';
import { runCli } from './run-cli.js';

const config = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 128,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
  vocab_size: 288,
  eos_token_id: 256,
};

let root = '';
const at = (...names: string[]) => join(root, ...names);
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'limr-train-lim-'));
  mkdirSync(at('source'));
  writeFileSync(at('source', 'config.json'), JSON.stringify(config));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(embeddedModel, name), at('source', name));
  const made = await runCli('model', 'create', '--config', at('source', 'config.json'), '--output', at('model'));
  expect(made.code, made.stderr).toBe(0);
  // "b" can never be graded right, and is a prompt like any other: its rewards are its trajectory.
  const rows = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, prompt: `${id}?`, answer: id === 'b' ? '' : '2' }));
  writeFileSync(at('prompts.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});
afterAll(() => rmSync(root, { recursive: true }));

const flags = (name: string, more: Record<string, string | number>) =>
  Object.entries({
    model: at('model'),
    prompts: at('prompts.jsonl'),
    output: at(name),
    rollouts: 5,
    'rollout-batch-size': 2,
    'n-samples-per-prompt': 2,
    'train-batch-size': 4,
    'generate-max-len': 8,
    'prompt-max-len': 16,
    reward: 'random',
    'advantage-estimator': 'rloo',
    'init-kl-coef': 0,
    'save-steps': 0,
    lim: 'true',
    ...more,
  }).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
const drop = { 'lim-drop': 'true', 'lim-from-epoch': 2, 'lim-count': 2 };

it('scores, drops, and leaves scores that select reads', async () => {
  const { code, stderr } = await runCli('train', ...flags('run', drop));
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(/rollout 3: epoch 1 ended; LIM of 5 of 5 prompts, mean -?\d+\.\d{3}, 2 kept/);
  const file = at('run', 'lim', 'epoch_1.jsonl');
  const kept = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { id: string; kept: boolean })
    .flatMap((row) => (row.kept ? [row.id] : []));
  const prompts = ['--prompts', at('prompts.jsonl'), '--count', '2', '--json'];
  for (const source of [
    ['--scores', file],
    ['--samples', at('run'), '--epochs', '1'],
  ]) {
    const selected = await runCli('select', ...source, ...prompts);
    expect(selected.code, selected.stderr).toBe(0);
    expect(JSON.parse(selected.stdout).ids).toEqual(kept);
  }
  const sampled = JSON.parse(readFileSync(at('run', 'samples', 'train', 'step_5.json'), 'utf8')) as { id: string }[];
  expect([...new Set(sampled.map(({ id }) => id))]).toEqual(kept);
  expect(JSON.parse(readFileSync(at('run', 'run.json'), 'utf8')).config).toMatchObject({ limDrop: true, limCount: 2 });
});

it('is off unless asked for', async () => {
  expect((await runCli('train', ...flags('off', { lim: 'false' }))).code).toBe(0);
  expect(existsSync(at('off', 'lim'))).toBe(false);
  expect(readdirSync(at('off', 'samples', 'train'))).toContain('step_5.json');
});

it('says when no epoch ends in the run', async () => {
  const { code, stderr } = await runCli('train', ...flags('short', { rollouts: 2 }));
  expect(code, stderr).toBe(0);
  expect(stderr).toContain('2 rollouts are 0.80 epochs: it has nothing to do');
});

it('plan says from which rollout on prompts are dropped, and at least how many epochs that makes', async () => {
  const plan = (more: Record<string, string | number>) =>
    runCli('plan', ...flags('planned', more), '--calibrate', 'false');
  const { stdout } = await plan({ ...drop, 'lim-count': 'null' });
  expect(stdout).toContain('2.50 rollouts an epoch, at least 2.00 epochs');
  expect(stdout).toContain('from rollout 4 on LIM keeps at most 5 prompts: at most 2.50 rollouts an epoch');
  expect((await plan(drop)).stdout).toContain('from rollout 4 on LIM keeps 2 prompts: 1.00 rollouts an epoch');
  expect((await plan({})).stdout).not.toContain('LIM');
  expect(existsSync(at('planned'))).toBe(false);
});

it.each([
  ['train', { ...drop, 'lim-from-epoch': 9 }, 'limFromEpoch is 9, and that epoch would begin with rollout 21 of 5'],
  ['plan', { ...drop, 'lim-from-epoch': 9 }, 'Set --lim-from-epoch to 2 or less, or --rollouts to 21 or more.'],
  ['train', { ...drop, 'lim-count': 6 }, 'limCount is 6, and there are 5 prompts'],
  ['train', { 'lim-missing': 'forward' }, '--lim-missing is "forward", expected one of limr, strict, interpolate'],
  ['train', { 'lim-weight': 'true' }, 'limWeight needs to know from which epoch on'],
  ['train', { lim: 'false', 'lim-threshold': 0.5 }, 'limThreshold needs the scores of LIM, and lim is off'],
])('%s refuses %j', async (verb, more, message) => {
  const { code, stdout, stderr } = await runCli(verb, ...flags('refused', more));
  expect(stderr).toContain(message);
  expect([code, stdout, existsSync(at('refused'))]).toEqual([2, '', false]);
});
