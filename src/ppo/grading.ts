/** What grading a rollout showed beside the rewards themselves. */
import type { GradedSample } from '../eval/graded-samples.js';
import { finite, type Metrics } from './metrics.js';

/** Means of a reward's parts over samples: reward/part/<name>; none when rewards have no parts. */
export function partMetrics(samples: readonly GradedSample[]): Metrics {
  const names = Object.keys(samples[0]?.grade.parts ?? {});
  return Object.fromEntries(
    names.map((name) => {
      const sum = samples.reduce((total, { grade }) => total + (grade.parts?.[name] ?? Number.NaN), 0);
      return [`reward/part/${name}`, finite(sum / samples.length)] as const;
    }),
  );
}

/**
 * Milliseconds of grading, for timings.jsonl: mean, 99th percentile, maximum, and the sum in seconds; nothing when the reward does
 * not tell.
 */
export function gradingTimings(samples: readonly GradedSample[]): Record<string, number> {
  const times = samples.flatMap(({ grade: { ms } }) => (ms === undefined ? [] : [ms])).sort((a, b) => a - b);
  if (times.length === 0) return {};
  const sum = times.reduce((total, ms) => total + ms, 0);
  return {
    'seconds/grading': sum / 1000,
    'grading/mean_ms': sum / times.length,
    'grading/p99_ms': times[Math.ceil(0.99 * times.length) - 1]!,
    'grading/max_ms': times.at(-1)!,
  };
}

/** Rollouts at the beginning of a run in which equal rewards are worth a warning. */
const watchedRollouts = 3;

/**
 * The only reward of a whole rollout, in the first rollouts of a run; undefined when there are several. Such a rollout teaches
 * nothing about answers, and mostly means that the reward cannot read them.
 */
export function onlyReward(rollout: number, samples: readonly GradedSample[]): number | undefined {
  const first = samples[0]?.grade.reward;
  const isFlat = samples.length > 1 && samples.every(({ grade }) => grade.reward === first);
  return rollout <= watchedRollouts && isFlat ? first : undefined;
}
