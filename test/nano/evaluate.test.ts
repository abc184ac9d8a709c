import { describe, expect, it } from 'vitest';
import { accuracies, accuracyTable, grade } from '../../scripts/make-nano/evaluate.js';
import type { PromptRecord } from '../../scripts/make-nano/generate.js';

const record = (level: PromptRecord['level'], answer: string): PromptRecord => ({
  id: `${level}-${answer}`,
  prompt: 'Q: 1/2+1/3\nA:',
  answer,
  source: 'fraction',
  level,
});
const completion = (text: string, stop = 'eos') => ({ prompt: 0, sample: 0, text, tokens: [1, 2], stop });

describe('grading of the base model', () => {
  it.each([
    ['1*3=3\n\\boxed{5/6}', 'eos', true, true],
    ['\\boxed{10/12}', 'eos', true, true],
    ['\\boxed{5}', 'eos', true, false],
    ['1*3=3. Answer: 5/6', 'eos', false, false],
    ['\\boxed{5/6}', 'length', false, false],
  ])('%j ended by %s', (text, stop, wellFormed, correct) => {
    expect(grade(record(2, '5/6'), completion(text, stop))).toEqual({
      wellFormed,
      correct,
      length: 2,
      truncated: stop === 'length',
    });
  });

  it('counts by level and over all', () => {
    const ended = { length: 2, truncated: false };
    const right = { wellFormed: true, correct: true, ...ended };
    const wrong = { wellFormed: true, correct: false, ...ended };
    const unboxed = { wellFormed: false, correct: false, ...ended };
    const rows = accuracies(
      [record(1, '1'), record(1, '2'), record(5, '3')],
      [
        [right, unboxed],
        [wrong, wrong],
        [unboxed, unboxed],
      ],
      [[right], [wrong], [right]],
    );
    expect(rows.map(({ level, sampled }) => [level, sampled.numPrompts])).toEqual([
      ['1', 2],
      ['5', 1],
      ['all', 3],
    ]);
    const [first, last, all] = rows;
    expect(first?.sampled).toMatchObject({ accuracy: 0.25, wellFormed: 0.75, accuracyWellFormed: 1 / 3 });
    expect([first?.sampled.passAtK[2], first?.greedy.accuracy]).toEqual([0.5, 0.5]);
    expect(last).toMatchObject({ sampled: { accuracy: 0, wellFormed: 0 }, greedy: { accuracy: 1 } });
    expect(all?.sampled).toMatchObject({ accuracy: 1 / 6 });
    expect([all?.sampled.passAtK[2], all?.greedy.accuracy]).toEqual([1 / 3, 2 / 3]);
    expect(accuracyTable(rows, 2).split('\n')[2]).toBe('| 1 | 2 | 25.0 | 50.0 | 50.0 | 75.0 | 33.3 |');
  });
});
