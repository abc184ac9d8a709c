/** Methods that score a prompt by its trajectory, one entry each. */
import { averageTrajectory, limScores } from './alignment.js';
import type { Signal } from './groups.js';
import { linearScores } from './linear.js';
import { type CompleteTrajectories, completeTrajectories, type MissingPolicy } from './missing.js';
import { meanOverSeen } from './seen-mean.js';
import type { Trajectories } from './trajectories.js';

/** Methods that score a prompt by its rewards over the epochs. */
export const trajectoryMethods = ['lim', 'linear', 'pass-rate', 'uncertainty'] as const;
/** One of `trajectoryMethods`. */
export type TrajectoryMethod = (typeof trajectoryMethods)[number];

/** Those of them that follow a prompt's course, and the least score that they keep: LIMR's for lim, ours for linear. */
export const courseMethods = ['lim', 'linear'] as const;
export type CourseMethod = (typeof courseMethods)[number];
export const courseThresholds: Readonly<Record<CourseMethod, number>> = { lim: 0.6, linear: 0.7 };

/** What LIM and LINEAR follow; the others have signals of their own. */
export interface CourseOptions {
  readonly signal: 'reward' | 'accuracy';
  readonly missing: MissingPolicy;
}

/** The signal that a method measures. */
export function signalOf(method: TrajectoryMethod, { signal }: CourseOptions): Signal {
  if (method === 'pass-rate') return 'accuracy';
  return method === 'uncertainty' ? 'variance' : signal;
}

/** The courses that LIM and LINEAR compare, and their average. */
export interface Courses extends CompleteTrajectories {
  /** Over the prompts that were kept. */
  readonly average: Float64Array;
}

/** Trajectories without gaps, and their average: what `lim` and `linear` follow. docs/lim.md has the equations. */
export function coursesOf(trajectories: Trajectories, missing: MissingPolicy): Courses {
  const complete = completeTrajectories(trajectories, missing);
  return { ...complete, average: averageTrajectory(complete.trajectories) };
}

/**
 * @param trajectories N of `signalOf(method)`, NaN = not seen
 * @param courses `coursesOf` the same, for lim and linear
 * @returns N scores; NaN for a prompt that has none
 * @throws {LimrError} LIMR_SHAPE, LIMR_NUMERIC
 */
export function trajectoryScores(
  method: TrajectoryMethod,
  trajectories: Trajectories,
  courses: () => Courses,
): Float64Array {
  if (method === 'pass-rate' || method === 'uncertainty') return meanOverSeen(trajectories);
  const { trajectories: kept, rows, average } = courses();
  const own = method === 'lim' ? limScores(kept, average) : linearScores(kept);
  const scores = new Float64Array(trajectories.length).fill(Number.NaN);
  for (const [i, row] of rows.entries()) scores[row] = own[i]!;
  return scores;
}
