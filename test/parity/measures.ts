/** Distances between an engine's numbers and a reference. All sums are f64. */

/** Root mean square and mean of |got - want| over the entries where `want` is a number. */
export interface Distance {
  readonly rms: number;
  readonly meanAbs: number;
  readonly count: number;
}

/**
 * @param got, want equally long; an entry is compared where `want` is not NaN (first tokens of sequences are NaN)
 * @throws {Error} when lengths differ, when `got` is NaN where `want` is not, or when nothing was compared
 */
export function distance(got: Float32Array, want: Float32Array): Distance {
  if (got.length !== want.length) throw new Error(`${got.length} numbers, expected ${want.length}`);
  let squares = 0;
  let absolutes = 0;
  let count = 0;
  for (let i = 0; i < want.length; ++i) {
    if (Number.isNaN(want[i])) continue;
    const difference = got[i]! - want[i]!;
    if (!Number.isFinite(difference)) throw new Error(`entry ${i} is ${got[i]}, expected ${want[i]}`);
    squares += difference * difference;
    absolutes += Math.abs(difference);
    ++count;
  }
  if (count === 0) throw new Error('nothing to compare');
  return { rms: Math.sqrt(squares / count), meanAbs: absolutes / count, count };
}

/** Distance over several pairs as if they were one. */
export function pooled(parts: readonly Distance[]): Distance {
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const meanSquare = parts.reduce((sum, part) => sum + part.rms ** 2 * part.count, 0) / count;
  const meanAbs = parts.reduce((sum, part) => sum + part.meanAbs * part.count, 0) / count;
  return { rms: Math.sqrt(meanSquare), meanAbs, count };
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

/** sqrt(sum (got - want)^2 / sum want^2) over all tensors together. */
export function relativeNorm(got: Map<string, Float32Array>, want: Map<string, Float32Array>): number {
  let squares = 0;
  let total = 0;
  for (const [name, expected] of want) {
    const found = got.get(name);
    if (!found) throw new Error(`no tensor ${name}`);
    const { rms, count } = distance(found, expected);
    squares += rms ** 2 * count;
    total += expected.reduce((sum, value) => sum + value * value, 0);
  }
  return Math.sqrt(squares / total);
}

/** Sum in f64, in order. */
export function sum(values: Float32Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
