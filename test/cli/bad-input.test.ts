/** Bad input, as a user meets it: one clear error, exit code 1 or 2, nothing half-written left behind. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { embeddedModel } from '../../src/launch/embedded.js';
import { lockFolder } from '../../src/run/lock.js';
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
let model = '';
const at = (...names: string[]) => join(root, ...names);

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'limr-bad-'));
  mkdirSync(at('source'));
  writeFileSync(at('source', 'config.json'), JSON.stringify(config));
  for (const name of ['tokenizer.json', 'tokenizer_config.json']) {
    copyFileSync(join(embeddedModel, name), at('source', name));
  }
  model = at('model');
  const created = await runCli('model', 'create', '--config', at('source', 'config.json'), '--output', model);
  expect(created.code, created.stderr).toBe(0);
  writeFileSync(at('text.jsonl'), '{"text": "hi there"}\n');
  writeFileSync(at('prompts.jsonl'), '{"prompt": "1+1?", "answer": "2"}\n{"prompt": "2+2?", "answer": "4"}\n');
});
afterAll(() => {
  chmodSync(root, 0o755);
  rmSync(root, { recursive: true });
});

/** Expects one error, and the folder `watched` as it was. */
async function expectError(
  args: readonly string[],
  want: { readonly code: number; readonly error: string; readonly message: RegExp },
  watched = root,
) {
  const before = readdirSync(watched);
  const { code, stdout, stderr } = await runCli(...args);
  expect(stderr).toMatch(want.message);
  const errors = stderr.split('\n').filter((line) => line.includes('[LIMR_'));
  expect(errors).toHaveLength(1);
  expect(errors[0]).toContain(`[${want.error}]`);
  expect([code, stdout]).toEqual([want.code, '']);
  expect(readdirSync(watched)).toEqual(before);
}

type Header = Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }>;

/** A copy of the model whose safetensors file was changed. */
function damaged(name: string, change: (header: Header, data: Buffer) => readonly [object, Buffer]): string {
  const dir = at(name);
  cpSync(model, dir, { recursive: true });
  const file = readFileSync(join(dir, 'model.safetensors'));
  const size = Number(file.readBigUInt64LE(0));
  const [header, data] = change(JSON.parse(file.subarray(8, 8 + size).toString()), file.subarray(8 + size));
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(join(dir, 'model.safetensors'), Buffer.concat([length, json, data]));
  return dir;
}

const tensors = (header: Header) => Object.entries(header).filter(([name]) => name !== '__metadata__');

describe('a model folder', () => {
  const score = (dir: string) => ['score', '--model', dir, '--input', at('text.jsonl'), '--threads', '1'];
  const format = (message: RegExp) => ({ code: 1, error: 'LIMR_FORMAT', message });

  it('that is none', async () => {
    await expectError(score(at('nowhere')), { code: 1, error: 'LIMR_IO', message: /it has no config\.json/ });
  });

  it('without weights', async () => {
    cpSync(model, at('weightless'), { recursive: true });
    rmSync(at('weightless', 'model.safetensors'));
    await expectError(score(at('weightless')), { code: 1, error: 'LIMR_IO', message: /safetensors/ });
  });

  it('with a missing shard', async () => {
    cpSync(model, at('shardless'), { recursive: true });
    rmSync(at('shardless', 'model.safetensors'));
    const index = { weight_map: { 'model.norm.weight': 'model-00001-of-00002.safetensors' } };
    writeFileSync(at('shardless', 'model.safetensors.index.json'), JSON.stringify(index));
    await expectError(score(at('shardless')), { code: 1, error: 'LIMR_IO', message: /model-00001-of-00002/ });
  });

  it('with a truncated file', async () => {
    const dir = damaged('truncated', (header, data) => [header, data.subarray(0, data.length - 100)]);
    await expectError(score(dir), format(/model\.safetensors/));
  });

  it('with a file shorter than its header says', async () => {
    cpSync(model, at('headless'), { recursive: true });
    writeFileSync(at('headless', 'model.safetensors'), readFileSync(join(model, 'model.safetensors')).subarray(0, 50));
    await expectError(score(at('headless')), format(/model\.safetensors/));
  });

  it('with overlapping offsets', async () => {
    const dir = damaged('overlapping', (header, data) => {
      const [first, second] = tensors(header).sort((a, b) => a[1].data_offsets[0] - b[1].data_offsets[0]);
      const [begin, end] = second![1].data_offsets;
      const shift = Math.min(2, first![1].data_offsets[1]);
      return [{ ...header, [second![0]]: { ...second![1], data_offsets: [begin - shift, end - shift] } }, data];
    });
    await expectError(score(dir), format(/model\.safetensors/));
  });

  it('with offsets that overflow', async () => {
    const dir = damaged('overflowing', (header, data) => {
      const [name, tensor] = tensors(header)[0]!;
      const json = { ...header, [name]: { ...tensor, data_offsets: [0, Number.MAX_SAFE_INTEGER] } };
      return [json, data];
    });
    await expectError(score(dir), format(/model\.safetensors/));
  });

  it('with a tensor of another type', async () => {
    const dir = damaged('typed', (header, data) => {
      const [name, tensor] = tensors(header)[0]!;
      return [{ ...header, [name]: { ...tensor, dtype: 'I16' } }, data];
    });
    const { code, stderr } = await runCli(...score(dir));
    expect(stderr).toMatch(/I16/);
    expect(code).toBe(1);
  });

  it('with a tensor of another shape', async () => {
    const dir = damaged('shaped', (header, data) => {
      const [name, tensor] = tensors(header).find(([, { shape }]) => shape.length === 2)!;
      return [{ ...header, [name]: { ...tensor, shape: [...tensor.shape].reverse() } }, data];
    });
    await expectError(score(dir), { code: 1, error: 'LIMR_SHAPE', message: /shape|expected/ });
  });

  it.each([
    ['an unknown architecture', { model_type: 'mamba' }, /mamba/],
    ['a key that is not implemented', { attn_logit_softcapping: 50 }, /attn_logit_softcapping/],
  ])('with %s', async (name, change, message) => {
    const dir = at(name.replaceAll(' ', '-'));
    cpSync(model, dir, { recursive: true });
    writeFileSync(join(dir, 'config.json'), JSON.stringify({ ...config, ...change }));
    await expectError(score(dir), { code: 1, error: 'LIMR_UNSUPPORTED', message });
  });
});

