/** What repeated measurements say: median, spread, and whether two sets of them differ by more than noise. */
import { philox } from '../random.js';

/** @returns NaN of nothing */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Median of the absolute deviations from the median: half of the values are nearer to it. */
export function medianDeviation(values: readonly number[]): number {
  const center = median(values);
  return median(values.map((value) => Math.abs(value - center)));
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const resamples = 4000;
/** "ben" in ASCII: the key of the draws, so that one file compared with another always gives the same answer. */
const bootstrapKey = 0x62656e;

/**
 * Percentile bootstrap of median(after) / median(before), the two resampled on their own. Efron & Tibshirani 1993, section 13.3.
 * @param share of the resamples within the interval
 */
export function ratioInterval(before: readonly number[], after: readonly number[], share = 0.99): Interval {
  let drawn = 0;
  const resample = (values: readonly number[]) =>
    median(
      values.map(
        () => values[Math.floor((philox([drawn++, 0, 0, 0], [bootstrapKey, 0])[0] / 2 ** 32) * values.length)]!,
      ),
    );
  const ratios = Float64Array.from({ length: resamples }, () => {
    const base = resample(before);
    return resample(after) / base;
  }).sort();
  const cut = Math.floor(((1 - share) / 2) * resamples);
  return { low: ratios[cut]!, high: ratios[resamples - 1 - cut]! };
}
