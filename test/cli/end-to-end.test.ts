/** The verbs on the real engine and a tiny random model. */
import { spawn } from 'node:child_process';
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
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { escapeControls } from '../../src/escape-controls.js';
import { embeddedModel } from '../../src/launch/embedded.js';
import { recipes } from '../../src/ppo/recipes.js';
import { runCli } from './run-cli.js';

const tinyConfig = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  hidden_size: 32,
  intermediate_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  num_key_value_heads: 1,
  max_position_embeddings: 128,
  initializer_range: 0.1,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: true,
  vocab_size: 288,
  eos_token_id: 256,
  torch_dtype: 'bfloat16',
};

let root = '';
let model = '';
const at = (...names: string[]) => join(root, ...names);
const lines = (...rows: object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const readJsonLines = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

async function succeed(...args: string[]) {
  const { code, stdout, stderr } = await runCli(...args, '--json', '--threads', '2');
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'limr-cli-'));
  mkdirSync(at('source'));
  writeFileSync(at('source', 'config.json'), JSON.stringify(tinyConfig));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'generation_config.json']) {
    copyFileSync(join(embeddedModel, name), at('source', name));
  }
  model = at('model');
  const info = await succeed(
    'model',
    'create',
    '--config',
    at('source', 'config.json'),
    '--seed',
    '7',
    '--output',
    model,
  );
  expect(info).toMatchObject({ modelType: 'qwen2', vocabSize: 288, output: model });
  const questions = Array.from({ length: 12 }, (_, i) => ({
    id: `q${i}`,
    prompt: `Q: ${i}+1\nA:`,
    answer: `${i + 1}`,
  }));
  writeFileSync(at('prompts.jsonl'), lines(...questions));
  writeFileSync(at('heldout.jsonl'), lines(...questions.slice(0, 4)));
});
afterAll(() => rmSync(root, { recursive: true }));

const training = (output: string, ...more: string[]) => [
  ...['train', '--model', model, '--prompts', at('prompts.jsonl'), '--eval-prompts', at('heldout.jsonl')],
  ...['--rollouts', '2', '--rollout-batch-size', '4', '--n-samples-per-prompt', '2', '--train-batch-size', '4'],
  ...['--prompt-max-len', '24', '--generate-max-len', '8', '--output', output, ...more],
];

describe('model', () => {
  it('create makes the same weights from the same seed', async () => {
    const other = (seed: string, output: string) =>
      succeed('model', 'create', '--config', at('source', 'config.json'), '--seed', seed, '--output', output);
    await other('7', at('same'));
    await other('8', at('different'));
    const weights = (dir: string) => readFileSync(join(dir, 'model.safetensors'));
    expect(weights(at('same')).equals(weights(model))).toBe(true);
    expect(weights(at('different')).equals(weights(model))).toBe(false);
    expect(readdirSync(model).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });

  it('info describes it', async () => {
    const { code, stdout } = await runCli('model', 'info', '--model', model, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      modelType: 'qwen2',
      shape: { hidden_size: 32, tie_word_embeddings: true },
      eosTokenIds: [256],
      tokenizer: { numTokens: 260, hasChatTemplate: false },
    });
  });
});

