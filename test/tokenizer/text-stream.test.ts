import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { TextStream } from '../../src/tokenizer/text-stream.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';

const nano = await Tokenizer.load(fileURLToPath(new URL('../../models/limr-nano', import.meta.url)));

describe('TextStream', () => {
  it('gives out the text of the tokens, whole characters at a time', () => {
    // The tokenizer has one token a byte: a character of three bytes comes with its third token.
    const text = 'a=∑ 1\n√2 𝛼';
    const stream = new TextStream(nano);
    const pieces = [...nano.encode(text)].map((token) => stream.push(token));
    pieces.push(stream.end());
    expect(pieces.join('')).toBe(text);
    expect(pieces.filter((piece) => piece.includes('\uFFFD'))).toEqual([]);
    expect(pieces.slice(0, 5)).toEqual(['a', '=', '', '', '∑']);
  });

  it('ends with what a cut character decodes to', () => {
    const stream = new TextStream(nano);
    const [first = 0] = nano.encode('∑');
    expect(stream.push(first)).toBe('');
    expect(stream.end()).toBe('\uFFFD');
  });
});
