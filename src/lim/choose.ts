/** From scores to a selection. NaN = no score: never selected. */
import { LimrError } from '../errors.js';

/**
 * `round(x, decimals)` as Python has it: to the nearest multiple of 10^-decimals, the exact halves to the even one. LIMR's published
 * scores are rounded so, to 2.
 * @param decimals 0..15
 */
export function roundHalfEven(x: number, decimals: number): number {
  const twos = x * 2 ** (decimals + 1); // exact; an odd whole number is what lies halfway between two decimals
  if (Math.abs(twos) % 2 !== 1) return Number(x.toFixed(decimals));
  const below = (Math.floor(twos / 2) * 5 ** decimals * 2 + (5 ** decimals - 1)) / 2;
  return (below % 2 === 0 ? below : below + 1) / 10 ** decimals;
}

/** Indices, ascending, of the scores that are at least `threshold` once rounded. */
export function scoresAtLeast(scores: ArrayLike<number>, threshold: number, decimals: number): Int32Array {
  return indicesWhere(scores, (score) => roundHalfEven(score, decimals) >= threshold);
}

/** Indices, ascending, of the scores in [low, high]: for pass rates. */
export function scoresWithin(scores: ArrayLike<number>, low: number, high: number): Int32Array {
  return indicesWhere(scores, (score) => score >= low && score <= high);
}

/**
 * Indices, ascending, of the `count` highest scores, not rounded; ties go to the earlier index.
 * @throws {LimrError} LIMR_USAGE when fewer have a score
 */
export function highestScores(scores: ArrayLike<number>, count: number): Int32Array {
  const scored = indicesWhere(scores, () => true);
  if (scored.length < count) {
    throw new LimrError(
      'LIMR_USAGE',
      `${count} prompts were asked for, and ${scored.length} of ${scores.length} have a score`,
      'Lower --count.',
    );
  }
  return scored
    .sort((a, b) => scores[b]! - scores[a]! || a - b)
    .subarray(0, count)
    .sort();
}

function indicesWhere(scores: ArrayLike<number>, test: (score: number) => boolean): Int32Array {
  const found: number[] = [];
  for (let i = 0; i < scores.length; ++i) if (!Number.isNaN(scores[i]) && test(scores[i]!)) found.push(i);
  return Int32Array.from(found);
}
