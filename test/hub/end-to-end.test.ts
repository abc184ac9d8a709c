/** Verbs on models and data of a hub: the real engine, a tiny random model. */
import { spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { embeddedModel } from '../../src/launch/embedded.js';
import { runCli } from '../cli/run-cli.js';
import { HubServer } from './hub-server.js';
import { listFiles } from './support.js';

const config = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 256,
  initializer_range: 0.1,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
  vocab_size: 288,
  eos_token_id: 256,
  torch_dtype: 'bfloat16',
};

let root = '';
let hub: HubServer;
const at = (...names: string[]) => join(root, ...names);

async function succeed(...args: string[]) {
  const { code, stdout, stderr } = await runCli(...args, '--json');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

const rows = (count: number, first: number) =>
  Array.from({ length: count }, (_, i) => {
    return `${JSON.stringify({ prompt: `Q: ${first + i}+1\nA:`, answer: `${first + i + 1}` })}\n`;
  }).join('');

const modelFiles = () =>
  Object.fromEntries(readdirSync(at('model')).map((name) => [name, readFileSync(at('model', name))]));

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'limr-hub-cli-'));
  mkdirSync(at('source'));
  writeFileSync(at('source', 'config.json'), JSON.stringify(config));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']) {
    copyFileSync(join(embeddedModel, name), at('source', name));
  }
  await succeed('model', 'create', '--config', at('source', 'config.json'), '--seed', '7', '--output', at('model'));
  hub = await HubServer.open();
  hub.add('tiny/qwen2', { kind: 'model', files: { ...modelFiles(), 'pytorch_model.bin': 'pickled' } });
  hub.add('tiny/sums', { kind: 'dataset', files: { 'train.jsonl': rows(12, 0), 'test.jsonl': rows(4, 90) } });
  const question = `${JSON.stringify({ problem: '1+1', answer: '2' })}\n`;
  hub.add('HuggingFaceH4/MATH-500', { kind: 'dataset', files: { 'test.jsonl': question.repeat(3), 'README.md': '' } });
  hub.add('openai/gsm8k', {
    kind: 'dataset',
    files: {
      'main/train-00000-of-00001.jsonl': '{}\n',
      'main/test-00000-of-00001.jsonl': `${JSON.stringify({ question: '1+1?', answer: 'Two.\n#### 2' })}\n`,
    },
  });
});
afterAll(async () => {
  await hub.close();
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  vi.stubEnv('HF_HOME', at('home'));
  vi.stubEnv('HF_HUB_CACHE', undefined);
  vi.stubEnv('HF_TOKEN', undefined);
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  vi.stubEnv('HF_HUB_OFFLINE', undefined);
  vi.stubEnv('LIMR_THREADS', '2');
  hub.seen.length = 0;
  return () => vi.unstubAllEnvs();
});

it('generate --model owner/name, then again without the hub', async () => {
  const args = (model: string) => ['generate', '--model', model, '--prompt', 'Q: 1+1', '--generate-max-len', '8'];
  const here = await succeed(...args(at('model')));
  const online = await succeed(...args('tiny/qwen2'));
  expect(online.completions).toEqual(here.completions);
  const folder = at('home/hub/models--tiny--qwen2/snapshots', hub.commit('tiny/qwen2'));
  expect(listFiles(folder)).toEqual(readdirSync(at('model')).sort());
  hub.seen.length = 0;
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  const offline = await succeed(...args('tiny/qwen2'));
  expect(offline.completions).toEqual(here.completions);
  expect(hub.seen).toEqual([]);
  expect((await succeed('model', 'info', '--model', 'tiny/qwen2')).dir).toBe(folder);
});

