import { describe, expect, it } from 'vitest';
import { garbledShare } from '../../src/reward/index.js';
import { pythonStrip } from '../../src/reward/python-text.js';
import { Source } from './support.js';

/** What Python 3.11's `str.isspace` and `\s` accept, listed by running it over all code points. */
const pythonSpace = '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000';
/** LIMR's class (openrlhf/cli/serve_rm.py), Python's \s written out. */
const valid = new RegExp(`[a-zA-Z0-9${pythonSpace}.,!?"'(){}\\[\\]_\\-+=<>/@#$%^&*\\\\|:;~\`\u2200-\u22FF]`, 'gu');

describe('garbledShare', () => {
  it('agrees with the character class on every code point', () => {
    const differing: number[] = [];
    for (let point = 0; point <= 0x10ffff; point += 1) {
      const text = String.fromCodePoint(point);
      if (garbledShare(text) !== text.replace(valid, '').length / text.length) differing.push(point);
    }
    expect(differing).toEqual([]);
  });

  it('counts code points', () => {
    expect(garbledShare('')).toBe(0);
    expect(garbledShare('abc😀')).toBe(0.25);
    expect(garbledShare('😀\ud83d')).toBe(1);
    expect(garbledShare('αβγ\\boxed')).toBe(3 / 9);
    expect(garbledShare('中文乱1234567')).toBe(0.3);
  });

  it('agrees with the character class on random texts', () => {
    const source = new Source(3);
    const alphabet = ['a', '7', ' ', '\x1d', '\ufeff', '∑', 'é', '中', '😀', '\u3000', '\x07'];
    for (let i = 0; i < 2000; i += 1) {
      const text = source.text(alphabet, source.integer(1, 40));
      expect(garbledShare(text)).toBe([...text.replace(valid, '')].length / [...text].length);
    }
  });
});

describe('pythonStrip', () => {
  it('strips what Python calls whitespace, and only that', () => {
    expect(pythonStrip('\x1f\u3000\x85 a b\n\x1c')).toBe('a b');
    expect(pythonStrip('\ufeffa\ufeff')).toBe('\ufeffa\ufeff');
    expect(pythonStrip(' \n ')).toBe('');
  });
});
