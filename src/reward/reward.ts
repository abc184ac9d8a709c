import { LimrError } from '../errors.js';
import type { StopReason } from '../native.js';

/** One finished sample, as a reward sees it. */
export interface RewardSample {
  /** The prompt's text in the data set: no chat template, no system message. */
  readonly prompt: string;
  /** The prompt's id in the data set. */
  readonly promptId: string;
  /** The prompt's row of the data set, with whatever further fields it has. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Index of the prompt in the data set, of this sample among the prompt's samples, of the rollout in the run. */
  readonly row: number;
  readonly sample: number;
  readonly rollout: number;
  /** What the model read, decoded with special tokens: the templated prompt. */
  readonly promptText: string;
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
  /** What `reward` is the sum of, by name, where it has parts. */
  readonly parts?: Readonly<Record<string, number>>;
  /** Milliseconds that grading took: a clock's word, so it decides nothing and is kept out of metrics. */
  readonly ms?: number;
}

/**
 * A reward: one result a sample, in input order. The samples of one prompt are graded in one call, whole; but for what is
 * relative to that group, the same sample gets the same result whatever stands beside it, and whenever it is asked.
 */
export interface Reward<Reason extends string = string> {
  /** What graded, for the run's record, e.g. "limr-rule/plain/standard". */
  readonly name: string;
  /**
   * Rewards of samples, in their order.
   * @param signal aborted when nobody waits for the results any more
   */
  score(
    samples: readonly RewardSample[],
    signal?: AbortSignal,
  ): readonly RewardResult<Reason>[] | Promise<readonly RewardResult<Reason>[]>;
  /** Gives threads and connections back; without it there are none. */
  close?(): Promise<void>;
}

/** "sample 3 of prompt p0", for messages. */
export const sampleName = ({ promptId, sample }: Pick<RewardSample, 'promptId' | 'sample'>): string =>
  `sample ${sample} of prompt ${promptId}`;

/**
 * Rewards of a batch, checked: a reward that loses samples or returns NaN is stopped here instead of training on it.
 * @throws {LimrError} LIMR_SHAPE when the number of results differs; LIMR_NUMERIC when a reward is not finite
 */
export async function scoreSamples(
  reward: Reward,
  samples: readonly RewardSample[],
  signal?: AbortSignal,
): Promise<readonly RewardResult[]> {
  const results = await reward.score(samples, signal);
  if (results.length !== samples.length) {
    throw new LimrError(
      'LIMR_SHAPE',
      `reward ${reward.name} returned ${results.length} results for ${samples.length} samples`,
      'A reward returns one result a sample, in input order.',
    );
  }
  results.forEach((result, index) => {
    if (Number.isFinite(result.reward)) return;
    throw new LimrError(
      'LIMR_NUMERIC',
      `reward ${reward.name} gave ${result.reward} to ${sampleName(samples[index]!)}`,
      'A reward is a finite number; map failures to one.',
    );
  });
  return results;
}
