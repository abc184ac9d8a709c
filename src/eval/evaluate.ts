/** Evaluation of a model on prompts with reference answers. */
import type { TokenizedPrompt } from '../dataset/asking.js';
import type { Model } from '../engine/model.js';
import type { SamplingOptions } from '../engine/sampling.js';
import type { Reward } from '../reward/reward.js';
import type { EvaluationSummary } from './accuracy.js';
import {
  type GradedSample,
  groupByPrompt,
  type SamplingProgress,
  sampleAndGrade,
  summarizeSamples,
} from './graded-samples.js';

/** How an evaluation samples. */
export interface EvaluateOptions extends SamplingOptions {
  /** Told whenever a sample ends or is graded. */
  readonly onProgress?: (progress: SamplingProgress) => void;
}

/** Every sample of an evaluation, and what they come to. */
export interface Evaluation {
  readonly summary: EvaluationSummary;
  /** [prompt][sample], in the order of the prompts. */
  readonly samples: readonly (readonly GradedSample[])[];
}

/**
 * Samples, grades while others decode, sums up.
 * @param model with its tokenizer
 * @param options sampling; greedy (temperature 0) unless told otherwise
 * @throws {LimrError} LIMR_STATE without a tokenizer; what sampling and the reward throw
 */
export async function evaluate(
  model: Model,
  prompts: readonly TokenizedPrompt[],
  reward: Reward,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const sampling = model.samplingConfig({ temperature: 0, ...options });
  const { samples } = await sampleAndGrade({
    actor: model.port(),
    prompts: prompts.map((prompt, row) => ({ prompt, row, key: row })),
    sampling,
    reward,
    text: model.tokenizerFor('an evaluation'),
    signal: options.signal,
    onProgress: options.onProgress ?? (() => {}),
  });
  const { samplesPerPrompt } = sampling;
  return {
    summary: summarizeSamples(samples, samplesPerPrompt),
    samples: groupByPrompt(samples, samplesPerPrompt),
  };
}
