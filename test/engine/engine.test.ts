import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import type { SamplingOptions } from '../../src/engine/sampling.js';
import type { NativeGenerateRequest } from '../../src/native.js';
import { type FakeModel, type FakeOptions, fakeNative } from './fake-native.js';
import { eosTokenId, writeTinyFolder } from './tiny-folder.js';

let root = '';
let dir = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-engine-'));
  dir = writeTinyFolder(join(root, 'tiny'));
});
afterAll(() => rmSync(root, { recursive: true }));

async function load(options: FakeOptions = {}): Promise<{ model: Model; native: FakeModel }> {
  const { addon, models } = fakeNative(options);
  const model = await Engine.open({}, addon).load(dir, { trainable: true });
  return { model, native: models[0]! };
}

const argument = <T>(native: FakeModel, verb: string) => native.calls.find((call) => call.verb === verb)?.argument as T;

describe('Engine.open', () => {
  it('takes threads, kernels and memory from the machine', () => {
    const { addon, contexts } = fakeNative();
    expect(Engine.open({}, addon)).toMatchObject({ threads: 2, isa: 'avx2' });
    Engine.open({ threads: 3, isa: 'scalar', memoryLimit: 5, checkNans: true }, addon);
    vi.stubEnv('LIMR_CHECK_NANS', '1');
    Engine.open({ threads: 1 }, addon);
    vi.unstubAllEnvs();
    expect(contexts).toEqual([
      { threads: 2, isa: '', memoryLimitBytes: 1e9, checkNans: false, cuda: null },
      { threads: 3, isa: 'scalar', memoryLimitBytes: 5, checkNans: true, cuda: null },
      { threads: 1, isa: '', memoryLimitBytes: 1e9, checkNans: true, cuda: null },
    ]);
  });

  it.each([
    [{ threads: 0 }, 'threads is 0'],
    [{ threads: 1.5 }, 'threads is 1.5'],
    [{ isa: 'avx9' }, 'no kernels called "avx9"'],
    [{ memoryLimit: Number.NaN }, 'memoryLimit is NaN'],
  ])('refuses %j', (options, message) => {
    expect(() => Engine.open(options, fakeNative().addon)).toThrowError(
      expect.objectContaining({ code: 'LIMR_USAGE', message: expect.stringContaining(message) }),
    );
  });
});

describe('Engine.load', () => {
  it('reads the tokenizer and the end-of-text tokens, and bans ids without a token', async () => {
    const { model } = await load();
    expect(model.eosTokenIds).toEqual([eosTokenId]);
    expect(Array.from(model.bannedTokenIds)).toEqual(Array.from({ length: 300 - 257 }, (_, i) => 257 + i));
    expect(model.tokenizer?.decode([0, eosTokenId])).toContain('<eos>');
  });

  it('passes complete options on', async () => {
    const { addon, models } = fakeNative();
    const critic = await Engine.open({}, addon).load(dir, { head: 'value', valueHeadSeed: 7 });
    expect(critic.tokenizer).toBeUndefined();
    expect(models[0]?.loaded).toEqual({
      dir,
      head: 'value',
      trainable: false,
      randomSeed: -1,
      valueHeadSeed: 7,
      activationCheckpointing: true,
      sharePrefixes: false,
      moments: 'f32',
      optimizerOnHost: false,
      takeTurns: false,
    });
  });

  it('names a folder that is no model', async () => {
    const engine = Engine.open({}, fakeNative().addon);
    await expect(engine.load(join(root, 'nowhere'))).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringContaining('it has no config.json'),
    });
  });
});

