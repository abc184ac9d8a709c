/**
 * Metrics of a rollout. Every sum is f64 and runs in canonical order, so no micro-batch size, thread or arrival order
 * shows. Names are those of metrics.jsonl; a value that is not defined (0/0) is null.
 */
import { actionLength, numActions, numSamples, type RolloutBuffer } from './buffer.js';
import type { Experience } from './experience.js';

export type Metrics = Readonly<Record<string, number | null>>;

/** The value, null when it is not defined: JSON has no NaN. */
export const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** a / b, null when that is not defined. */
export const ratio = (a: number, b: number): number | null => finite(a / b);

/** Mean of [N] values over all actions. */
function actionMean(buffer: RolloutBuffer, values: Float32Array): number {
  let sum = 0;
  for (let s = 0; s < numSamples(buffer); ++s)
    for (let i = buffer.starts[s]!; i < buffer.ends[s]!; ++i) sum += values[i]!;
  return sum / numActions(buffer);
}

const total = (values: ArrayLike<number>): number => Array.prototype.reduce.call(values, (a, b) => a + b, 0) as number;

/** What sampling and grading show. */
export function rolloutMetrics(buffer: RolloutBuffer): Metrics {
  const count = numSamples(buffer);
  const [correct, wellFormed] = [total(buffer.correct), total(buffer.wellFormed)];
  const correctWellFormed = total(buffer.correct.map((c, s) => c & buffer.wellFormed[s]!));
  return {
    'reward/mean': ratio(total(buffer.scores), count),
    'reward/accuracy': ratio(correct, count),
    'reward/well_formed': ratio(wellFormed, count),
    'reward/accuracy_well_formed': ratio(correctWellFormed, wellFormed),
    'length/mean': ratio(numActions(buffer), count),
    'length/max': Array.from(buffer.starts, (_, s) => actionLength(buffer, s)).reduce((a, b) => Math.max(a, b), 0),
    'length/truncated': ratio(total(buffer.truncated), count),
    'group/zero_std': zeroSpreadShare(buffer),
  };
}

/** Share of prompts whose samples all got the same reward, and so teach nothing to the estimators that compare them. */
function zeroSpreadShare({ scores, groupSize }: RolloutBuffer): number | null {
  let flat = 0;
  for (let first = 0; first < scores.length; first += groupSize)
    if (scores.subarray(first, first + groupSize).every((score) => score === scores[first])) ++flat;
  return ratio(flat * groupSize, scores.length);
}

/** What scoring shows: KL, values, returns. */
export function experienceMetrics(buffer: RolloutBuffer, experience: Experience, klCoef: number): Metrics {
  const { kl, values, returns } = experience;
  return {
    ...(kl === null ? {} : { 'kl/mean': actionMean(buffer, kl), 'kl/coef': klCoef }),
    'return/mean': actionMean(buffer, returns),
    ...(values === null
      ? {}
      : {
          'value/mean': actionMean(buffer, values),
          'value/explained_variance': explainedVariance(buffer, values, returns),
        }),
  };
}

/**
 * 1 - Var(returns - values) / Var(returns) over all actions, population variances; null when the returns do not vary.
 */
export function explainedVariance(buffer: RolloutBuffer, values: Float32Array, returns: Float32Array): number | null {
  const errors = returns.map((r, i) => r - values[i]!);
  const variance = (of: Float32Array): number => {
    const mean = actionMean(buffer, of);
    let squares = 0;
    for (let s = 0; s < numSamples(buffer); ++s)
      for (let i = buffer.starts[s]!; i < buffer.ends[s]!; ++i) squares += (of[i]! - mean) ** 2;
    return squares;
  };
  const unexplained = ratio(variance(errors), variance(returns));
  return unexplained === null ? null : 1 - unexplained;
}
