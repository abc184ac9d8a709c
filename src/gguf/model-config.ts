/**
 * config.json of a GGUF model. As in the engine's own reader, every key of the architecture is known: it is used, or it must have a
 * value that changes nothing, or it is an error.
 */
import type { JsonObject } from '../json.js';
import { inconsistent, type TensorInfo } from './header.js';
import type { Metadata } from './metadata.js';
import { ropeScaling } from './rope-scaling.js';

export const architectures = ['llama', 'qwen2', 'qwen3'] as const;
export type Architecture = (typeof architectures)[number];

export interface ModelShape {
  readonly architecture: Architecture;
  readonly layers: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  /** Rows of the embedding. */
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly rmsNormEps: number;
  readonly ropeTheta: number;
  readonly ropeScaling: JsonObject | undefined;
  readonly tiedEmbedding: boolean;
  /** Biases of q, k and v. */
  readonly attentionBias: boolean;
}

const classNames = { llama: 'LlamaForCausalLM', qwen2: 'Qwen2ForCausalLM', qwen3: 'Qwen3ForCausalLM' } as const;

/** Keys of `<architecture>.` that are used. */
const readKeys = new Set([
  'block_count',
  'context_length',
  'embedding_length',
  'feed_forward_length',
  'vocab_size',
  'attention.head_count',
  'attention.head_count_kv',
  'attention.key_length',
  'attention.value_length',
  'attention.layer_norm_rms_epsilon',
  'rope.dimension_count',
  'rope.freq_base',
  // How the file was made, or of use only to the kinds of scaling that are refused.
  'tensor_data_layout',
  'rope.scaling.original_context_length',
  'rope.scaling.finetuned',
]);

/** Keys that may be there with these values alone, under which they change nothing. */
const neutralValues: Readonly<Record<string, readonly (string | number | boolean)[]>> = {
  'rope.scaling.type': ['none'],
  'rope.scaling.factor': [0, 1],
  'rope.scaling.attn_factor': [1],
  'rope.scale_linear': [1],
  expert_count: [0],
  expert_used_count: [0],
  use_parallel_residual: [false],
  logit_scale: [0, 1],
  residual_scale: [0, 1],
  embedding_scale: [0, 1],
  attn_logit_softcapping: [0],
  final_logit_softcapping: [0],
  pooling_type: [0],
  'attention.causal': [true],
  'attention.scale': [0],
  'attention.clamp_kqv': [0],
  'attention.max_alibi_bias': [0],
  'attention.sliding_window': [0],
};

/** @throws {LimrError} LIMR_FORMAT, LIMR_UNSUPPORTED */
export function readModelShape(metadata: Metadata, tensors: ReadonlyMap<string, TensorInfo>): ModelShape {
  checkKind(metadata);
  const architecture = readArchitecture(metadata);
  const key = (name: string) => `${architecture}.${name}`;
  checkKeys(metadata, architecture);
  const heads = metadata.requiredInteger(key('attention.head_count'));
  const hidden = metadata.requiredInteger(key('embedding_length'));
  const headDim = readHeadDim(metadata, architecture, hidden, heads);
  const vocabulary = tensors.get('token_embd.weight')?.shape[0];
  if (vocabulary === undefined) throw inconsistent(metadata.file, 'there is no tensor token_embd.weight');
  const declared = metadata.integer(key('vocab_size'));
  if (declared !== undefined && declared !== vocabulary) {
    throw metadata.malformed(key('vocab_size'), `${vocabulary}, the rows of token_embd.weight`);
  }
  const ropeTheta = metadata.number(key('rope.freq_base')) ?? 10000;
  return {
    architecture,
    layers: metadata.requiredInteger(key('block_count')),
    hidden,
    intermediate: metadata.requiredInteger(key('feed_forward_length')),
    heads,
    keyValueHeads: metadata.integer(key('attention.head_count_kv')) ?? heads,
    headDim,
    vocabulary,
    contextLength: metadata.requiredInteger(key('context_length')),
    rmsNormEps:
      metadata.number(key('attention.layer_norm_rms_epsilon')) ??
      metadata.missing(key('attention.layer_norm_rms_epsilon')),
    ropeTheta,
    ropeScaling: ropeScaling(metadata.file, tensors.get('rope_freqs.weight'), ropeTheta, headDim),
    tiedEmbedding: !tensors.has('output.weight'),
    attentionBias: tensors.has('blk.0.attn_q.bias'),
  };
}