describe('generate', () => {
  it('streams samples and returns the statistics', async () => {
    const { model, native } = await load({ respond: (prompt, sample) => [prompt[0]!, sample, eosTokenId] });
    const samples = [];
    const stream = model.generate([{ tokens: [5] }, { tokens: [6, 7], row: 40 }], { samplesPerPrompt: 2, seed: 3 });
    let step = await stream.next();
    for (; step.done !== true; step = await stream.next()) samples.push(step.value);
    expect(samples.map(({ prompt, sample, tokens }) => [prompt, sample, ...tokens])).toEqual([
      [0, 0, 5, 0, eosTokenId],
      [0, 1, 5, 1, eosTokenId],
      [1, 0, 6, 0, eosTokenId],
      [1, 1, 6, 1, eosTokenId],
    ]);
    expect(samples.every(({ stopReason }) => stopReason === 'eos')).toBe(true);
    expect(step.value).toMatchObject({ promptTokens: 3, generatedTokens: 12 });
    expect(argument<NativeGenerateRequest>(native, 'generate')).toMatchObject({
      tokens: Int32Array.of(5, 6, 7),
      offsets: Int32Array.of(0, 1, 3),
      rows: Int32Array.of(0, 40),
      samplesPerPrompt: 2,
      seed: 3,
      temperature: 1,
      logprobTemperature: 1,
      topP: 1,
      eosTokenIds: Int32Array.of(eosTokenId),
    });
  });

  it('pauses while finished samples wait, and goes on when they are taken', async () => {
    const { model, native } = await load();
    const requests = Array.from({ length: 20 }, () => ({ tokens: [1] }));
    let taken = 0;
    for await (const { tokens } of model.generate(requests, { maxUnacknowledged: 3 })) {
      expect(tokens).toHaveLength(3);
      await new Promise((resolve) => setTimeout(resolve, 2));
      taken += 1;
    }
    expect(taken).toBe(20);
    expect(native.mostUnacknowledged).toBe(3);
  });

  it('stops when the loop is left', async () => {
    const { model, native } = await load();
    for await (const sample of model.generate(Array.from({ length: 50 }, () => ({ tokens: [1] })))) {
      expect(sample.prompt).toBe(0);
      break;
    }
    expect(native.calls.map(({ verb }) => verb)).toEqual(['generate', 'abort']);
  });

  it('throws LIMR_ABORTED when the signal is aborted, before or meanwhile', async () => {
    const { model } = await load();
    const controller = new AbortController();
    const run = async () => {
      for await (const sample of model.generate([{ tokens: [1] }, { tokens: [2] }], { signal: controller.signal })) {
        expect(sample.prompt).toBe(0);
        controller.abort();
      }
    };
    await expect(run()).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
    await expect(run()).rejects.toMatchObject({ code: 'LIMR_ABORTED', message: expect.stringContaining('before') });
  });

  it('gives the bytes of every token once, before stop strings', async () => {
    const { model, native } = await load();
    for (let i = 0; i < 2; ++i) await model.generate([{ tokens: [1] }], { stopStrings: ['\n'] }).next();
    const tables = native.calls.filter(({ verb }) => verb === 'setTokenBytes');
    expect(tables).toHaveLength(1);
    const { bytes, offsets } = tables[0]!.argument as { bytes: Uint8Array; offsets: Int32Array };
    expect(offsets).toHaveLength(301);
    expect(offsets.at(-1)).toBe(bytes.length);
    expect(new TextDecoder().decode(bytes.subarray(offsets[eosTokenId], offsets[eosTokenId + 1]))).toBe('<eos>');
    expect(offsets[299]).toBe(offsets[300]);
  });

  it('gives them for the packed requests of loops too, and refuses stop strings without a tokenizer', async () => {
    const { model, native } = await load();
    const packed = { tokens: Int32Array.of(1), offsets: Int32Array.of(0, 1), rows: Int32Array.of(0) };
    const request = { ...packed, ...model.samplingConfig({ stopStrings: ['\n'] }) };
    await model.port().generate(request).next();
    expect(native.calls.map(({ verb }) => verb).slice(0, 2)).toEqual(['setTokenBytes', 'generate']);

    const { addon } = fakeNative();
    const bare = await Engine.open({}, addon).load(model.dir, { tokenizer: false });
    expect(() => bare.port().generate(request)).toThrowError(
      expect.objectContaining({
        code: 'LIMR_STATE',
        message: `a stop string needs a tokenizer, and ${model.dir} was loaded without one`,
      }),
    );
  });

  it('reports log-probs at T = 1 when greedy, and at T when sampling', async () => {
    const { model, native } = await load();
    await model.generate([{ tokens: [1] }], { temperature: 0 }).next();
    await model.generate([{ tokens: [1] }], { temperature: 0.7 }).next();
    const requests = native.calls.filter(({ verb }) => verb === 'generate').map((call) => call.argument);
    expect(requests).toMatchObject([{ logprobTemperature: 1 }, { logprobTemperature: 0.7 }]);
  });

  const refusals: readonly (readonly [SamplingOptions, string])[] = [
    [{ temperature: Number.NaN }, 'temperature is NaN, expected a number >= 0'],
    [{ temperature: -1 }, 'temperature is -1'],
    [{ logprobTemperature: 0 }, 'logprobTemperature is 0, expected a number > 0'],
    [{ topP: 0 }, 'topP is 0, expected a number > 0 and <= 1'],
    [{ topP: 1.1 }, 'topP is 1.1'],
    [{ topK: 1.5 }, 'topK is 1.5, expected a whole number >= 0'],
    [{ minP: 2 }, 'minP is 2'],
    [{ maxTokens: 0 }, 'maxTokens is 0'],
    [{ maxTokens: 4, minTokens: 5 }, 'minTokens is 5, more than maxTokens, 4'],
    [{ maxTokens: 512 }, "prompt 0 has 1 tokens; with maxTokens 512 it exceeds the model's context of 512"],
    [{ samplesPerPrompt: 0 }, 'samplesPerPrompt is 0'],
    [{ eosTokenIds: [300] }, 'eosTokenIds: token 0 is 300, and the model has the ids 0 to 299'],
    [{ bannedTokenIds: [-1] }, 'bannedTokenIds: token 0 is -1'],
    [{ bannedTokenIds: Array.from({ length: 300 }, (_, i) => i) }, 'leaves no token'],
    [{ stopStrings: [''] }, 'a stop string is empty'],
    [{ seed: 2 ** 32 }, 'seed is 4294967296'],
    [{ maxBatch: 0 }, 'maxBatch is 0'],
  ];
  it.each(refusals)('refuses %j', async (options, message) => {
    const { model, native } = await load();
    await expect(model.generate([{ tokens: [1] }], options).next()).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining(message),
    });
    expect(native.calls).toEqual([]);
  });

  it.each([
    [[], 'there is no prompt'],
    [[{ tokens: [] }], 'prompt 0 is empty'],
    [[{ tokens: [1] }, { tokens: [2, 300] }], 'prompt 1: token 1 is 300, and the model has the ids 0 to 299'],
    [[{ tokens: [0.5] }], 'prompt 0: token 0 is 0.5'],
    [[{ tokens: [1], row: -1 }], 'row is -1'],
  ])('refuses the prompts %j', async (requests, message) => {
    const { model } = await load();
    await expect(model.generate(requests, { maxTokens: 4 }).next()).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining(message),
    });
  });
});

