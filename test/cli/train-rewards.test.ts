/** Rewards of every kind, through `limr-engine train` on a tiny random model. */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
  root = mkdtempSync(join(tmpdir(), 'limr-train-rewards-'));
  mkdirSync(at('source'));
  writeFileSync(at('source', 'config.json'), JSON.stringify(config));
  for (const name of ['tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(join(embeddedModel, name), at('source', name));
  const made = await runCli('model', 'create', '--config', at('source', 'config.json'), '--output', at('model'));
  expect(made.code, made.stderr).toBe(0);
  writeFileSync(
    at('prompts.jsonl'),
    '{"prompt": "1+1?", "answer": "2", "level": 4}\n{"prompt": "2+2?", "answer": "4"}\n{"prompt": "3?", "answer": ""}\n',
  );
});
afterAll(() => rmSync(root, { recursive: true }));

interface Recorded {
  readonly reward: number;
  readonly graded_by: string;
  readonly parts?: Readonly<Record<string, number>>;
}

async function train(name: string, ...flags: readonly string[]) {
  const base = ['--model', at('model'), '--prompts', at('prompts.jsonl'), '--output', at(name), '--rollouts', '1'];
  const sizes = [
    '--rollout-batch-size',
    '2',
    '--n-samples-per-prompt',
    '2',
    '--train-batch-size',
    '4',
    '--generate-max-len',
    '8',
  ];
  const ended = await runCli('train', ...base, ...sizes, '--prompt-max-len', '16', '--threads', '1', ...flags);
  const samples = (): Recorded[] => JSON.parse(readFileSync(at(name, 'samples', 'train', 'step_1.json'), 'utf8'));
  const record = () => JSON.parse(readFileSync(at(name, 'run.json'), 'utf8'));
  return { ...ended, samples, record };
}

it('says at the start which answers can never be right, and that all rewards are equal', async () => {
  const { code, stderr, samples, record } = await train('rule', '--grader', 'limr');
  expect(code, stderr).toBe(0);
  expect(stderr).toMatch(
    /prompts\.jsonl: under grader limr, 1 of 3 answers \(33\.3%\) are not equal even to themselves/,
  );
  expect(stderr).toMatch(/rollout 1: all 4 rewards are -1, so nothing is learned from them/);
  expect(samples().map(({ graded_by }) => graded_by)).toEqual(samples().map(() => 'limr-rule/plain/limr'));
  expect(record()).toMatchObject({ config: { grader: 'limr' }, identity: { reward: 'limr-rule/plain/limr' } });
  const times = readFileSync(at('rule', 'samples', 'train', 'step_1.grading.jsonl'), 'utf8')
    .trimEnd()
    .split('\n');
  expect(times).toHaveLength(4);
});

it('a module and shaping', async () => {
  writeFileSync(at('mine.mjs'), 'export default (s, rule) => s.tokens.length + (s.fields.level ?? 0) + rule.reward;');
  const { code, stderr, samples, record } = await train(
    'hook',
    ...['--reward', at('mine.mjs'), '--overlong-buffer-len', '4', '--overlong-penalty-factor', '2'],
  );
  expect(code, stderr).toBe(0);
  expect(record().identity.reward).toMatch(/^hook\(mine\.mjs@[0-9a-f]{12}\)\/limr-rule\/plain\/standard\+overlong$/);
  for (const { reward, parts } of samples()) {
    expect(reward).toBeCloseTo(parts!.base! + parts!.overlong!, 9);
    expect(parts!.overlong).toBeLessThanOrEqual(0);
  }
  const metrics = JSON.parse(readFileSync(at('hook', 'metrics.jsonl'), 'utf8').trimEnd().split('\n').at(-1)!);
  expect(Object.keys(metrics)).toEqual(expect.arrayContaining(['reward/part/base', 'reward/part/overlong']));
  writeFileSync(at('mine.mjs'), 'export default () => 0;');
  const resumed = await runCli('train', '--resume', '--output', at('hook'), '--rollouts', '2', '--threads', '1');
  expect([resumed.code, resumed.stderr]).toEqual([
    2,
    expect.stringMatching(/reward: "hook\(mine\.mjs@\w+\).* -> "hook/),
  ]);
});

it('a module that fails stops the run, and names module and sample', async () => {
  writeFileSync(at('broken.mjs'), "export default () => { throw new Error('no judge today'); };");
  const { code, stderr } = await train('broken', '--reward', at('broken.mjs'));
  expect(code).toBe(2);
  expect(stderr).toMatch(/reward module .*broken\.mjs on sample \d of prompt \d failed: Error: no judge today/);
});

it('a module that does not load costs no weights', async () => {
  const { code, stderr } = await train('none', '--reward', './nowhere.js', '--model', at('no-model'));
  expect([code, stderr]).toEqual([2, expect.stringContaining('there is no reward "./nowhere.js": no such file')]);
});

it('a server', async () => {
  const seen: { readonly query: string[]; readonly prompts: string[]; readonly labels: string[] }[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text);
    seen.push(body);
    response.end(JSON.stringify({ rewards: body.query.map((_: string, i: number) => i / 4) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/get_reward`;
    const { code, stderr, samples } = await train('remote', '--remote-rm-url', url, '--remote-rm-batch-size', '2');
    expect(code, stderr).toBe(0);
    expect(samples().map(({ reward }) => reward)).toEqual([0, 0.25, 0, 0.25]);
    expect(seen).toHaveLength(2);
    for (const { query, prompts, labels } of seen) {
      expect(query).toHaveLength(2);
      for (const [i, text] of query.entries()) expect(text.startsWith(prompts[i]!)).toBe(true);
      expect(new Set(labels).size).toBe(1);
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
