import { describe, expect, it } from 'vitest';
import { hasRepetition } from '../../src/reward/index.js';
import { bestOfThreeMs, Source } from './support.js';

/** LIMR's `(.{5,}?)\1{4,}` in JavaScript: Python's dot is anything but a newline, and its characters are code points. */
const reference = /([^\n]{5,}?)\1{4,}/u;

const fibonacci = (length: number) => {
  let [previous, word] = ['a', 'ab'];
  while (word.length < length) [previous, word] = [word, word + previous];
  return word.slice(0, length);
};
const thueMorse = (length: number) => {
  let word = 'a';
  while (word.length < length) word += word.replace(/[ab]/g, (letter) => (letter === 'a' ? 'b' : 'a'));
  return word.slice(0, length);
};

describe('hasRepetition', () => {
  it.each([
    ['', false],
    ['abcde'.repeat(4), false],
    ['abcde'.repeat(5), true],
    ['abcd'.repeat(9), false], // not ten times: two blocks of eight are four repeats and a half
    ['abcd'.repeat(10), true], // a block of eight, five times
    ['a'.repeat(24), false],
    ['a'.repeat(25), true],
    ['😀'.repeat(24), false], // code points, not UTF-16 units
    ['😀'.repeat(25), true],
    [`${'abcde'.repeat(4)}\nabcde`, false],
    ['abc\nd'.repeat(9), false],
    ['abc\rd'.repeat(5), true], // Python's dot matches a carriage return
    ['abc\u2028d'.repeat(5), true],
  ])('%j: %s', (text, verdict) => {
    expect(hasRepetition(text)).toBe(verdict);
    expect(reference.test(text)).toBe(verdict);
  });

  it('agrees with the regular expression on random small alphabets', () => {
    const source = new Source(5);
    const alphabets = [
      ['a', 'b'],
      ['a', 'a', 'a', 'a', 'a', 'a', 'b'],
      ['a', 'b', 'c', '\n'],
      ['ab', 'ab', 'ab', 'ab', 'aba', 'abb'],
      ['😀', '😀', '😀', '😀', '😀', 'é', '\ud83d'],
    ];
    const verdicts = { true: 0, false: 0 };
    for (let i = 0; i < 10_000; i += 1) {
      const text = source.text(source.pick(alphabets), source.integer(20, 120));
      const want = reference.test(text);
      verdicts[`${want}`] += 1;
      expect(hasRepetition(text), JSON.stringify(text)).toBe(want);
    }
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(300);
  });

  it('agrees with the regular expression on planted blocks, whole, cut short and spoilt', () => {
    const source = new Source(6);
    const verdicts = { true: 0, false: 0 };
    for (let i = 0; i < 2000; i += 1) {
      const alphabet = source.pick([
        ['a', 'b'],
        ['a', 'b', 'c', 'd', 'e', 'f'],
      ]);
      const block = source.text(alphabet, source.integer(3, 60));
      const length = Math.round(block.length * (5 + source.pick([-1, -0.1, 0, 0, 0.4]))) + source.integer(-1, 1);
      let run = block.repeat(7).slice(0, length);
      if (source.uniform() < 0.3) {
        const at = source.integer(0, run.length - 1);
        run = `${run.slice(0, at)}#${run.slice(at + 1)}`;
      }
      const text = source.text(alphabet, source.integer(0, 150)) + run + source.text(alphabet, source.integer(0, 150));
      const want = reference.test(text);
      verdicts[`${want}`] += 1;
      expect(hasRepetition(text), JSON.stringify(text)).toBe(want);
    }
    expect(Math.min(verdicts.true, verdicts.false)).toBeGreaterThan(300);
  });

  it('finds a block of any length in a long line, to the character', () => {
    const source = new Source(7);
    for (const period of [5, 9, 10, 11, 639, 640, 641, 1000, 4999, 20_000]) {
      const run = source.text(['a', 'b', 'c', 'd'], period).repeat(5);
      for (const before of [0, 1, period - 1, 3 * period, 7 * period + 3]) {
        const head = source.text(['p', 'q', 'r', 's'], before);
        expect(hasRepetition(`${head}${run}`), `period ${period} at ${before}`).toBe(true);
        expect(hasRepetition(`${head}${run.slice(1)}`), `period ${period} less one at ${before}`).toBe(false);
      }
    }
  });

  it('takes well under a second for a megabyte in one line', () => {
    const source = new Source(8);
    const length = 1_000_000;
    const letters = ['a', 'b', 'c', 'd'];
    const texts: [string, boolean][] = [
      [source.text(letters, length), false],
      [fibonacci(length), false],
      [thueMorse(length), false],
      [fibonacci(length / 4).repeat(4), false],
      [source.text(letters, length / 5).repeat(5), true],
      [
        `${source
          .text(letters, length / 5)
          .repeat(5)
          .slice(1)}e`,
        false,
      ],
      [`${thueMorse(length)}${'abcdef'.repeat(5)}`, true],
    ];
    for (const [text, verdict] of texts) {
      const ms = bestOfThreeMs(() => expect(hasRepetition(text)).toBe(verdict));
      expect(ms).toBeLessThan(700);
    }
  });
});
