/** Everything that fine-tuning can be told; OpenRLHF's names where it has one. */
import { LimrError } from '../errors.js';
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { askingOptions, optimizerOptions } from '../shared-options.js';

const data = optionGroup('Data');
const batch = optionGroup('Batches');
const optimizer = optionGroup('Optimizer');
const evaluation = optionGroup('Evaluation');

/** The options of fine-tuning: name, type, default, range, meaning. */
export const sftOptions = {
  inputKey: data.text('field', 'prompt', 'field of the prompt'),
  outputKey: data.text('field', 'response', 'field of the response'),
  ...askingOptions,
  trainOnPrompt: data.boolean(false, 'count the loss of prompt tokens too'),
  maxLen: data.integer(null, { min: 2 }, "tokens of an example, at most; null = the model's context"),
  longExamples: data.choice('error', ['error', 'drop'], 'what becomes of a longer example'),

  seed: batch.integer(42, { max: 0xffffffff }, 'seed of the order of examples and of the held-out share'),
  maxEpochs: batch.integer(1, { min: 1 }, 'passes over the examples'),
  maxSteps: batch.integer(
    null,
    { min: 1 },
    'optimizer steps, however many passes that takes; null = those of --max-epochs',
  ),
  trainBatchSize: batch.integer(128, { min: 1 }, 'examples an optimizer step'),
  microTrainBatchSize: batch.integer(1024, { min: 1 }, 'sequences a micro-batch, at most'),
  microTrainMaxTokens: batch.integer(4096, { min: 2 }, 'packed tokens a micro-batch, at most'),

  learningRate: optimizer.number(1e-5, {}, 'peak learning rate'),
  ...optimizerOptions,

  heldoutShare: evaluation.number(
    0.01,
    { max: 0.5 },
    'share of the examples, at most 1000, that is kept for the held-out loss',
  ),
  evalSteps: evaluation.integer(100, {}, 'optimizer steps between held-out losses; 0 = only before and after'),
} as const;

/** A complete fine-tuning configuration; each field is described in `sft --help`. */
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
