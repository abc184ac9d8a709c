import { describe, expect, it } from 'vitest';
import { boxedAnswers, countBoxed, lastBoxedAnswer } from '../../src/reward/index.js';
import { bestOfThreeMs, Source } from './support.js';

/** LIMR's own expression (openrlhf/cli/serve_rm.py); JavaScript reads it as Python does. */
const reference =
  /\\boxed\{((?:[^{}]|\\{|\\}|(?:\{(?:[^{}]|\\{|\\}|(?:\{(?:[^{}]|\\{|\\}|(?:\{[^{}]*\}))*\}))*\}))*\})/g;
const referenceAnswers = (text: string) => [...text.matchAll(reference)].map((match) => match[1]!.slice(0, -1));

describe('boxedAnswers', () => {
  it.each([
    ['\\boxed{420}', ['420']],
    ['\\boxed{}', ['']],
    ['\\boxed {5}', []],
    ['\\boxed{1} then \\boxed{2}', ['1', '2']],
    ['\\boxed{1} then \\boxed{2', ['1']],
    ['\\boxed{2 and \\boxed{1}', ['1']],
    ['\\boxed{\\boxed{3}}', ['\\boxed{3}']],
    ['\\boxed{a\nb}', ['a\nb']],
    ['\\boxed{\\{1,2\\}}', ['\\{1,2\\}']],
    ['\\boxed{\\{1}', ['\\{1']],
    ['\\boxed{1\\}}', ['1\\']],
    ['\\boxed{\\frac{\\sqrt{\\frac{1}{2}}}{3}}', ['\\frac{\\sqrt{\\frac{1}{2}}}{3}']],
    ['\\boxed{\\frac{\\sqrt{\\frac{1}{\\sqrt{2}}}}{3}}', []],
  ])('%j', (text, answers) => {
    expect(boxedAnswers(text)).toEqual(answers);
    expect(referenceAnswers(text)).toEqual(answers);
    expect(lastBoxedAnswer(text)).toBe(answers.at(-1));
  });

  it('agrees with the regular expression on random braces, escapes and boxes', () => {
    const source = new Source(11);
    const alphabets = [
      ['{', '}', '\\', 'a'],
      ['{', '{', '}', '}', '\\', 'a', '\n'],
      ['{', '}', '}', '\\{', '\\}', 'x', '\\boxed{'],
      ['{', '}', '\\boxed{', '\\boxed', '😀'],
    ];
    let found = 0;
    for (let i = 0; i < 40_000; i += 1) {
      const alphabet = source.pick(alphabets);
      const text = `${source.text(alphabet, source.integer(0, 4))}\\boxed{${source.text(alphabet, source.integer(0, 22))}`;
      const want = referenceAnswers(text);
      found += want.length;
      expect(boxedAnswers(text), JSON.stringify(text)).toEqual(want);
    }
    expect(found).toBeGreaterThan(10_000);
  });

  it('is linear where the regular expression explodes', () => {
    const unit = '\\boxed{\\{\\{\\}{{{';
    const texts = ['\\boxed{'.repeat(150_000), unit.repeat(70_000), `\\boxed{${'\\{'.repeat(500_000)}`];
    for (const text of texts) {
      expect(text.length).toBeGreaterThan(1_000_000);
      expect(bestOfThreeMs(() => boxedAnswers(text))).toBeLessThan(1000);
    }
  });
});

describe('countBoxed', () => {
  it('counts the command, complete or not', () => {
    expect(countBoxed('')).toBe(0);
    expect(countBoxed('\\bxed{1} boxed')).toBe(0);
    expect(countBoxed('\\boxed\\boxed{1} \\boxed {2} \\boxedx')).toBe(4);
  });
});
