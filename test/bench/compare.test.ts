import { describe, expect, it } from 'vitest';
import type { Limit } from '../../src/bench/case.js';
import { compareBench } from '../../src/bench/compare.js';
import type { BenchResult } from '../../src/bench/run.js';

const noise = [1, 1.01, 0.99, 1.005, 0.995, 1.002, 0.998];

/** Each case: seconds of its repetitions, and what bounds it. */
function result(
  cases: Readonly<Record<string, readonly [seconds: readonly number[], limit?: Limit]>>,
  rates = noise.map(() => ({ flops: 100, readBytes: 10 })),
): BenchResult {
  return {
    limits: { flops: 100, readBytes: 10 },
    turns: rates,
    cases: Object.entries(cases).map(([name, [seconds, limit]]) => ({
      ...{ name, suite: 's', unit: 'tokens', amount: 1, seconds, medianSeconds: 1, spreadSeconds: 0, perSecond: 1 },
      ...(limit === undefined ? {} : { limit }),
    })),
  };
}

const scaled = (by: number) => noise.map((x) => x * by);
const verdict = (before: BenchResult, after: BenchResult) => compareBench(before, after).cases[0]?.verdict;

describe('compareBench', () => {
  it('tells slower and faster from noise', () => {
    const before = result({ a: [noise] });
    expect(verdict(before, result({ a: [[...noise].reverse()] }))).toBe('same');
    expect(verdict(before, result({ a: [scaled(1.01)] }))).toBe('same'); // within the tolerance
    expect(verdict(before, result({ a: [scaled(1.1)] }))).toBe('slower');
    expect(verdict(before, result({ a: [scaled(0.9)] }))).toBe('faster');
    expect(compareBench(before, result({ a: [scaled(1.1)] })).cases[0]?.ratio).toBeCloseTo(1.1, 10);
  });

  it('does not take a noisy machine for a change', () => {
    const noisy = [1, 2.5, 1.1, 3, 1.2, 0.9, 1.4];
    expect(verdict(result({ a: [noisy] }), result({ a: [noisy.map((x) => x * 1.1)] }))).toBe('same');
  });

  it('weighs time by what the machine did in that turn', () => {
    const before = result({ a: [noise, 'flops'], b: [noise, 'readBytes'] });
    // Half the clock, memory as before: a case bound by arithmetic takes twice as long.
    const slowClock = noise.map(() => ({ flops: 50, readBytes: 10 }));
    const after = result({ a: [scaled(2), 'flops'], b: [scaled(2), 'readBytes'] }, slowClock);
    expect(compareBench(before, after).cases.map((each) => each.verdict)).toEqual(['same', 'slower']);
  });

  it('says so where there are too few repetitions', () => {
    expect(verdict(result({ a: [[1, 1, 1]] }), result({ a: [[9, 9, 9]] }))).toBe('unknown');
  });

  it('names cases that only one run has, and refuses runs that share none', () => {
    const comparison = compareBench(result({ a: [noise], old: [noise] }), result({ a: [noise], new: [noise] }));
    expect(comparison).toMatchObject({ missing: ['old'], added: ['new'] });
    expect(() => compareBench(result({ a: [noise] }), result({ b: [noise] }))).toThrow(/no case in common/);
  });
});