/** @param ids of the tokens that config.json names */
export function configJson(shape: ModelShape, ids: JsonObject): JsonObject {
  const { architecture, headDim, hidden, heads } = shape;
  return {
    architectures: [classNames[architecture]],
    model_type: architecture,
    hidden_size: hidden,
    intermediate_size: shape.intermediate,
    num_hidden_layers: shape.layers,
    num_attention_heads: heads,
    num_key_value_heads: shape.keyValueHeads,
    ...(architecture === 'qwen2' && headDim * heads === hidden ? {} : { head_dim: headDim }),
    vocab_size: shape.vocabulary,
    max_position_embeddings: shape.contextLength,
    rms_norm_eps: shortest(shape.rmsNormEps),
    rope_theta: shortest(shape.ropeTheta),
    ...(shape.ropeScaling === undefined ? {} : { rope_scaling: shape.ropeScaling }),
    ...(architecture === 'qwen2' ? {} : { attention_bias: shape.attentionBias }),
    hidden_act: 'silu',
    tie_word_embeddings: shape.tiedEmbedding,
    initializer_range: 0.02,
    attention_dropout: 0,
    use_cache: true,
    torch_dtype: 'bfloat16',
    ...ids,
  };
}

function checkKind(metadata: Metadata): void {
  const type = metadata.text('general.type');
  if (type !== undefined && type !== 'model') {
    throw metadata.unsupported('general.type', '"model"', 'Name the file of the model itself.');
  }
  if ((metadata.integer('split.count') ?? 1) > 1) {
    const hint = 'Join its parts first: llama-gguf-split --merge FIRST-PART.gguf WHOLE.gguf';
    throw metadata.unsupported('split.count', 'a file that is whole', hint);
  }
}

function readArchitecture(metadata: Metadata): Architecture {
  const name = metadata.text('general.architecture') ?? metadata.missing('general.architecture');
  const known = architectures.find((architecture) => architecture === name);
  if (known !== undefined) return known;
  throw metadata.unsupported('general.architecture', architectures.join(', '));
}

function checkKeys(metadata: Metadata, architecture: Architecture): void {
  const prefix = `${architecture}.`;
  for (const key of metadata.keys().filter((key) => key.startsWith(prefix))) {
    const name = key.slice(prefix.length);
    if (readKeys.has(name)) continue;
    const neutral = Object.hasOwn(neutralValues, name) ? neutralValues[name] : undefined;
    if (neutral === undefined) {
      const hint = 'It may change the mathematics, so it is not ignored; choose another model.';
      throw metadata.unsupported(key, 'its absence', hint);
    }
    const value = metadata.get(key);
    if (!neutral.some((allowed) => allowed === value)) {
      throw metadata.unsupported(key, neutral.map((allowed) => JSON.stringify(allowed)).join(' or '));
    }
  }
}

/** RoPE over the whole head, keys and values of one length, or an error. */
function readHeadDim(metadata: Metadata, architecture: Architecture, hidden: number, heads: number): number {
  const keys = ['attention.key_length', 'attention.value_length', 'rope.dimension_count'].map(
    (k) => `${architecture}.${k}`,
  );
  const given = keys.filter((key) => metadata.has(key)).map((key) => [key, metadata.requiredInteger(key)] as const);
  const headDim = given[0]?.[1] ?? hidden / heads;
  if (!Number.isInteger(headDim)) {
    throw metadata.malformed(`${architecture}.attention.head_count`, `a divisor of the embedding's length ${hidden}`);
  }
  for (const [key, value] of given)
    if (value !== headDim) throw metadata.unsupported(key, `the head's length ${headDim}`);
  return headDim;
}

/** The shortest decimal number that is the same f32: 9.999999747378752e-06 was written as 1e-05. */
function shortest(value: number): number {
  for (let digits = 1; digits <= 9; ++digits) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === Math.fround(value)) return short;
  }
  return value;
}