it('train on a model and prompts of the hub; resumed, it keeps their commits', async () => {
  const data = hub.commit('tiny/sums', 'dataset');
  const output = at('run');
  await succeed(
    ...['train', '--model', 'tiny/qwen2', '--prompts', 'tiny/sums:train', '--eval-prompts', 'tiny/sums:test'],
    ...['--rollouts', '1', '--rollout-batch-size', '4', '--n-samples-per-prompt', '2', '--train-batch-size', '4'],
    ...['--prompt-max-len', '128', '--generate-max-len', '8', '--reward', 'random', '--output', output],
  );
  const metrics = () =>
    readFileSync(join(output, 'metrics.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((l) => JSON.parse(l));
  expect(Object.keys(metrics()[0])).toContain('eval/sums_test/accuracy');
  const { options } = JSON.parse(readFileSync(join(output, 'run.json'), 'utf8')).about;
  expect(options).toMatchObject({
    model: `tiny/qwen2@${hub.commit('tiny/qwen2')}`,
    prompts: `tiny/sums@${data}:train.jsonl`,
    evalPrompts: [`tiny/sums@${data}:test.jsonl`],
  });
  hub.add('tiny/sums', { kind: 'dataset', files: { 'train.jsonl': rows(5, 50), 'test.jsonl': rows(4, 90) } });
  hub.seen.length = 0;
  const resumed = await succeed('train', '--resume', '--output', output, '--rollouts', '2');
  expect(resumed.rollout).toBe(2);
  expect(hub.seen).toEqual([]);
  expect(metrics().map(({ rollout }) => rollout)).toEqual([0, 1, 2]);
});

it('eval has the benchmarks from the hub', async () => {
  const { benchmarks } = await succeed(
    ...['eval', '--model', at('model'), '--benchmarks', 'math500,gsm8k', '--generate-max-len', '4', '--limit', '2'],
  );
  const [math500, gsm8k] = benchmarks;
  expect([math500.name, math500.questions, gsm8k.name, gsm8k.questions]).toEqual(['math500', 2, 'gsm8k', 1]);
  expect(math500.path).toBe(
    at(
      'home/hub/datasets--HuggingFaceH4--MATH-500/snapshots',
      hub.commit('HuggingFaceH4/MATH-500', 'dataset'),
      'test.jsonl',
    ),
  );
  expect(listFiles(at('home/hub/datasets--openai--gsm8k/snapshots')).map((path) => path.slice(41))).toEqual([
    'main/test-00000-of-00001.jsonl',
  ]);
});

it('audit and serve-rm take data of the hub, and say what there is', async () => {
  const audit = await succeed('audit', '--prompts', 'tiny/sums:test', '--grader', 'standard');
  expect(audit.answers).toBe(4);
  const { code, stderr } = await runCli('serve-rm', '--prompts', 'tiny/sums');
  expect(code).toBe(2);
  expect(stderr).toMatch(
    /data set tiny\/sums has several parts: test, train \[LIMR_USAGE\]\nfix: Name one of them: tiny\/sums@main:test\./,
  );
});

it.each([
  [
    ['generate', '--prompt', 'x', '--model', 'tiny/nothing'],
    /there is no model tiny\/nothing on the hub .*there is no folder tiny\/nothing here\) \[LIMR_IO\]\nfix: Check the name/,
  ],
  [
    ['audit', '--prompts', 'tiny/nothing'],
    /there is no data set tiny\/nothing on the hub .*there is no file or folder tiny\/nothing here/,
  ],
  [['audit', '--prompts', 'tiny/sums@v2'], /data set tiny\/sums has no revision "v2"/],
  [
    ['generate', '--prompt', 'x', '--model', 'elsewhere'],
    /there is no folder elsewhere, and it is no name on the hub either/,
  ],
])('%j says what is wrong', async (args, message) => {
  const { code, stdout, stderr } = await runCli(...args);
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(message);
});

describe('Ctrl-C', () => {
  it('while a model is downloaded leaves what came; the same command goes on from there', async () => {
    const size = modelFiles()['model.safetensors']!.length;
    hub.faults.set('model.safetensors', [{ cutAfter: 5000 }, { silence: true }]);
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const args = ['generate', '--model', 'tiny/qwen2', '--prompt', 'Q: 1+1', '--generate-max-len', '4'];
    vi.stubEnv('HF_HOME', at('interrupted'));
    const env = { ...process.env, HF_HUB_DOWNLOAD_TIMEOUT: '600' };
    const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    hub.beforeContent = (path) => {
      if (path === 'model.safetensors' && hub.rangesOf(path).length === 2) setTimeout(() => child.kill('SIGINT'), 300);
    };
    const code = await new Promise((done) => child.on('close', done));
    hub.beforeContent = () => {};
    expect(stderr).toMatch(/the download was interrupted \[LIMR_ABORTED\]\nfix: What came so far is kept/);
    expect(code).toBe(130);
    const hubFolder = at('interrupted/hub/models--tiny--qwen2');
    expect(readdirSync(hubFolder)).toEqual(['blobs']);
    expect(readdirSync(join(hubFolder, 'blobs')).filter((name) => name.endsWith('.limr.incomplete'))).toHaveLength(1);
    hub.seen.length = 0;
    await succeed(...args);
    expect(hub.rangesOf('model.safetensors')).toEqual([expect.stringMatching(/^bytes=500[01]-$/)]);
    expect(size).toBeGreaterThan(5001);
  }, 180_000); // a process of its own takes long to begin on a busy machine
});
