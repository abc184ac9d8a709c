/** Broken and foreign files: an error that says what, and how to mend it, and nothing left behind. */
import { mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { LimrError } from '../../src/errors.js';
import { importGguf } from '../../src/gguf/import.js';
import { runCli } from '../cli/run-cli.js';
import {
  type BuiltModel,
  type BuiltTensor,
  f32,
  ggufBytes,
  text,
  tinyLlama,
  u32,
  u64,
  type Value,
} from './build-gguf.js';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'limr-gguf-'));
  file = join(folder, 'model.gguf');
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Imports `bytes`, which must fail and leave nothing. */
async function refusal(bytes: Buffer): Promise<LimrError> {
  writeFileSync(file, bytes);
  const before = readdirSync(folder);
  const error = await importGguf(file, join(folder, 'out')).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof LimrError)) throw new Error(`expected a LimrError, got ${String(error)}`);
  expect(error.message.includes(folder), error.message).toBe(true);
  expect(error.hint.length + error.message.length).toBeGreaterThan(30);
  expect(readdirSync(folder), 'nothing is left behind').toEqual(before);
  return error;
}

const changed = (metadata: Record<string, Value | undefined>): Buffer => {
  const model = tinyLlama();
  return ggufBytes({ ...model, metadata: { ...model.metadata, ...metadata } });
};
const withTensors = (change: (tensors: readonly BuiltTensor[]) => readonly BuiltTensor[]): Buffer => {
  const model = tinyLlama();
  return ggufBytes({ ...model, tensors: change(model.tensors) });
};

describe('a file that is whole', () => {
  it('is imported', async () => {
    writeFileSync(file, ggufBytes(tinyLlama()));
    const { numParameters, roundingError } = await importGguf(file, join(folder, 'out'));
    expect(numParameters).toBe(260 * 16 + 7 * 256 + 3 * 16);
    expect(roundingError).toBe(0);
    expect(readdirSync(join(folder, 'out')).sort()).toEqual([
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
  });

  it('is read in version 2 too', async () => {
    writeFileSync(file, ggufBytes(tinyLlama(), 2));
    await importGguf(file, join(folder, 'out'));
  });
});

describe('cut anywhere', () => {
  it('is an error', async () => {
    const whole = ggufBytes(tinyLlama());
    for (const length of [0, 3, 7, 8, 23, 24, 60, 500, 2000, 5000, whole.length >> 1, whole.length - 33]) {
      const { code, message } = await refusal(whole.subarray(0, length));
      expect(code, `${length}: ${message}`).toBe('LIMR_FORMAT');
    }
  });

  it('says which tensor is not all there', async () => {
    writeFileSync(file, ggufBytes(tinyLlama()));
    truncateSync(file, ggufBytes(tinyLlama()).length - 64);
    await expect(importGguf(file, join(folder, 'out'))).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringMatching(/is cut: tensor output_norm\.weight ends at byte \d+, and the file has \d+/),
      hint: 'Download it again, to its end.',
    });
  });
});

