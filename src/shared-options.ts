/** Options that several verbs have, so that one word means one thing. */
import { optionGroup } from './option-group.js';

const texts = optionGroup('Prompts');
const sampling = optionGroup('Sampling');
const optimizer = optionGroup('Optimizer');
const batch = optionGroup('Batches', { free: true });

export const askingOptions = {
  applyChatTemplate: texts.choice(
    'auto',
    ['auto', 'on', 'off'],
    "put prompts into the model's chat template; auto = when it has one",
  ),
  systemPrompt: texts.text(
    'message',
    '',
    'system message of the chat template, where the data have none; none when empty',
  ),
  inputTemplate: texts.text(
    'template',
    '',
    "text around the question, such as 'Question: {}'; within the user's turn where there is a chat template",
    /^$|^(?!.*\{\}.*\{\}).*\{\}/s,
    'a text with one {} where the question goes',
  ),
} as const;

export const samplerOptions = {
  topP: sampling.number(1, { max: 1, exclusiveMin: true }, 'nucleus of this probability; 1 = off'),
  topK: sampling.integer(0, {}, 'the k likeliest tokens only; 0 = off'),
  minP: sampling.number(0, { max: 1 }, "tokens of at least this share of the likeliest one's probability; 0 = off"),
  stop: sampling.texts('ending', 'text that ends a sample, which keeps it; may be given more than once'),
  maxBatch: sampling.integer(64, { min: 1, free: true }, 'sequences decoded at once, at most'),
  prefillChunk: sampling.integer(512, { min: 1, free: true }, 'prompt tokens a prefill step, at most'),
  kvCacheBytes: sampling.integer(0, { free: true }, 'bytes of the KV cache; 0 = what --max-batch sequences can need'),
} as const;

export const optimizerOptions = {
  lrWarmupSteps: optimizer.integer(10, {}, 'optimizer steps of linear warm-up'),
  minLrRatio: optimizer.number(0.1, { max: 1 }, 'floor of the cosine, as a share of the peak; 1 = constant'),
  adamBeta1: optimizer.number(0.9, { max: 0.999999 }, "decay of AdamW's first moment"),
  adamBeta2: optimizer.number(0.95, { max: 0.999999 }, "decay of AdamW's second moment"),
  adamEps: optimizer.number(1e-8, { exclusiveMin: true }, "AdamW's epsilon"),
  l2: optimizer.number(0, {}, 'decoupled weight decay of matrices'),
  maxNorm: optimizer.number(1, {}, 'global gradient norm at which gradients are clipped; 0 = off'),
  maxSkippedSteps: optimizer.integer(
    3,
    { min: 1 },
    'optimizer steps in a row with non-finite numbers that end the run',
  ),
  optimizerMoments: optimizer.choice(
    'f32',
    ['f32', 'bf16', '8bit'],
    'how AdamW keeps its two moments; less than f32 needs a GPU, changes the numbers a little, and saves memory',
  ),
  gradientCheckpointing: batch.boolean(true, "recompute a layer's activations in backward: less memory, more time"),
} as const;
