/** Everything that fine-tuning can be told; OpenRLHF's names where it has one. */
import { LimrError } from '../errors.js';
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';

const data = optionGroup('Data');
const batch = optionGroup('Batches');
const optimizer = optionGroup('Optimizer');
const evaluation = optionGroup('Evaluation');

export const sftOptions = {
  inputKey: data.text('prompt', 'field of the prompt'),
  outputKey: data.text('response', 'field of the response'),
  applyChatTemplate: data.choice(
    'auto',
    ['auto', 'on', 'off'],
    "put prompts into the model's chat template; auto = when it has one",
  ),
  systemPrompt: data.text('', 'system message of the chat template; none when empty'),
  trainOnPrompt: data.boolean(false, 'count the loss of prompt tokens too'),
  maxLen: data.integer(null, { min: 2 }, "tokens of an example, at most; null = the model's context"),
  longExamples: data.choice('error', ['error', 'drop'], 'what becomes of a longer example'),

  seed: batch.integer(42, { max: 0xffffffff }, 'seed of the order of examples and of the held-out share'),
  maxEpochs: batch.integer(1, { min: 1 }, 'passes over the examples'),
  maxSteps: batch.integer(
    null,
    { min: 1 },
    'optimizer steps, however many passes that takes; null = those of maxEpochs',
  ),
  trainBatchSize: batch.integer(128, { min: 1 }, 'examples an optimizer step'),
  microTrainBatchSize: batch.integer(1024, { min: 1 }, 'sequences a micro-batch, at most'),
  microTrainMaxTokens: batch.integer(4096, { min: 2 }, 'packed tokens a micro-batch, at most'),
  gradientCheckpointing: batch.boolean(true, "recompute a layer's activations in backward: less memory, more time"),

  learningRate: optimizer.number(1e-5, {}, 'peak learning rate'),
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

  heldoutShare: evaluation.number(
    0.01,
    { max: 0.5 },
    'share of the examples, at most 1000, that is kept for the held-out loss',
  ),
  evalSteps: evaluation.integer(100, {}, 'optimizer steps between held-out losses; 0 = only before and after'),
} as const;

export type SftConfig = OptionValues<typeof sftOptions>;

/** @throws {LimrError} LIMR_USAGE for settings that contradict each other, or the model's context */
export function checkSftConfig(config: SftConfig, context: number): void {
  const maxLen = config.maxLen ?? context;
  if (maxLen > context) {
    throw new LimrError('LIMR_USAGE', `maxLen is ${maxLen}, and the model's context is ${context}`, 'Lower --max-len.');
  }
  if (config.maxLen !== null && config.microTrainMaxTokens < config.maxLen) {
    throw new LimrError(
      'LIMR_USAGE',
      `microTrainMaxTokens is ${config.microTrainMaxTokens}, and an example may have ${config.maxLen} tokens (maxLen)`,
      `Set --micro-train-max-tokens to ${config.maxLen} or more: an example is never split.`,
    );
  }
}
