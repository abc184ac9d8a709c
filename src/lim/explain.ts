/** Why a prompt has its LIM score. */
import type { Trajectories } from './trajectories.js';

/** An epoch of a prompt's score: its term of the sum in LIM's equation. */
export interface ExplainedEpoch {
  /** From 1. */
  readonly epoch: number;
  /** What was measured; null = the prompt was not seen. */
  readonly seen: number | null;
  /** What was scored: the measured value, or the one that fills its place; null for a prompt that was dropped. */
  readonly used: number | null;
  /** Average over the prompts that were kept. */
  readonly mean: number;
  /** Share of this epoch in what the score lacks of 1: (used - mean)^2 / sum_k (1 - mean[k])^2. */
  readonly loss: number | null;
}

/**
 * The score of one prompt, epoch by epoch: 1 - the sum of the losses.
 * @param seen its trajectory as measured, NaN = missing
 * @param used the same after filling; undefined when the prompt was dropped
 */
export function explainScore(
  seen: Float64Array,
  used: Float64Array | undefined,
  mean: Float64Array,
): readonly ExplainedEpoch[] {
  const scale = mean.reduce((sum, value) => sum + (1 - value) ** 2, 0);
  return Array.from(mean, (average, k) => ({
    epoch: k + 1,
    seen: Number.isNaN(seen[k]) ? null : seen[k]!,
    used: used?.[k] ?? null,
    mean: average,
    loss: used === undefined ? null : (used[k]! - average) ** 2 / scale,
  }));
}

/** Row of a kept trajectory, or undefined; `rows` ascend. */
export function keptRow(rows: Int32Array, kept: Trajectories, original: number): Float64Array | undefined {
  const at = rows.indexOf(original);
  return at === -1 ? undefined : kept.row(at);
}