describe('data', () => {
  const train = (prompts: string) => [
    ...['train', '--model', model, '--prompts', prompts, '--output', at('never'), '--prompt-max-len', '32'],
    ...[
      '--generate-max-len',
      '16',
      '--rollout-batch-size',
      '2',
      '--train-batch-size',
      '2',
      '--n-samples-per-prompt',
      '2',
    ],
  ];
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['empty.jsonl', '', /empty\.jsonl has no rows/],
    ['malformed.jsonl', '{"prompt": "a", "answer": "b"}\n{"prompt": "a", \n', /malformed\.jsonl:2: malformed JSON/],
    ['keyless.json', '[{"question": "a", "answer": "b"}]', /keyless\.json\[0\]: "prompt" is missing/],
  ];
  it.each(cases)('prompts in %s', async (name, content, message) => {
    writeFileSync(at(name), content);
    await expectError(train(at(name)), { code: 1, error: 'LIMR_FORMAT', message });
  });

  it.each(['score --input', 'sft --output never --data', 'generate --output never.jsonl --input'])(
    '%s of a folder, or of nothing',
    async (line) => {
      const at_ = (file: string) => [...line.split(' '), file];
      await expectError(at_(model), { code: 1, error: 'LIMR_IO', message: /cannot read .*model: it is a folder/ });
      const message = /cannot read .*nowhere: no such file or directory \[LIMR_IO\]\nfix: Check the path\./;
      await expectError(at_(at('nowhere')), { code: 1, error: 'LIMR_IO', message });
    },
  );

  it('a configuration for a new model', async () => {
    const create = (config: string) => ['model', 'create', '--config', config, '--output', at('never')];
    const message = /cannot read .*nowhere\.json: no such file or directory/;
    await expectError(create(at('nowhere.json')), { code: 1, error: 'LIMR_IO', message });
    writeFileSync(at('empty.json'), '{}');
    const named = new RegExp(`: ${at('empty.json')}: "model_type" is missing`);
    await expectError(create(at('empty.json')), { code: 1, error: 'LIMR_FORMAT', message: named });
  });

  it('rows without a text to score', async () => {
    writeFileSync(at('asked.jsonl'), '{"prompt": "a", "response": "b"}\n');
    const message = /asked\.jsonl:1: expected the text "text".*\nfix: Its fields are prompt, response\./;
    const args = ['score', '--model', model, '--input', at('asked.jsonl')];
    await expectError(args, { code: 1, error: 'LIMR_FORMAT', message });
  });

  it('token ids beyond the vocabulary', async () => {
    writeFileSync(at('beyond.jsonl'), '{"tokens": [1, 2]}\n{"tokens": [1, 9999]}\n');
    await expectError(['score', '--model', model, '--input', at('beyond.jsonl'), '--output', at('scores.jsonl')], {
      code: 2,
      error: 'LIMR_USAGE',
      message: /beyond\.jsonl:2: token 1 is 9999, and the model has the ids 0 to 287/,
    });
  });

  it('an empty prompt', async () => {
    writeFileSync(at('blank.jsonl'), '{"prompt": ""}\n');
    const args = ['generate', '--model', model, '--input', at('blank.jsonl'), '--output', at('said.jsonl')];
    await expectError(args, { code: 2, error: 'LIMR_USAGE', message: /prompt 0 is empty/ });
  });

  it('a prompt longer than the context', async () => {
    writeFileSync(at('long.jsonl'), `{"prompt": "${'x'.repeat(200)}"}\n`);
    const args = ['generate', '--model', model, '--input', at('long.jsonl'), '--output', at('said.jsonl')];
    await expectError(args, { code: 2, error: 'LIMR_USAGE', message: /exceeds the model's context of 128/ });
  });
});

describe('the output', () => {
  const create = (output: string) => ['model', 'create', '--config', at('source', 'config.json'), '--output', output];

  it('on a read-only folder', async () => {
    // Nobody may make a folder in /proc, not even root, whom permissions do not stop.
    const folder = process.getuid?.() === 0 ? '/proc/self' : at('read-only');
    if (folder !== '/proc/self') mkdirSync(folder, { mode: 0o555 });
    const before = readdirSync(folder).length;
    const { code, stderr } = await runCli(...create(join(folder, 'model')));
    expect(stderr).toMatch(/cannot write .*model.*\[LIMR_IO\]\nfix: /s);
    expect([code, readdirSync(folder).length]).toEqual([1, before]);
    const train = await runCli(
      ...['train', '--model', model, '--prompts', at('prompts.jsonl'), '--output', join(folder, 'run')],
      ...['--prompt-max-len', '32', '--generate-max-len', '16', '--rollout-batch-size', '2', '--train-batch-size', '2'],
    );
    expect(train.stderr).toContain('[LIMR_IO]');
    expect(train.code).toBe(1);
  });

  it('on a read-only folder is refused before a model is trained for it', async () => {
    writeFileSync(at('examples.jsonl'), '{"prompt": "1+1?", "response": "2"}\n');
    const folder = process.getuid?.() === 0 ? '/proc/self' : at('read-only');
    const { code, stderr } = await runCli('sft', '--data', at('examples.jsonl'), '--output', join(folder, 'model'));
    expect(stderr).toMatch(/^limr-engine: cannot write .*model: .*\[LIMR_IO\]\nfix: [^\n]*\n$/);
    expect(code).toBe(1);
  });

  it('where a folder is', async () => {
    const args = ['score', '--model', model, '--input', at('text.jsonl'), '--output', model];
    await expectError(args, { code: 1, error: 'LIMR_IO', message: /cannot write .*model: it is a folder/ }, model);
  });

  it.skipIf(!existsSync('/dev/full'))('on stdout, when its disk is full', async () => {
    const source = resolve(import.meta.dirname, '../../src/cli/main.ts');
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, ['--import', 'tsx', source, 'model', 'info'], {
      stdio: ['ignore', full, 'pipe'],
    });
    closeSync(full);
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((done) => child.on('close', done));
    expect(stderr).toBe(
      'limr-engine: cannot write to stdout: no space left on device [LIMR_IO]\nfix: Free some space, or choose a folder on another disk.\n',
    );
    expect(code).toBe(1);
  });

  it('on a disk that gets full while the model is saved', async () => {
    // A limit on file sizes stops a write half-way through, as a full disk does.
    mkdirSync(at('full'));
    const source = resolve(import.meta.dirname, '../../src/cli/main.ts');
    const command = `ulimit -f 8 && exec "$0" --import tsx ${source} model create --config ${at('source', 'config.json')} --output ${at('full', 'model')}`;
    const child = spawn('bash', ['-c', command, process.execPath], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const code = await new Promise((done) => child.on('close', done));
    expect(stderr).toMatch(/^limr-engine: .*\[LIMR_IO\]/s);
    expect([code, readdirSync(at('full'))]).toEqual([1, []]);
  });

  it('in use by another run', async () => {
    mkdirSync(at('busy'));
    const lock = await lockFolder(at('busy'));
    try {
      await expectError(
        [
          ...['train', '--model', model, '--prompts', at('prompts.jsonl'), '--output', at('busy')],
          ...[
            '--prompt-max-len',
            '32',
            '--generate-max-len',
            '16',
            '--rollout-batch-size',
            '2',
            '--train-batch-size',
            '2',
          ],
        ],
        { code: 1, error: 'LIMR_LOCKED', message: /busy/ },
        at('busy'),
      );
    } finally {
      await lock.release();
    }
  });
});