describe('a header that lies', () => {
  const head = (tensors: bigint, keys: bigint, rest: readonly Buffer[] = []) =>
    Buffer.concat([Buffer.from('GGUF'), u32(3), u64(tensors), u64(keys), ...rest, Buffer.alloc(4096)]);
  const key = (type: number, ...value: Buffer[]) => head(0n, 1n, [text('a.b'), u32(type), ...value]);
  const tensor = (...rest: Buffer[]) => head(1n, 0n, rest);
  const huge = 0xffff_ffff_ffff_ffffn;
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['tensors without end', head(huge, 0n), `${huge} tensors do not fit`],
    ['keys without end', head(0n, huge), `${huge} metadata keys do not fit`],
    ['a long key', head(0n, 1n, [u64(huge)]), 'bytes of a text do not fit'],
    ['a long list', key(9, u32(8), u64(1n << 40n)), 'entries of "a.b" do not fit'],
    ['a type that is none', key(13), 'a value of type 13'],
    ['text that is not UTF-8', key(8, u64(2), Buffer.from([0xc3, 0x28])), 'not UTF-8'],
    ['no dimension', tensor(text('t'), u32(0)), '0 dimensions'],
    ['a dimension of 0', tensor(text('t'), u32(1), u64(0), u32(0), u64(0)), 'a dimension of 0'],
    ['a dimension without end', tensor(text('t'), u32(2), u64(8), u64(huge)), `a dimension of ${huge}`],
    ['a place beyond the file', tensor(text('t'), u32(1), u64(8), u32(0), u64(1n << 62n)), 'is cut'],
    ['a place between', tensor(text('t'), u32(1), u64(8), u32(0), u64(4)), 'not aligned'],
    ['a part of a block', tensor(text('t'), u32(1), u64(33), u32(8), u64(0)), "a multiple of Q8_0's 32"],
  ];
  it.each(cases)('%s', async (_, bytes, message) => {
    const error = await refusal(bytes);
    expect(error.code).toBe('LIMR_FORMAT');
    expect(error.message).toContain(message);
  });

  it('lists of lists', async () => {
    expect(await refusal(key(9, u32(9), u64(1)))).toMatchObject({ code: 'LIMR_UNSUPPORTED' });
  });

  it('a key twice, a tensor twice, tensors on the same bytes', async () => {
    const twice = [text('a'), u32(0), Buffer.from([1])];
    expect((await refusal(head(0n, 2n, [...twice, ...twice]))).message).toContain('"a" is there twice');
    const tensors = (name: string, offset: number) => [text(name), u32(1), u64(16), u32(0), u64(offset)];
    expect((await refusal(head(2n, 0n, [...tensors('t', 0), ...tensors('t', 64)]))).message).toContain(
      '"t" is there twice',
    );
    expect((await refusal(head(2n, 0n, [...tensors('t', 0), ...tensors('u', 32)]))).message).toContain(
      't and u share bytes',
    );
  });
});

describe('other files', () => {
  const cases: readonly (readonly [string, Buffer, ErrorCode, string, string])[] = [
    ['of other magic', Buffer.from('ggjt\x03\0\0\0........'), 'LIMR_FORMAT', 'begins with "ggjt"', 'GGJT'],
    ['binary ones', Buffer.from([0, 1, 2, 3, 0, 0, 0, 0]), 'LIMR_FORMAT', 'begins with 00 01 02 03', '.gguf'],
    [
      'big-endian',
      Buffer.concat([Buffer.from('GGUF'), Buffer.from([0, 0, 0, 3]), Buffer.alloc(64)]),
      'LIMR_UNSUPPORTED',
      'is big-endian',
      'gguf_convert_endian',
    ],
    [
      'version 1',
      Buffer.concat([Buffer.from('GGUF'), u32(1), Buffer.alloc(64)]),
      'LIMR_UNSUPPORTED',
      'version 1',
      'Versions 2 and 3',
    ],
    [
      'version 4',
      Buffer.concat([Buffer.from('GGUF'), u32(4), Buffer.alloc(64)]),
      'LIMR_UNSUPPORTED',
      'version 4',
      'Versions 2 and 3',
    ],
  ];
  it.each(cases)('%s', async (_, bytes, code, message, hint) => {
    const error = await refusal(bytes);
    expect(error.code).toBe(code);
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });

  it('that are not there, and folders', async () => {
    const out = join(folder, 'out');
    await expect(importGguf(join(folder, 'none.gguf'), out)).rejects.toMatchObject({
      code: 'LIMR_IO',
      hint: 'Check the path.',
    });
    await expect(importGguf(folder, out)).rejects.toMatchObject({ code: 'LIMR_IO' });
  });
});

