/** Round numbers: bins of a histogram of scores, ticks of an axis. */

const maxBins = 60;

/** Bins of one round width, aligned so that the threshold is an edge where it is a round number itself. */
export function binEdges(values: readonly number[], threshold: number | undefined): number[] {
  const all = threshold === undefined ? values : [...values, threshold];
  const low = all.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
  const high = all.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const inner = low < high ? ticks([low, high], maxBins) : [low];
  const step = inner.length > 1 ? inner[1]! - inner[0]! : 1;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first, Math.floor(high / step + 1e-9));
  return Array.from({ length: last - first + 2 }, (_, i) => (first + i) * step);
}

/** Round numbers, at most `most` of them, that cover a domain: steps of 1, 2 or 5 times a power of ten. */
export function ticks([low, high]: readonly [number, number], most: number): number[] {
  const rough = (high - low) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough * 0.999)!;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}
