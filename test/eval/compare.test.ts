import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compareBenchmark, signFlipTest } from '../../src/eval/compare.js';
import { question } from './questions.js';

/** Every sign, one by one. */
function bruteForce(differences: readonly number[]): number {
  const observed = Math.abs(differences.reduce((sum, d) => sum + d, 0));
  let hits = 0;
  for (let signs = 0; signs < 1 << differences.length; ++signs) {
    const sum = differences.reduce((total, d, i) => total + (signs & (1 << i) ? d : -d), 0);
    hits += Number(Math.abs(sum) >= observed);
  }
  return hits / (1 << differences.length);
}

describe('signFlipTest', () => {
  it('with one sample a question it is McNemar’s exact test', () => {
    // 5 better, 1 worse: 2 (C(6,0) + C(6,1)) / 2^6
    expect(signFlipTest([1, 1, 1, 1, 1, -1, 0, 0, 0])).toBeCloseTo(14 / 64, 14);
    expect(signFlipTest([1, 1, 1, 1, 1, 1, 1, 1])).toBeCloseTo(2 / 256, 14);
  });

  it.each([[[]], [[0, 0]], [[3]], [[1, -1]], [[4, -1, 2, 0, 3, -2, 1]], [[-5, -5, 1, 2, 2, 2, 0, 1, 4, -3]]])(
    'counts the signs of %j',
    (differences) => {
      expect(signFlipTest(differences)).toBeCloseTo(bruteForce(differences), 12);
    },
  );

  it('agrees with scipy, over all signs and with its binomial test', () => {
    const { permutation, mcnemar } = JSON.parse(
      readFileSync(new URL('../golden/sign-flip.json', import.meta.url), 'utf8'),
    ) as {
      readonly permutation: readonly (readonly [readonly number[], number])[];
      readonly mcnemar: readonly (readonly [number, number, number])[];
    };
    expect([permutation.length, mcnemar.length]).toEqual([18, 10]);
    for (const [differences, p] of permutation) expect(signFlipTest(differences)).toBeCloseTo(p, 12);
    for (const [better, worse, p] of mcnemar) {
      expect(signFlipTest([...new Array(better).fill(1), ...new Array(worse).fill(-1), 0, 0])).toBeCloseTo(p, 12);
    }
  });

  it('stays exact for 500 questions', () => {
    expect(signFlipTest(new Array(500).fill(1))).toBeCloseTo(2 ** -499, 160);
    expect(signFlipTest(Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? 1 : -1)))).toBe(1);
  });
});

describe('compareBenchmark', () => {
  const first = [question(0, '1 0'), question(1, '0 0'), question(2, '1 1'), question(3, '0 1')];

  it('pairs questions by row, whatever the numbers of samples', () => {
    const second = [question(3, '1 1 1 0'), question(0, '1 0 1 0'), question(1, '1 1 0 0'), question(2, '1 1 1 1')];
    const compared = compareBenchmark(first, second, 'g');
    expect(compared).toMatchObject({ benchmark: 'b', grader: 'g', questions: 4, better: 2, worse: 0 });
    expect(compared.accuracies).toEqual([0.5, 0.6875]);
    expect(compared.difference).toBeCloseTo(0.1875, 14); // 0, 1/2, 0, 1/4
    expect(compared.differenceSe).toBeCloseTo(Math.sqrt((9 + 25 + 9 + 1) / 256 / 3 / 4), 14);
    expect(compared.pValue).toBeCloseTo(2 / 4, 14); // signs of 1/2 and 1/4
  });

  it('refuses other questions', () => {
    const cases = [
      [[...first.slice(0, 3), { ...first[3]!, question: 'other' }], 'question 3 of b is another one'],
      [[...first.slice(0, 3), { ...first[3]!, gold: 'other' }], 'question 3 of b is another one'],
      [first.slice(0, 3), 'question 3 of b is in one evaluation only'],
      [[...first, question(4, '1 1')], 'b has 4 and 5 questions'],
      [first.map((record) => ({ ...record, samples: question(0, '1 1', 0, 'h').samples })), 'not graded by g'],
    ] as const;
    for (const [second, message] of cases) {
      expect(() => compareBenchmark(first, second, 'g')).toThrowError(
        expect.objectContaining({ code: 'LIMR_USAGE', message: expect.stringContaining(message) }),
      );
    }
  });
});