describe('what this engine does not implement', () => {
  const scalar = (value: number): Value => ({ u32: value });
  const cases: readonly (readonly [string, Record<string, Value | undefined>, string])[] = [
    [
      'an architecture',
      { 'general.architecture': { text: 'gemma3' } },
      '"general.architecture" is "gemma3"; supported is llama, qwen2, qwen3',
    ],
    ['an adapter', { 'general.type': { text: 'adapter' } }, '"general.type" is "adapter"'],
    ['a part of a file', { 'split.count': scalar(3) }, '"split.count" is 3'],
    ['experts', { 'llama.expert_count': scalar(8) }, '"llama.expert_count" is 8'],
    ['a window', { 'llama.attention.sliding_window': scalar(4096) }, 'sliding_window" is 4096'],
    ['a cap of logits', { 'llama.final_logit_softcapping': { f32: 30 } }, 'final_logit_softcapping" is 30'],
    ['scaled logits', { 'llama.logit_scale': { f32: 0.25 } }, 'logit_scale" is 0.25'],
    ['a stretched context', { 'llama.rope.scaling.type': { text: 'yarn' } }, 'rope.scaling.type" is "yarn"'],
    ['a linear one', { 'llama.rope.scaling.factor': { f32: 4 } }, 'rope.scaling.factor" is 4'],
    [
      'partial RoPE',
      { 'llama.rope.dimension_count': scalar(8), 'llama.attention.key_length': scalar(16) },
      "the head's length 16",
    ],
    [
      'a key of tomorrow',
      { 'llama.attention.twist': { f32: 1 } },
      '"llama.attention.twist" is 1; supported is its absence',
    ],
    ['heads that differ', { 'llama.attention.head_count': { i32s: [1, 2] } }, 'one value for all layers'],
    ['a tokenizer', { 'tokenizer.ggml.model': { text: 'bert' } }, '"tokenizer.ggml.model" is "bert"'],
    ['a cut of text', { 'tokenizer.ggml.pre': { text: 'tekken' } }, '"tokenizer.ggml.pre" is "tekken"'],
    ['a key of the tokenizer', { 'tokenizer.ggml.twist': { flag: true } }, '"tokenizer.ggml.twist" is true'],
    [
      'unigrams',
      {
        'tokenizer.ggml.model': { text: 'llama' },
        'tokenizer.ggml.scores': { f32s: Array.from({ length: 260 }, (_, i) => -i / 3) },
      },
      'the ranks of a SentencePiece BPE model',
    ],
  ];
  it.each(cases)('%s', async (_, metadata, message) => {
    const error = await refusal(changed(metadata));
    expect(error.code).toBe('LIMR_UNSUPPORTED');
    expect(error.message).toContain(message);
    expect(error.hint).not.toBe('');
  });

  it('a quantisation, by name', async () => {
    const as = (type: number) =>
      withTensors((all) => all.map((t) => (t.name === 'blk.0.ffn_up.weight' ? { ...t, type } : t)));
    const error = await refusal(as(20));
    expect(error).toMatchObject({ code: 'LIMR_UNSUPPORTED', hint: expect.stringContaining('Q4_K, Q5_K, Q6_K') });
    expect(error.message).toContain('tensor blk.0.ffn_up.weight is of IQ4_NL (type 20)');
    expect((await refusal(as(99))).message).toContain('an unknown type (type 99)');
  });

  it('frequencies scaled in another way', async () => {
    const factors = {
      name: 'rope_freqs.weight',
      shape: [8],
      type: 0,
      data: Buffer.concat(Array.from({ length: 8 }, (_, i) => f32(1 + i))),
    };
    const error = await refusal(withTensors((all) => [...all, factors]));
    expect(error).toMatchObject({ code: 'LIMR_UNSUPPORTED' });
    expect(error.message).toContain('rope_freqs.weight');
  });
});