describe('score, accumulate, step', () => {
  it('scores in the order of the call', async () => {
    const { model, native } = await load();
    const scores = await model.score([
      [1, 2, 3],
      [4, 5],
    ]);
    expect(Array.from(scores.offsets)).toEqual([0, 3, 5]);
    expect(Array.from(scores.logprobs)).toEqual([Number.NaN, -0.5, -0.5, Number.NaN, -0.5]);
    expect(argument(native, 'score')).toMatchObject({ temperature: 1, maxTokens: 4096 });
    await expect(model.score([[1, 2]], { maxTokens: 1 })).rejects.toMatchObject({ code: 'LIMR_USAGE' });
  });

  it('hands out one mean hidden state a sequence, and stops when told', async () => {
    const { model, native } = await load();
    const means = await model.meanHiddenStates([[7, 2, 3], [9]]);
    expect(means.map((mean) => Array.from(mean))).toEqual([new Array(8).fill(7), new Array(8).fill(9)]);
    expect(argument(native, 'meanHiddenStates')).toMatchObject({ offsets: Int32Array.of(0, 3, 4), maxTokens: 4096 });
    await model.meanHiddenStates([new Int32Array(5000)], {});
    expect(native.calls.at(-1)?.argument).toMatchObject({ maxTokens: 5000 });
    await expect(model.meanHiddenStates([[1, 2]], { maxTokens: 1 })).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    await expect(model.meanHiddenStates([])).rejects.toMatchObject({ message: 'there is no sequence' });
    const controller = new AbortController();
    const running = model.meanHiddenStates([[1]], { signal: controller.signal });
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
  });

  it('refuses per-token arrays of another length', async () => {
    const { model } = await load();
    const loss = { kind: 'cross_entropy', weights: new Float32Array(3), temperature: 1 } as const;
    expect(() => model.accumulate([[1, 2]], loss)).toThrowError(
      expect.objectContaining({ code: 'LIMR_SHAPE', message: 'weights has 3 entries for 2 tokens' }),
    );
  });

  it('completes AdamW settings', async () => {
    const { model, native } = await load();
    await model.step({ learningRate: 1e-3 });
    expect(argument(native, 'step')).toEqual({
      learningRate: 1e-3,
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-8,
      weightDecay: 0,
      maxGradNorm: 1,
    });
    await expect(model.step({ learningRate: Number.NaN })).rejects.toMatchObject({ code: 'LIMR_USAGE' });
  });
});

describe('save', () => {
  let out = '';
  beforeEach(() => {
    out = mkdtempSync(join(root, 'out-'));
  });

  it('writes weights, tokenizer and generation files, and nothing else beside them', async () => {
    const { model } = await load();
    const folder = join(out, 'deep', 'model');
    await model.save(folder);
    expect(readdirSync(folder).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(readFileSync(join(folder, 'model.safetensors'), 'utf8')).toBe('weights');
    expect(readdirSync(join(out, 'deep'))).toEqual(['model']);
  });

  it('refuses a folder that exists, and replaces it when told to', async () => {
    const { model } = await load();
    const folder = join(out, 'model');
    await model.save(folder);
    await expect(model.save(folder)).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    await model.save(folder, { overwrite: true });
    expect(readdirSync(out)).toEqual(['model']);
  });

  it('leaves nothing behind when the disk is full', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const { model } = await load({ saveError: () => full });
    await expect(model.save(join(out, 'model'))).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringContaining('no space left'),
      hint: expect.stringContaining('Free some space'),
    });
    expect(readdirSync(out)).toEqual([]);
  });

  it('reports a parent that is a file', async () => {
    const { model } = await load();
    await expect(model.save(join(dir, 'config.json', 'model'))).rejects.toMatchObject({ code: 'LIMR_IO' });
    expect(existsSync(join(dir, 'config.json'))).toBe(true);
  });
});
