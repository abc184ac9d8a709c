/** What becomes of prompts that some epochs left out, as those of a drop-last loader do. */
import { Trajectories } from './trajectories.js';

/** What becomes of a prompt that an epoch left out: filled as the original does, dropped, or interpolated. */
export const missingPolicies = ['limr', 'strict', 'interpolate'] as const;
/** One of `missingPolicies`. */
export type MissingPolicy = (typeof missingPolicies)[number];

/** Trajectories after a policy has filled or dropped those with gaps. */
export interface CompleteTrajectories {
  /** No NaN in them. */
  readonly trajectories: Trajectories;
  /** Of each, its row among the trajectories given; ascending. */
  readonly rows: Int32Array;
  /** Epochs that were missing and have a value now, over all trajectories kept. */
  readonly filled: number;
}

/**
 * Fills missing epochs, and drops the trajectories that stay incomplete.
 *
 * - `limr`: as lim/lim_selection.py does. One pass from the first epoch to the last but one gives a missing epoch the value of the
 *   *next* one, if that is there (the comment there says forward fill). So a gap of two, or a missing last epoch, drops the prompt.
 * - `strict`: only prompts that were seen in every epoch stay.
 * - `interpolate`: on the straight line between the nearest epochs that are there; before the first and after the last of those,
 *   their value. Only prompts that were never seen are dropped.
 */
export function completeTrajectories(trajectories: Trajectories, policy: MissingPolicy): CompleteTrajectories {
  const fill = fills[policy];
  const values = trajectories.values.slice();
  const rows = new Int32Array(trajectories.length);
  const { epochs } = trajectories;
  let [kept, filled] = [0, 0];
  for (let i = 0; i < rows.length; ++i) {
    const row = values.subarray(i * epochs, (i + 1) * epochs);
    const missing = countMissing(row);
    if (missing > 0) fill(row);
    if (countMissing(row) > 0) continue;
    values.copyWithin(kept * epochs, i * epochs, (i + 1) * epochs);
    rows[kept++] = i;
    filled += missing;
  }
  return {
    trajectories: new Trajectories(epochs, values.subarray(0, kept * epochs)),
    rows: rows.subarray(0, kept),
    filled,
  };
}

const fills: Readonly<Record<MissingPolicy, (row: Float64Array) => void>> = {
  limr: (row) => {
    for (let k = 0; k + 1 < row.length; ++k) if (Number.isNaN(row[k])) row[k] = row[k + 1]!;
  },
  strict: () => {},
  interpolate: (row) => {
    let before = -1;
    for (let k = 0; k <= row.length; ++k) {
      if (k < row.length && Number.isNaN(row[k])) continue;
      for (let gap = before + 1; gap < k; ++gap) row[gap] = between(row, before, gap, k);
      before = k;
    }
  },
};

/** The value at `gap` on the line from epoch `before` to epoch `after`; -1 and K stand for epochs that are not there. */
function between(row: Float64Array, before: number, gap: number, after: number): number {
  if (before < 0) return after < row.length ? row[after]! : Number.NaN;
  if (after >= row.length) return row[before]!;
  return row[before]! + ((row[after]! - row[before]!) * (gap - before)) / (after - before);
}

function countMissing(row: Float64Array): number {
  let missing = 0;
  for (const value of row) missing += Number(Number.isNaN(value));
  return missing;
}
