/** The files of models/limr-nano that are data: everything but the weights and the model card. */
import { type PromptSets, promptSets } from './generate.js';
import { tokenizerConfig, tokenizerJson } from './tokenizer.js';

/** What the repository's limr-nano was made with. */
export const nanoSeed = 1;
export const heldoutPerLevel = 120;
export const trainPerLevel = 400;

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
const jsonLines = (rows: readonly object[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

/** Qwen2 with 2.4 million parameters, 4.8 MB in bf16. */
export const modelConfig = {
  architectures: ['Qwen2ForCausalLM'],
  attention_dropout: 0,
  bos_token_id: null,
  eos_token_id: 256,
  hidden_act: 'silu',
  hidden_size: 192,
  initializer_range: 0.06,
  intermediate_size: 512,
  max_position_embeddings: 256,
  max_window_layers: 6,
  model_type: 'qwen2',
  num_attention_heads: 6,
  num_hidden_layers: 6,
  num_key_value_heads: 2,
  pad_token_id: 256,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  sliding_window: null,
  tie_word_embeddings: true,
  torch_dtype: 'bfloat16',
  use_cache: true,
  use_sliding_window: false,
  vocab_size: 288,
} as const;

const generationConfig = { bos_token_id: null, do_sample: true, eos_token_id: 256, pad_token_id: 256, temperature: 1 };

export const nanoPromptSets = (seed: number): PromptSets => promptSets(seed, heldoutPerLevel, trainPerLevel);

/** @returns content by file name */
export function dataFiles(sets: PromptSets): ReadonlyMap<string, string> {
  return new Map([
    ['config.json', json(modelConfig)],
    ['generation_config.json', json(generationConfig)],
    ['tokenizer.json', json(tokenizerJson())],
    ['tokenizer_config.json', json(tokenizerConfig(modelConfig.max_position_embeddings))],
    ['train.jsonl', jsonLines(sets.train)],
    ['heldout.jsonl', jsonLines(sets.heldout)],
  ]);
}
