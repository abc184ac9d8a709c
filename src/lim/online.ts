/** LIM while a run trains: the scores after an epoch, and what they mean for the next ones. */
import { LimrError } from '../errors.js';
import { highestScores, scoresAtLeast } from './choose.js';
import { findEpochs, trajectoriesOf } from './epochs.js';
import type { StepGroups } from './groups.js';
import { type CourseMethod, type CourseOptions, coursesOf, courseThresholds, trajectoryScores } from './methods.js';

export interface KeepRule {
  readonly method: CourseMethod;
  /** null = the method's. */
  readonly threshold: number | null;
  /** In place of a threshold. */
  readonly count: number | null;
  /** Decimals before the threshold. */
  readonly round: number;
}

/**
 * The scores over the first epochs, as `select` has them from the same samples.
 * @param steps of the run, with the epoch of every sample
 * @param keys N, how many prompts were sampled
 * @param epochs whole ones, at least 1
 * @returns N scores in the order of the keys; NaN = none
 * @throws {LimrError} LIMR_SHAPE when no prompt has a complete trajectory; LIMR_NUMERIC when every prompt is always solved
 */
export function scoresAfter(
  steps: readonly StepGroups[],
  keys: number,
  epochs: number,
  { method, ...options }: CourseOptions & { readonly method: CourseMethod },
): Float64Array {
  const found = findEpochs(steps, { stepsPerEpoch: null, epochs });
  const trajectories = trajectoriesOf(steps, keys, found, options.signal);
  return trajectoryScores(method, trajectories, () => coursesOf(trajectories, options.missing));
}

/**
 * Indices, ascending, of the scores that a rule keeps.
 * @throws {LimrError} LIMR_USAGE when a count asks for more than have a score
 */
export function keptScores(scores: Float64Array, { method, threshold, count, round }: KeepRule): Int32Array {
  return count === null
    ? scoresAtLeast(scores, threshold ?? courseThresholds[method], round)
    : highestScores(scores, count);
}

/**
 * Weights in proportion to scores, with mean 1 over all prompts:
 *   w_i = N max(0, s_i) / sum_j max(0, s_j)
 * A score of 0 or less, and none, weigh 0. Ours: the paper selects, and does not weight.
 * @param scores N; NaN = none
 * @throws {LimrError} LIMR_NUMERIC when no score is above 0
 */
export function scoreWeights(scores: Float64Array): Float64Array {
  const positive = scores.map((score) => (score > 0 ? score : 0));
  const sum = positive.reduce((total, score) => total + score, 0);
  if (!(sum > 0)) throw new LimrError('LIMR_NUMERIC', 'no prompt has a score above 0');
  return positive.map((score) => (score * scores.length) / sum);
}

/** How many prompts of weight 1 tell as much, (sum w)^2 / sum w^2: Kish 1965, "Survey Sampling". */
export function effectiveCount(weights: Float64Array): number {
  const [sum, squares] = weights.reduce(([a, b], w) => [a + w, b + w * w] as const, [0, 0] as readonly [
    number,
    number,
  ]);
  return sum ** 2 / squares;
}
