/** GGUF files for tests, byte by byte: whole ones of a tiny llama, and such as no converter writes. */
import { writeFileSync } from 'node:fs';
import { byteOfCharacter } from '../../src/tokenizer/token-bytes.js';

/** A metadata value with its type's number; lists are of one type. */
export type Value =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly flag: boolean }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly i32s: readonly number[] }
  | { readonly f32s: readonly number[] }
  | { readonly raw: Buffer };

export interface BuiltTensor {
  readonly name: string;
  /** Slowest first. */
  readonly shape: readonly number[];
  readonly type: number;
  readonly data: Buffer;
}

export interface BuiltModel {
  readonly metadata: Readonly<Record<string, Value | undefined>>;
  readonly tensors: readonly BuiltTensor[];
}

export const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
export const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
export const f32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};
const i32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
};
export const text = (value: string): Buffer => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
};
const list = (type: number, items: readonly Buffer[]): Buffer =>
  Buffer.concat([u32(9), u32(type), u64(items.length), ...items]);

function valueBytes(value: Value): Buffer {
  if ('u32' in value) return Buffer.concat([u32(4), u32(value.u32)]);
  if ('f32' in value) return Buffer.concat([u32(6), f32(value.f32)]);
  if ('flag' in value) return Buffer.concat([u32(7), Buffer.from([Number(value.flag)])]);
  if ('text' in value) return Buffer.concat([u32(8), text(value.text)]);
  if ('texts' in value) return list(8, value.texts.map(text));
  if ('i32s' in value) return list(5, value.i32s.map(i32));
  if ('f32s' in value) return list(6, value.f32s.map(f32));
  return value.raw;
}

const alignment = 32;
const padded = (bytes: Buffer): Buffer =>
  Buffer.concat([bytes, Buffer.alloc((alignment - (bytes.length % alignment)) % alignment)]);

export function ggufBytes({ metadata, tensors }: BuiltModel, version = 3): Buffer {
  const keys = Object.entries(metadata).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
  let offset = 0;
  const infos = tensors.map(({ name, shape, type, data }) => {
    const dimensions = [...shape].reverse().map(u64);
    const info = Buffer.concat([text(name), u32(shape.length), ...dimensions, u32(type), u64(offset)]);
    offset += padded(data).length;
    return info;
  });
  const head = [Buffer.from('GGUF'), u32(version), u64(tensors.length), u64(keys.length)];
  const body = keys.flatMap(([key, value]) => [text(key), valueBytes(value)]);
  return Buffer.concat([
    padded(Buffer.concat([...head, ...body, ...infos])),
    ...tensors.map(({ data }) => padded(data)),
  ]);
}

export function writeGguf(file: string, model: BuiltModel): void {
  writeFileSync(file, ggufBytes(model));
}

const [hidden, intermediate, rows] = [16, 16, 260];

/** One layer, all weights F32 of `weight`. */
export function tinyLlama(weight = 0.5): BuiltModel {
  const tensor = (name: string, ...shape: number[]): BuiltTensor => {
    const length = shape.reduce((product, size) => product * size, 1);
    return { name, shape, type: 0, data: Buffer.concat(Array.from({ length }, () => f32(weight))) };
  };
  const tokens = [...byteOfCharacter.keys(), '<s>', '</s>', 'he', '[PAD259]'];
  const types = tokens.map((_, id) => (id === 256 || id === 257 ? 3 : id === 259 ? 5 : 1));
  return {
    metadata: {
      'general.architecture': { text: 'llama' },
      'llama.block_count': { u32: 1 },
      'llama.context_length': { u32: 64 },
      'llama.embedding_length': { u32: hidden },
      'llama.feed_forward_length': { u32: intermediate },
      'llama.attention.head_count': { u32: 1 },
      'llama.attention.layer_norm_rms_epsilon': { f32: 1e-5 },
      'llama.rope.dimension_count': { u32: hidden },
      'tokenizer.ggml.model': { text: 'gpt2' },
      'tokenizer.ggml.pre': { text: 'gpt-2' },
      'tokenizer.ggml.tokens': { texts: tokens },
      'tokenizer.ggml.token_type': { i32s: types },
      'tokenizer.ggml.merges': { texts: ['h e'] },
      'tokenizer.ggml.bos_token_id': { u32: 256 },
      'tokenizer.ggml.eos_token_id': { u32: 257 },
    },
    tensors: [
      tensor('token_embd.weight', rows, hidden),
      tensor('blk.0.attn_norm.weight', hidden),
      tensor('blk.0.attn_q.weight', hidden, hidden),
      tensor('blk.0.attn_k.weight', hidden, hidden),
      tensor('blk.0.attn_v.weight', hidden, hidden),
      tensor('blk.0.attn_output.weight', hidden, hidden),
      tensor('blk.0.ffn_norm.weight', hidden),
      tensor('blk.0.ffn_gate.weight', intermediate, hidden),
      tensor('blk.0.ffn_up.weight', intermediate, hidden),
      tensor('blk.0.ffn_down.weight', hidden, intermediate),
      tensor('output_norm.weight', hidden),
    ],
  };
}
