import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createGrader } from '../../../src/reward/graders/index.js';
import { sharedFile } from '../../shared.js';
import { bestOfThreeMs, jsonLines } from '../support.js';

const grader = createGrader('limr-compat');

/** Made by scripts/golden/math_verify_raw.py. */
type Row = readonly [gold: string, answer: string, equal: boolean, goldEmpty: boolean, answerEmpty: boolean];

describe('limr-compat', () => {
  it('says of raw strings what Math-Verify says', () => {
    const file = new URL('../../golden/math-verify-raw.json', import.meta.url);
    const rows = JSON.parse(readFileSync(file, 'utf8')) as readonly Row[];
    expect(rows.length).toBeGreaterThan(800);
    for (const [gold, answer, equal, goldEmpty, answerEmpty] of rows) {
      const verdict = grader.compare(gold, answer);
      expect(verdict.equal, `${gold} | ${answer}`).toBe(equal);
      expect(verdict.reason === 'gold_empty', gold).toBe(goldEmpty);
      if (!goldEmpty) expect(verdict.reason === 'answer_empty', answer).toBe(answerEmpty);
    }
  });

  it.each<[string, string, boolean]>([
    ['16\\sqrt{3}', '16', true],
    ['9,\\!000,\\!000', '9', true],
    ['\\sqrt{46}', '\\sqrt{46}', false],
    ['(5,7)', '(5,7)', false],
    ['\\frac{1}{2}', '0.5', true],
    ['4:30', '4:30 p.m.', true],
    ['50%', '1/2', true],
    ['1/0', '1 / 0', true],
    ['\\frac{1}{0}', '\\frac{1}{0}', true], // as strings
    ['\\frac{1}{0}', '\\frac{1}{0} ', true],
    ['2^(1/2)', '2^(1/2)+0', true],
    ['9^9^9^9', '9^9^9^8', false],
    ['', '', false],
  ])('%j and %j: %s', (gold, answer, equal) => {
    expect(grader.compare(gold, answer).equal).toBe(equal);
  });

  it('grades the last box of a response', () => {
    expect(grader.grade('4', 'so \\boxed{3}, no, \\boxed{4}')).toEqual({
      equal: true,
      reason: 'same_value',
      answer: '4',
    });
    expect(grader.grade('4', 'it is 4')).toEqual({ equal: false, reason: 'answer_empty', answer: null });
  });

  it('takes time in proportion to the text', () => {
    for (const piece of ['1,', '9^', '(', '1/7+', '\\( 1', '9*', '1 ']) {
      const text = piece.repeat(20_000 / piece.length);
      expect(
        bestOfThreeMs(() => grader.compare('5', text)),
        piece,
      ).toBeLessThan(100); // about 10 on an idle machine
    }
    expect(bestOfThreeMs(() => grader.compare('5', '\\( 1'.repeat(250_000)))).toBeLessThan(2_000);
  });
});

const dataset = sharedFile('data/limr/math.8k.json');

it.skipIf(dataset === undefined)('could never reward 847 of the 8,523 answers of math.8k', () => {
  const golds = (JSON.parse(readFileSync(dataset!, 'utf8')) as readonly { answer: string }[]).map(
    ({ answer }) => answer,
  );
  const verdicts = golds.map((gold) => grader.compare(gold, gold));
  expect(verdicts.filter(({ reason }) => reason === 'gold_empty').length).toBe(847);
  expect(verdicts.filter(({ equal }) => equal).length).toBe(golds.length - 847);
});

const vectors = sharedFile('verifier/limr_reward.jsonl');

it.skipIf(vectors === undefined)('rewards as often among the recorded responses as Math-Verify does', () => {
  const rows = jsonLines<{ compared?: readonly [string, string] }>(vectors!);
  const pairs = rows.flatMap(({ compared }) => (compared ? [compared] : []));
  const verdicts = pairs.map(([gold, answer]) => grader.compare(gold, answer));
  // math_verify 0.8.0 itself, by scripts/golden/math_verify_raw.py --pairs
  expect([pairs.length, verdicts.filter(({ equal }) => equal).length]).toEqual([559, 479]);
});
