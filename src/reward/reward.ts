import { LimrError } from '../errors.js';
import type { StopReason } from '../native.js';

/** One finished sample, as a reward sees it. */
export interface RewardSample {
  /** The prompt's text in the data set: no chat template, no system message. */
  readonly prompt: string;
  /** The prompt's id in the data set. */
  readonly promptId: string;
  /** Index of the prompt in the data set, of this sample among the prompt's samples, of the rollout in the run. */
  readonly row: number;
  readonly sample: number;
  readonly rollout: number;
  /** The response decoded without special tokens. */
  readonly response: string;
  /** What the model read and wrote, decoded with special tokens: templated prompt, response, end-of-text token if any. */
  readonly fullText: string;
  /** The gold answer of the data set. */
  readonly answer: string;
  /** The response's tokens [T], with the end-of-text token if any, and their log-probs under the sampler [T]. */
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly stopReason: StopReason;
}

/** `Reason` is a closed set of words, to be counted and matched on. */
export interface RewardResult<Reason extends string = string> {
  /** Finite; what the estimators see, before KL. */
  readonly reward: number;
  /** Whether the final answer counts as right. */
  readonly correct: boolean;
  /** Whether the response has the form that the reward asks for, so that its answer was looked at. */
  readonly wellFormed: boolean;
  readonly reason: Reason;
  /** The answer that was extracted, not trimmed; null when none was. */
  readonly answer: string | null;
  /** What the comparator said about answer and gold; empty when they were not compared. */
  readonly detail: string;
}

/**
 * A reward: one result a sample, in input order. Pure: the same sample gets the same result whatever stands beside it, and
 * whenever it is asked.
 */
export interface Reward<Reason extends string = string> {
  /** What graded, for the run's record, e.g. "limr-rule/plain/exact". */
  readonly name: string;
  score(samples: readonly RewardSample[]): readonly RewardResult<Reason>[] | Promise<readonly RewardResult<Reason>[]>;
}

/**
 * Rewards of a batch, checked: a reward that loses samples or returns NaN is stopped here instead of training on it.
 * @throws {LimrError} LIMR_SHAPE when the number of results differs; LIMR_NUMERIC when a reward is not finite
 */
export async function scoreSamples(reward: Reward, samples: readonly RewardSample[]): Promise<readonly RewardResult[]> {
  const results = await reward.score(samples);
  if (results.length !== samples.length) {
    throw new LimrError(
      'LIMR_SHAPE',
      `reward ${reward.name} returned ${results.length} results for ${samples.length} samples`,
      'A reward returns one result a sample, in input order.',
    );
  }
  results.forEach((result, index) => {
    if (Number.isFinite(result.reward)) return;
    const { promptId, sample } = samples[index]!;
    throw new LimrError(
      'LIMR_NUMERIC',
      `reward ${reward.name} gave ${result.reward} to sample ${sample} of prompt ${promptId}`,
      'A reward is a finite number; map failures to one.',
    );
  });
  return results;
}
