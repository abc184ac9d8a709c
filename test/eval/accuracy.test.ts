import { describe, expect, it } from 'vitest';
import { type Outcome, passAtK, standardError, summarize } from '../../src/eval/accuracy.js';

const outcome = (correct: boolean, wellFormed = true, length = 10, truncated = false): Outcome => ({
  correct,
  wellFormed,
  length,
  truncated,
});

/** Share of all subsets of k among n samples that hold one of the first c. */
function passByCounting(n: number, c: number, k: number): number {
  let subsets = 0;
  let passing = 0;
  for (let mask = 0; mask < 1 << n; ++mask) {
    let size = 0;
    for (let bit = 0; bit < n; ++bit) size += (mask >> bit) & 1;
    if (size !== k) continue;
    subsets += 1;
    if (mask & ((1 << c) - 1)) passing += 1;
  }
  return passing / subsets;
}

describe('passAtK', () => {
  it('is the share of subsets with a correct sample', () => {
    for (let n = 1; n <= 8; ++n) {
      for (let c = 0; c <= n; ++c) {
        for (let k = 1; k <= n; ++k) expect(passAtK(n, c, k)).toBeCloseTo(passByCounting(n, c, k), 12);
      }
    }
  });

  it.each([
    [0, 0, 1],
    [4, 5, 1],
    [4, 2, 5],
    [4, 2, 0],
    [4, 0.5, 1],
  ])('is not defined for n=%d c=%d k=%d', (n, c, k) => {
    expect(() => passAtK(n, c, k)).toThrowError(expect.objectContaining({ code: 'LIMR_USAGE' }));
  });
});

describe('summarize', () => {
  it('gives what a calculation by hand gives', () => {
    const summary = summarize([
      [outcome(true, true, 4), outcome(false, true, 6)], // 1/2
      [outcome(true, true, 8), outcome(true, true, 8)], // 1
      [outcome(false, false, 16, true), outcome(false, true, 6)], // 0
      [outcome(false, false, 16, true), outcome(true, true, 0)], // 1/2
    ]);
    // Shares 1/2, 1, 0, 1/2: mean 1/2, sample variance (0 + 1/4 + 1/4 + 0) / 3, standard error sqrt(1/6 / 4).
    expect(summary).toEqual({
      numPrompts: 4,
      numSamples: 8,
      accuracy: 0.5,
      accuracySe: Math.sqrt(1 / 6 / 4),
      wellFormed: 6 / 8,
      accuracyWellFormed: 4 / 6,
      meanLength: 8,
      truncated: 2 / 8,
      passAtK: { 1: 0.5, 2: 0.75 },
    });
  });

  it('has no standard error for one prompt, and no accuracy among none', () => {
    const summary = summarize([[outcome(false, false)]]);
    expect(summary.accuracySe).toBeNaN();
    expect(summary.accuracyWellFormed).toBeNaN();
    expect(summary.passAtK).toEqual({ 1: 0 });
  });

  it('climbs pass@k by doubling, up to the samples that every prompt has', () => {
    const groups = [6, 7].map((n) => Array.from({ length: n }, (_, i) => outcome(i === 0)));
    expect(Object.keys(summarize(groups).passAtK)).toEqual(['1', '2', '4', '6']);
  });

  it.each([[[]], [[[]]]])('refuses %j', (outcomes) => {
    expect(() => summarize(outcomes)).toThrowError(expect.objectContaining({ code: 'LIMR_SHAPE' }));
  });
});

it('standardError agrees with the formula', () => {
  expect(standardError([1, 2, 3, 4])).toBeCloseTo(Math.sqrt(5 / 3 / 4), 15);
});