describe('generate and score', () => {
  it('agree on log-probs to the bit', async () => {
    writeFileSync(at('ask.jsonl'), lines({ prompt: 'Q: 1+1\nA:' }, { tokens: [81, 58] }, { prompt: 'x' }));
    const options = ['--model', model, '--temperature', '1', '--n-samples-per-prompt', '3', '--generate-max-len', '12'];
    const summary = await succeed('generate', ...options, '--input', at('ask.jsonl'), '--output', at('said.jsonl'));
    expect(summary).toMatchObject({ prompts: 3, samples: 9 });
    const said = readJsonLines(at('said.jsonl'));
    expect(said.map(({ prompt, sample }) => [prompt, sample])).toEqual(
      [0, 1, 2].flatMap((prompt) => [0, 1, 2].map((sample) => [prompt, sample])),
    );
    const asked = said.map(({ prompt }) => [Array.from(Buffer.from('Q: 1+1\nA:')), [81, 58], [120]][prompt]!);
    writeFileSync(at('whole.jsonl'), lines(...said.map(({ tokens }, i) => ({ tokens: [...asked[i]!, ...tokens] }))));
    await succeed('score', '--model', model, '--input', at('whole.jsonl'), '--output', at('scored.jsonl'));
    const scored = readJsonLines(at('scored.jsonl'));
    for (const [i, { logprobs }] of said.entries())
      expect(scored[i].logprobs.slice(asked[i]!.length)).toEqual(logprobs);
    expect(scored[0].logprobs[0]).toBeNull();
    expect(scored[0].entropy.slice(1).every((value: number) => value > 0)).toBe(true);
  });

  it('generate prints a single completion as it is sampled, the same text as under --json', async () => {
    const options = [
      '--model',
      model,
      '--prompt',
      'ab',
      '--temperature',
      '1',
      '--generate-max-len',
      '40',
      '--seed',
      '3',
    ];
    const { completions } = (await succeed('generate', ...options)) as { completions: { text: string }[] };
    const streamed = await runCli('generate', ...options);
    expect(streamed.code).toBe(0);
    expect(streamed.stdout).toBe(`${escapeControls(completions[0]!.text)}\n`);
  });

  it('generate stops at a stop string, and is the same for the same seed', async () => {
    const options = ['--model', model, '--prompt', 'ab', '--temperature', '1', '--n-samples-per-prompt', '20'];
    const run = async (...more: string[]) =>
      (await succeed('generate', ...options, '--generate-max-len', '30', ...more)).completions as {
        text: string;
        tokens: number[];
        stop: string;
      }[];
    const plain = await run();
    expect(await run()).toEqual(plain);
    expect(await run('--seed', '1')).not.toEqual(plain);
    const letter = String.fromCharCode(plain.flatMap(({ tokens }) => tokens).find((id) => id > 64 && id < 91)!);
    const stopped = await run('--stop', letter);
    const hit = stopped.filter(({ stop }) => stop === 'stop');
    expect(hit.length).toBeGreaterThan(0);
    for (const { text } of hit) expect(text.indexOf(letter)).toBe(text.length - 1);
  });

  it('score writes logits whose log-softmax is the log-probs', async () => {
    writeFileSync(at('one.jsonl'), lines({ text: 'hello' }));
    const { scores } = await succeed(
      'score',
      '--model',
      model,
      '--input',
      at('one.jsonl'),
      '--logits',
      at('l.safetensors'),
    );
    const file = readFileSync(at('l.safetensors'));
    const size = Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.subarray(8, 8 + size).toString());
    expect(header['logits.0']).toEqual({ dtype: 'F32', shape: [5, 288], data_offsets: [0, 5 * 288 * 4] });
    const row = Array.from({ length: 288 }, (_, id) => file.readFloatLE(8 + size + 4 * id));
    const logSum = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    expect(scores[0].logprobs[1]).toBeCloseTo(row[scores[0].tokens[1]]! - logSum, 4);
  });
});

describe('sft', () => {
  it('lowers the held-out loss, and leaves a model folder', async () => {
    writeFileSync(
      at('examples.jsonl'),
      lines(...Array.from({ length: 200 }, (_, i) => ({ prompt: `say ${i % 10}`, response: ` it is ${i % 10}` }))),
    );
    const options = [
      '--learning-rate',
      '1e-2',
      '--max-steps',
      '15',
      '--train-batch-size',
      '32',
      '--heldout-share',
      '0.1',
    ];
    const output = at('tuned');
    const result = await succeed(
      'sft',
      '--model',
      model,
      '--data',
      at('examples.jsonl'),
      '--output',
      output,
      ...options,
    );
    const [before, after] = [result.heldoutLosses.at(0), result.heldoutLosses.at(-1)];
    expect(after).toMatchObject({ step: 15 });
    expect(after.loss).toBeLessThan(before.loss / 2);
    expect(readdirSync(output)).toContain('tokenizer.json');
    const again = await runCli('sft', '--model', model, '--data', at('examples.jsonl'), '--output', output);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('exists') });
  });
});

