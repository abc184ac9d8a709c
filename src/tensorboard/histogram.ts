/** Counts of values in bins of equal width. */

export interface Histogram {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
  /** [bins] right end of each bin; the first begins at min, the last ends at max. */
  readonly limits: readonly number[];
  /** [bins] values in (left end, right end]; the first has min, too. */
  readonly counts: readonly number[];
}

/** As TensorBoard's own summaries have. */
const mostBins = 30;

/** @param values finite, at least one */
export function histogram(values: Iterable<number>): Histogram {
  const all = Float64Array.from(values);
  const min = all.reduce((a, b) => Math.min(a, b), Infinity);
  const max = all.reduce((a, b) => Math.max(a, b), -Infinity);
  const bins = min === max ? 1 : mostBins;
  const limits = Array.from({ length: bins }, (_, i) => (i === bins - 1 ? max : min + ((max - min) * (i + 1)) / bins));
  const counts = limits.map(() => 0);
  for (const value of all) counts[binOf(value, min, limits)]! += 1;
  return {
    min,
    max,
    count: all.length,
    sum: all.reduce((sum, value) => sum + value, 0),
    sumOfSquares: all.reduce((sum, value) => sum + value * value, 0),
    limits,
    counts,
  };
}

/** The first bin whose right end is not below the value; the quotient is within one of it. */
function binOf(value: number, min: number, limits: readonly number[]): number {
  const last = limits.length - 1;
  const width = (limits[last]! - min) / limits.length;
  let bin = width === 0 ? 0 : Math.min(last, Math.floor((value - min) / width));
  while (bin > 0 && value <= limits[bin - 1]!) --bin;
  while (value > limits[bin]!) ++bin;
  return bin;
}
