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
const completion = (text: string, stop = 'eos') => ({ prompt: 0, sample: 0, text, stop });

describe('grading of the base model', () => {
  it.each([
    ['1*3=3\n\\boxed{5/6}', 'eos', true, true],
    ['\\boxed{10/12}', 'eos', true, true],
    ['\\boxed{5}', 'eos', true, false],
    ['1*3=3. Answer: 5/6', 'eos', false, false],
    ['\\boxed{5/6}', 'length', false, false],
  ])('%j ended by %s', (text, stop, wellFormed, correct) => {
    expect(grade(record(2, '5/6'), completion(text, stop))).toEqual({ wellFormed, correct });
  });

  it('counts by level and over all', () => {
    const right = { wellFormed: true, correct: true };
    const wrong = { wellFormed: true, correct: false };
    const unboxed = { wellFormed: false, correct: false };
    const rows = accuracies(
      [record(1, '1'), record(1, '2'), record(5, '3')],
      [
        [right, unboxed],
        [wrong, wrong],
        [unboxed, unboxed],
      ],
      [right, wrong, right],
    );
    expect(rows[0]).toEqual({
      level: '1',
      numPrompts: 2,
      sampled: 0.25,
      passAtK: 0.5,
      greedy: 0.5,
      wellFormed: 0.75,
      sampledAmongWellFormed: 1 / 3,
    });
    expect(rows[4]).toMatchObject({ level: '5', sampled: 0, greedy: 1, wellFormed: 0 });
    expect(rows.at(-1)).toMatchObject({ level: 'all', numPrompts: 3, sampled: 1 / 6, passAtK: 1 / 3, greedy: 2 / 3 });
    expect(accuracyTable(rows, 2).split('\n')[2]).toBe('| 1 | 2 | 25.0 | 50.0 | 50.0 | 75.0 | 33.3 |');
  });
});
