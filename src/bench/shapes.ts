/** Shapes of models that are measured with random weights: speed does not depend on what the weights are. */
import { didYouMean } from '../did-you-mean.js';
import { LimrError } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import type { ModelShape } from '../plan/time.js';

const qwen2 = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  initializer_range: 0.02,
  max_position_embeddings: 32768,
  rms_norm_eps: 1e-6,
  rope_theta: 1e6,
  tie_word_embeddings: true,
} as const;

/** config.json of each, as published. */
export const shapes = {
  'qwen2.5-0.5b': {
    ...qwen2,
    vocab_size: 151936,
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
  },
  'qwen2.5-1.5b': {
    ...qwen2,
    vocab_size: 151936,
    hidden_size: 1536,
    intermediate_size: 8960,
    num_hidden_layers: 28,
    num_attention_heads: 12,
    num_key_value_heads: 2,
  },
  'smollm2-135m': {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    initializer_range: 0.041666666666666664,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    tie_word_embeddings: true,
    vocab_size: 49152,
    hidden_size: 576,
    intermediate_size: 1536,
    num_hidden_layers: 30,
    num_attention_heads: 9,
    num_key_value_heads: 3,
  },
  'smollm2-360m': {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    initializer_range: 0.02,
    max_position_embeddings: 8192,
    rms_norm_eps: 1e-5,
    rope_theta: 100000,
    tie_word_embeddings: true,
    vocab_size: 49152,
    hidden_size: 960,
    intermediate_size: 2560,
    num_hidden_layers: 32,
    num_attention_heads: 15,
    num_key_value_heads: 5,
  },
  nano: {
    ...qwen2,
    max_position_embeddings: 4096,
    vocab_size: 288,
    hidden_size: 192,
    intermediate_size: 512,
    num_hidden_layers: 6,
    num_attention_heads: 6,
    num_key_value_heads: 2,
  },
} as const satisfies Record<string, JsonObject>;

/** @throws {LimrError} LIMR_USAGE for a name that none has */
export function shapeConfig(name: string): JsonObject {
  if (Object.hasOwn(shapes, name)) return shapes[name as keyof typeof shapes];
  const known = Object.keys(shapes);
  const hint = didYouMean(name, known);
  throw new LimrError(
    'LIMR_USAGE',
    `no shape is called ${JSON.stringify(name)}`,
    hint === '' ? `Known: ${known.join(', ')}.` : hint,
  );
}

/**
 * The sizes in a config.json that the native core has accepted, or will be asked to.
 * @param where the file, for the message
 * @throws {LimrError} LIMR_FORMAT when it is no object
 */
export function modelShape(config: Json, where: string): ModelShape {
  if (!isObject(config)) throw new LimrError('LIMR_FORMAT', `${where} is not an object`);
  const [hiddenSize, heads] = [Number(config.hidden_size), Number(config.num_attention_heads)];
  return {
    layers: Number(config.num_hidden_layers),
    hiddenSize,
    intermediateSize: Number(config.intermediate_size),
    heads,
    kvHeads: Number(config.num_key_value_heads ?? heads),
    headDim: Number(config.head_dim ?? hiddenSize / heads),
    vocabSize: Number(config.vocab_size),
  };
}