describe('train', () => {
  it('without a rollout or an evaluation ends with the model as it was', async () => {
    const result = await succeed(...training(at('nothing'), '--rollouts', '0', '--eval-steps', '0'));
    expect(result).toMatchObject({ rollout: 0, evaluation: {}, metrics: null });
  });

  it('leaves a run folder, and resumes it with the same settings', async () => {
    const output = at('run');
    const first = await succeed(...training(output));
    expect(first).toMatchObject({ output, rollout: 2, checkpoint: join(output, 'checkpoints/step_2') });
    expect(Object.keys(first.evaluation)).toContain('eval/heldout/accuracy');
    const record = JSON.parse(readFileSync(join(output, 'run.json'), 'utf8'));
    expect(record.config).toMatchObject({ rolloutBatchSize: 4, generateMaxLen: 8 });
    expect(readJsonLines(join(output, 'metrics.jsonl')).map(({ rollout }) => rollout)).toEqual([0, 1, 2]);
    expect(readdirSync(first.checkpoint)).toContain('tokenizer.json');

    const resumed = await succeed('train', '--resume', '--output', output, '--rollouts', '3');
    expect(resumed).toMatchObject({ rollout: 3 });
    expect(readJsonLines(join(output, 'metrics.jsonl'))).toHaveLength(4);

    const changed = await runCli('train', '--resume', '--output', output, '--gamma', '0.5');
    expect(changed).toMatchObject({ code: 2, stderr: expect.stringContaining('gamma: 1 -> 0.5') });
    const taken = await runCli(...training(output));
    expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('holds a run already') });
  });

  it('does the same twice', async () => {
    await succeed(...training(at('twin-1')));
    await succeed(...training(at('twin-2')));
    for (const name of ['metrics.jsonl', 'checkpoints/step_2/model.safetensors', 'checkpoints/step_2/optimizer.bin']) {
      expect(readFileSync(at('twin-1', name)).equals(readFileSync(at('twin-2', name))), name).toBe(true);
    }
  });

  it('takes options from a file, under flags and over recipes', async () => {
    writeFileSync(
      at('run.yaml'),
      'rollouts: 1\ngenerate_max_len: 4\nadvantage_estimator: group_norm\ninit_kl_coef: 0\n',
    );
    await succeed(...training(at('filed'), '--config', at('run.yaml'), '--recipe', 'nano'));
    const { config } = JSON.parse(readFileSync(at('filed', 'run.json'), 'utf8'));
    expect(config).toMatchObject({
      rollouts: 2,
      generateMaxLen: 8,
      advantageEstimator: 'group_norm',
      initKlCoef: 0,
      criticLearningRate: recipes.nano.criticLearningRate,
    });
  });

  it('is refused before weights load when it does not fit', async () => {
    const { code, stderr } = await runCli(...training(at('unfit'), '--memory', '1MB'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/does not fit in memory\n {2}weights .*\n(.*\n)+.*\[LIMR_MEMORY\]\nfix: /);
    expect(existsSync(at('unfit'))).toBe(false);
  });
});

describe('an interrupted train', () => {
  it('writes a checkpoint, exits with 130, and goes on from there', async () => {
    const output = at('interrupted');
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const args = ['--import', 'tsx', main, ...training(output), '--rollouts', '100000', '--save-steps', '0'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    let asked = false;
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
      if (asked || !/^rollout 2\//m.test(stderr)) return;
      asked = true;
      child.kill('SIGINT');
    });
    const code = await new Promise((done) => child.on('close', done));
    expect(stderr).toMatch(/interrupted after rollout \d+; saved .*\[LIMR_ABORTED\]\nfix: Go on with --resume\./);
    expect(code).toBe(130);
    const [checkpoint = ''] = readdirSync(join(output, 'checkpoints'));
    const rollout = Number(checkpoint.replace('step_', ''));
    expect(rollout).toBeGreaterThanOrEqual(2);
    const resumed = await succeed('train', '--resume', '--output', output, '--rollouts', `${rollout + 1}`);
    expect(resumed.rollout).toBe(rollout + 1);
    const rollouts = readJsonLines(join(output, 'metrics.jsonl')).map((row) => row.rollout);
    expect(rollouts).toEqual(Array.from({ length: rollout + 2 }, (_, i) => i));
  });
});

describe('plan and doctor', () => {
  it('plan gives the numbers of train', async () => {
    const plan = await succeed('plan', ...training('nowhere').slice(1));
    expect(plan.batches).toMatchObject({ samplesPerRollout: 8, optimizerStepsPerRollout: 2, rolloutsPerEpoch: 3 });
    expect(plan.memory.models.map(({ role }: { role: string }) => role)).toEqual(['actor', 'critic', 'reference']);
    expect(plan.fits).toBe(true);
    const { speed, ...seconds } = plan.time;
    for (const value of [...Object.values(speed), ...Object.values(seconds)]) expect(value).toBeGreaterThan(0);
    expect(await succeed('plan', '--calibrate', 'false', ...training('nowhere').slice(1))).not.toHaveProperty('time');
  });

  it('doctor lists the machine', async () => {
    const { code, stdout } = await runCli('doctor', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout).isas).toContain('scalar');
  });
});
