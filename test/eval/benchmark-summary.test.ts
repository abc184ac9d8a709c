import { describe, expect, it } from 'vitest';
import { summarizeBenchmark } from '../../src/eval/benchmark-summary.js';
import { type Ballot, majorityVote } from '../../src/eval/majority.js';
import { question } from './questions.js';

describe('summarizeBenchmark', () => {
  it('computes what a hand computes', () => {
    // 4, 1 and 0 of 4 samples right: shares 1, 1/4, 0.
    const records = [question(0, '1 1 1L 1', 1), question(1, '0 1 0 -', 0.5), question(2, '- 0L 0 -L', 0)];
    const summary = summarizeBenchmark(records, ['g']);
    expect(summary).toMatchObject({ questions: 3, samplesPerQuestion: 4 });
    expect(summary.meanLength).toBeCloseTo((4 * (10 + 20 + 30) + 3 * 6) / 12, 12);
    expect(summary.truncated).toBeCloseTo(3 / 12, 12);
    const [grader] = summary.graders;
    expect(grader!.accuracy).toBeCloseTo(5 / 12, 12);
    // Variance of 1, 1/4, 0 around 5/12: (49 + 4 + 25) / 144 / 2 = 13/48; over 3 questions 13/144.
    expect(grader!.accuracySe).toBeCloseTo(Math.sqrt(13) / 12, 12);
    // k = 2 of c = 1, n = 4: 1 - C(3,2)/C(4,2) = 1/2.
    expect(grader!.passAtK[1]).toBeCloseTo(5 / 12, 12);
    expect(grader!.passAtK[2]).toBeCloseTo((1 + 1 / 2 + 0) / 3, 12);
    expect(grader!.passAtK[4]).toBeCloseTo(2 / 3, 12);
    expect(grader!.majority).toBeCloseTo(1.5 / 3, 12);
    expect(grader!.majoritySe).toBeCloseTo(Math.sqrt(0.25 / 3), 12);
    expect(grader!.answered).toBeCloseTo(9 / 12, 12);
  });

  it('one question has no standard error, and one sample no further k', () => {
    const { graders } = summarizeBenchmark([question(0, '1', 1)], ['g']);
    expect(graders[0]).toMatchObject({ accuracy: 1, accuracySe: null, majoritySe: null, passAtK: { 1: 1 } });
  });

  it('refuses no questions, numbers of samples that differ, and a grader that did not grade', () => {
    expect(() => summarizeBenchmark([], ['g'])).toThrow('at least one prompt');
    expect(() => summarizeBenchmark([question(0, '1 1'), question(7, '1')], ['g'])).toThrow(
      'question 7 of b has 1 samples',
    );
    expect(() => summarizeBenchmark([question(0, '1')], ['other'])).toThrow('not graded by other');
    expect(() => summarizeBenchmark([question(0, '1')], [])).toThrow('there is no grader');
  });
});

describe('majorityVote', () => {
  /** Answers that differ in their sign only are one; the right one is 2. */
  const vote = (...answers: (string | null)[]) =>
    majorityVote(
      answers.map((answer): Ballot => ({ answer, correct: answer === '2' || answer === '-2' })),
      (first, answer) => first.replace('-', '') === answer.replace('-', ''),
    );

  it.each<[(string | null)[], number]>([
    [['2'], 1],
    [['3'], 0],
    [['3', '2', '2'], 1],
    [['3', '3', '2'], 0],
    [['2', '-2', '3', '3', '-2'], 1], // equal under the grader
    [['3', '2'], 1 / 2],
    [['2', '3', '4', '5'], 1 / 4],
    [['3', '3', '2', '2', '4'], 1 / 2],
    [[null, null, '2'], 1], // no answer is no vote
    [[null, null], 0],
    [[], 0],
  ])('%j: %d', (answers, want) => {
    expect(vote(...answers)).toBe(want);
  });
});
