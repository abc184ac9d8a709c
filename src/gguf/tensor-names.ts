/** The tensors of a model by both of their names: Hugging Face's and GGUF's. */
import { type GgufHeader, inconsistent, type TensorInfo } from './header.js';
import type { ModelShape } from './model-config.js';

export interface ModelTensor {
  /** As Hugging Face calls it: "model.layers.0.self_attn.q_proj.weight". */
  readonly name: string;
  readonly shape: readonly number[];
  readonly source: TensorInfo;
  /**
   * Rows of a head, where GGUF's rows are permuted within each head: llama.cpp turns neighbouring pairs for "llama", Hugging Face the
   * two halves. 0 = they are not.
   */
  readonly permutedHead: number;
}

/** Tensors that are no weights: the factors are read by rope-scaling.ts, the frequencies follow from theta. */
const constants = /^(rope_freqs\.weight|blk\.\d+\.attn_rot_embd(\.weight)?)$/;

/**
 * All tensors of a model, in its order.
 * @throws {LimrError} LIMR_FORMAT when one is missing, has another shape, or belongs to no parameter
 */
export function modelTensors(header: GgufHeader, shape: ModelShape): ModelTensor[] {
  const { hidden, intermediate, headDim, vocabulary } = shape;
  const [q, kv] = [shape.heads * headDim, shape.keyValueHeads * headDim];
  const permuted = shape.architecture === 'llama' ? headDim : 0;
  const tensors: ModelTensor[] = [];
  const add = (name: string, gguf: string, size: readonly number[], permutedHead = 0) => {
    const source = header.tensors.get(gguf);
    if (source === undefined) throw inconsistent(header.file, `there is no tensor ${gguf}`);
    if (source.shape.join() !== size.join()) {
      throw inconsistent(header.file, `tensor ${gguf} is [${source.shape.join(', ')}], expected [${size.join(', ')}]`);
    }
    tensors.push({ name, shape: size, source, permutedHead });
  };
  add('model.embed_tokens.weight', 'token_embd.weight', [vocabulary, hidden]);
  for (let layer = 0; layer < shape.layers; ++layer) {
    const [to, from] = [`model.layers.${layer}`, `blk.${layer}`];
    add(`${to}.input_layernorm.weight`, `${from}.attn_norm.weight`, [hidden]);
    add(`${to}.self_attn.q_proj.weight`, `${from}.attn_q.weight`, [q, hidden], permuted);
    add(`${to}.self_attn.k_proj.weight`, `${from}.attn_k.weight`, [kv, hidden], permuted);
    add(`${to}.self_attn.v_proj.weight`, `${from}.attn_v.weight`, [kv, hidden]);
    if (shape.attentionBias || shape.architecture === 'qwen2') {
      add(`${to}.self_attn.q_proj.bias`, `${from}.attn_q.bias`, [q], permuted);
      add(`${to}.self_attn.k_proj.bias`, `${from}.attn_k.bias`, [kv], permuted);
      add(`${to}.self_attn.v_proj.bias`, `${from}.attn_v.bias`, [kv]);
    }
    if (shape.architecture === 'qwen3') {
      add(`${to}.self_attn.q_norm.weight`, `${from}.attn_q_norm.weight`, [headDim]);
      add(`${to}.self_attn.k_norm.weight`, `${from}.attn_k_norm.weight`, [headDim]);
    }
    add(`${to}.self_attn.o_proj.weight`, `${from}.attn_output.weight`, [hidden, q]);
    if (shape.attentionBias && shape.architecture !== 'qwen2') {
      add(`${to}.self_attn.o_proj.bias`, `${from}.attn_output.bias`, [hidden]);
    }
    add(`${to}.post_attention_layernorm.weight`, `${from}.ffn_norm.weight`, [hidden]);
    add(`${to}.mlp.gate_proj.weight`, `${from}.ffn_gate.weight`, [intermediate, hidden]);
    add(`${to}.mlp.up_proj.weight`, `${from}.ffn_up.weight`, [intermediate, hidden]);
    add(`${to}.mlp.down_proj.weight`, `${from}.ffn_down.weight`, [hidden, intermediate]);
  }
  add('model.norm.weight', 'output_norm.weight', [hidden]);
  if (!shape.tiedEmbedding) add('lm_head.weight', 'output.weight', [vocabulary, hidden]);

  const taken = new Set(tensors.map(({ source }) => source.name));
  const left = [...header.tensors.keys()].find((name) => !taken.has(name) && !constants.test(name));
  if (left === undefined) return tensors;
  throw inconsistent(header.file, `tensor ${left} belongs to no parameter of a ${shape.architecture} model`);
}
