import { describe, expect, it } from 'vitest';
import {
  cosineLengthReward,
  groupLengthRewards,
  hasForm,
  overlongPenalty,
  repeatedShare,
  type ShapingOptions,
  shapingTerms,
} from '../../src/reward/index.js';
import { pythonSplit } from '../../src/reward/python-text.js';
import { bestOfThreeMs, sampleOf } from './support.js';

describe('overlongPenalty', () => {
  it.each([
    // L_max 20,480 and L_cache 4,096, the paper's own
    [1, 0],
    [16_384, 0],
    [16_385, -1 / 4096],
    [18_432, -0.5],
    [20_480, -1],
    [20_481, -1],
    [1e9, -1],
  ])('of %d tokens is %d', (length, want) => {
    expect(overlongPenalty(length, 20_480, 4096)).toBeCloseTo(want, 12);
  });

  it('without a buffer is a step after the last token', () => {
    expect([99, 100, 101].map((length) => overlongPenalty(length, 100, 0))).toEqual([0, 0, -1]);
  });
});

describe('repeatedShare', () => {
  it.each<[string, number, number]>([
    ['', 1, 0],
    ['one two', 3, 0],
    ['one two three', 3, 0],
    ['a a a a', 1, 3 / 4],
    ['a a a a', 2, 2 / 3],
    ['a b a b a', 2, 2 / 4], // ab ba ab ba
    ['A a', 1, 1 / 2], // lower-cased first
    [' a\tb\n\na  b ', 2, 1 / 3], // ab ba ab
    ['the cat sat the cat sat the cat sat', 3, 4 / 7], // tcs cst stc tcs cst stc tcs
  ])('of %j by %d words is %d', (text, n, want) => {
    expect(repeatedShare(text, n)).toBeCloseTo(want, 12);
  });

  it('does not take long for a long text', () => {
    const text = 'all work and no play '.repeat(40_000);
    expect(bestOfThreeMs(() => repeatedShare(text, 20))).toBeLessThan(2000);
    expect(repeatedShare(text, 20)).toBeGreaterThan(0.9999);
  });

  it('splits words as Python does', () => {
    expect(pythonSplit(' a\u001cb\u0085c\u3000d\ufeffe ')).toEqual(['a', 'b', 'c', 'd\ufeffe']);
    expect(pythonSplit('')).toEqual([]);
  });
});

describe('hasForm', () => {
  const pattern = /^<think>\n[\s\S]*?\n<\/think>\n<answer>\n[\s\S]*?\n<\/answer>$/m;
  it.each([
    '<think>\na\n</think>\n<answer>\nb\n</answer>',
    '<think>\n\n</think>\n<answer>\n\n</answer>\nand more',
    '<think>\na\nb\n</think>\n<answer>\nb</answer>\n\n</answer>',
    '<think>\na\n</think>\n<answer>\nb\n</answer> x',
    '<think>\na\n</think>\n<answer>\nb\n</answer> x\n</answer>',
    '<think>\na</think>\n<answer>\nb\n</answer>',
    '<think>\n</think>\n<answer>\n\n</answer>',
    ' <think>\na\n</think>\n<answer>\nb\n</answer>',
    'x\n<think>\na\n</think>\n<answer>\nb\n</answer>',
    '<think>\na\n</think>\n\n<answer>\nb\n</answer>',
    '',
  ])('think-answer of %j is what the pattern says at the beginning of the text', (text) => {
    const found = pattern.exec(text);
    expect(hasForm(text, 'think-answer')).toBe(found !== null && found.index === 0);
  });

  it('boxed wants a box that is whole', () => {
    expect(['\\boxed{1}', 'so \\boxed{} it is', '\\boxed{1', '\\fbox{1}', ''].map((t) => hasForm(t, 'boxed'))).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('cosineLengthReward', () => {
  it.each([
    [0, true, 1],
    [500, true, 0.75],
    [1000, true, 0.5],
    [2000, true, 0.5],
    [0, false, -1],
    [250, false, -0.75 - 0.25 * Math.SQRT1_2],
    [1000, false, -0.5],
  ])('of %d of 1000 tokens, right: %s, is %d', (length, correct, want) => {
    expect(cosineLengthReward(length, 1000, correct)).toBeCloseTo(want, 12);
  });
});

it('groupLengthRewards compares the samples of a prompt', () => {
  // lambda = 0.5 - (len - 100) / 300
  expect(groupLengthRewards([100, 400, 250, 100, 325], [true, true, true, false, false])).toEqual([
    0.5, -0.5, 0, 0, -0.25,
  ]);
  expect(groupLengthRewards([7, 7], [true, false])).toEqual([0, 0]);
  expect(groupLengthRewards([], [])).toEqual([]);
});

describe('shapingTerms', () => {
  const off: ShapingOptions = {
    overlongBufferLen: 0,
    overlongPenaltyFactor: 1,
    repetitionMaxPenalty: 0,
    repetitionNGrams: 3,
    formatReward: 'none',
    formatRewardWeight: 1,
    lengthReward: 'none',
    lengthRewardWeight: 1,
  };
  const result = { reward: 1, correct: true, wellFormed: true, reason: 'equal', answer: '1', detail: '' };
  const terms = (options: Partial<ShapingOptions>) => shapingTerms({ ...off, ...options }, 10);

  it('are none by default', () => {
    expect(terms({})).toEqual([]);
  });

  it('are what the settings say, in one order', () => {
    const all = terms({
      overlongBufferLen: 4,
      overlongPenaltyFactor: 2,
      repetitionMaxPenalty: -1,
      repetitionNGrams: 1,
      formatReward: 'boxed',
      formatRewardWeight: 0.1,
      lengthReward: 'cosine',
      lengthRewardWeight: 0.5,
    });
    expect(all.map(({ name, weight }) => [name, weight])).toEqual([
      ['overlong', 2],
      ['repetition', -1],
      ['format', 0.1],
      ['length', 0.5],
    ]);
    const sample = sampleOf({ tokens: new Int32Array(8), response: 'so so \\boxed{1}' });
    const cosine = 0.5 + 0.25 * (1 + Math.cos(0.8 * Math.PI));
    expect(all.map((term) => term.values([sample], [result])[0])).toEqual([-0.5, expect.closeTo(1 / 3), 1, cosine]);
  });

  it('keeps the samples of each prompt together for kimi, however they stand', () => {
    const [term] = terms({ lengthReward: 'kimi' });
    const samples = [
      sampleOf({ row: 1, tokens: new Int32Array(1) }),
      sampleOf({ row: 2, tokens: new Int32Array(5) }),
      sampleOf({ row: 1, tokens: new Int32Array(3) }),
      sampleOf({ row: 2, tokens: new Int32Array(5) }),
      sampleOf({ row: 1, rollout: 2, tokens: new Int32Array(9) }),
    ];
    expect(
      term!.values(
        samples,
        samples.map(() => result),
      ),
    ).toEqual([0.5, 0, -0.5, 0, 0]);
  });
});