describe('metadata and tensors that disagree', () => {
  const cases: readonly (readonly [string, () => Buffer, string])[] = [
    ['no layers', () => changed({ 'llama.block_count': undefined }), '"llama.block_count" is missing'],
    [
      'a text for a number',
      () => changed({ 'llama.block_count': { text: 'one' } }),
      'is "one", expected a whole number',
    ],
    ['more layers', () => changed({ 'llama.block_count': { u32: 2 } }), 'there is no tensor blk.1.attn_norm.weight'],
    [
      'fewer layers',
      () => changed({ 'llama.block_count': { u32: 0 } }),
      'tensor blk.0.attn_norm.weight belongs to no parameter',
    ],
    ['another width', () => changed({ 'llama.feed_forward_length': { u32: 32 } }), 'is [16, 16], expected [32, 16]'],
    [
      'another vocabulary',
      () => changed({ 'llama.vocab_size': { u32: 99 } }),
      'expected 260, the rows of token_embd.weight',
    ],
    ['no embedding', () => withTensors((all) => all.slice(1)), 'there is no tensor token_embd.weight'],
    ['no tokenizer', () => changed({ 'tokenizer.ggml.model': undefined }), '"tokenizer.ggml.model" is missing'],
    ['types for fewer tokens', () => changed({ 'tokenizer.ggml.token_type': { i32s: [1] } }), 'expected 260 types'],
    ['an id that is none', () => changed({ 'tokenizer.ggml.eos_token_id': { u32: 260 } }), 'expected an id below 260'],
    ['a merge of one', () => changed({ 'tokenizer.ggml.merges': { texts: ['he'] } }), 'pairs of tokens'],
    [
      'a list for a text',
      () => changed({ 'tokenizer.ggml.model': { texts: ['gpt2'] } }),
      'is a list of 1, expected a text',
    ],
  ];
  it.each(cases)('%s', async (_, make, message) => {
    const error = await refusal(make());
    expect(error.code).toBe('LIMR_FORMAT');
    expect(error.message).toContain(message);
  });

  it('a token twice', async () => {
    const tokens = tinyLlama().metadata['tokenizer.ggml.tokens'];
    if (tokens === undefined || !('texts' in tokens)) throw new Error('no tokens');
    const error = await refusal(
      changed({ 'tokenizer.ggml.tokens': { texts: tokens.texts.map((t, i) => (i === 258 ? '!' : t)) } }),
    );
    expect(error.message).toContain('each token once, and "!" is also');
  });

  it('weights that are not finite', async () => {
    const broken = tinyLlama(Number.POSITIVE_INFINITY);
    expect(await refusal(ggufBytes(broken))).toMatchObject({ code: 'LIMR_NUMERIC' });
  });
});

describe('the command', () => {
  const write = (model: BuiltModel) => writeFileSync(file, ggufBytes(model));

  it('makes a folder that model info reads', async () => {
    write(tinyLlama(1 + 2 ** -9));
    const out = join(folder, 'out');
    const { code, stdout } = await runCli('model', 'import', file, '--output', out);
    expect(code).toBe(0);
    expect(stdout).toContain('6,000 parameters of llama');
    expect(stdout).toContain('F32 100.0%; rounding to bf16 changed the weights by 1.9e-3 of their norm');
    const info = JSON.parse((await runCli('model', 'info', '--model', out, '--json')).stdout);
    expect(info).toMatchObject({ modelType: 'llama', numParameters: 6000, eosTokenIds: [257] });
  });

  it('says what is missing, given twice or in the way', async () => {
    write(tinyLlama());
    const cases: readonly (readonly [readonly string[], string])[] = [
      [[], 'there is no model to import'],
      [[file], 'there is no place for the model'],
      [[file, '--file', file, '--output', 'x'], 'name the same'],
      [[file, '--output', folder], 'exists'],
      [[file, 'another', '--output', 'x'], 'too many arguments'],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await runCli('model', 'import', ...args);
      expect(stderr).toContain(message);
      expect(code).toBe(2);
    }
  });

  it('is refused by the engine before a weight is written', async () => {
    const model = tinyLlama();
    write({ ...model, metadata: { ...model.metadata, 'llama.attention.layer_norm_rms_epsilon': { f32: 0 } } });
    const { code, stderr } = await runCli('model', 'import', file, '--output', join(folder, 'out'));
    expect(stderr).toContain('rms_norm_eps');
    expect(code).toBe(1);
    expect(readdirSync(folder)).toEqual(['model.gguf']);
  });

  it('leaves nothing behind when it is interrupted', async () => {
    write(tinyLlama());
    const stop = new AbortController();
    stop.abort();
    await expect(importGguf(file, join(folder, 'out'), { signal: stop.signal })).rejects.toMatchObject({
      code: 'LIMR_ABORTED',
    });
    expect(readdirSync(folder)).toEqual(['model.gguf']);
  });
});
