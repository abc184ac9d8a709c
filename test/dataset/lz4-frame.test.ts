import { describe, expect, it } from 'vitest';
import { decompressLz4Frame } from '../../src/dataset/lz4-frame.js';

const word = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const bytes = (text: string) => [...Buffer.from(text)];
/** Blocks of at most 64 KiB, with the header's flags; the header's checksum is 0. */
const frame = (flags: number, ...blocks: readonly (readonly number[])[]) =>
  Uint8Array.from([
    ...word(0x184d2204),
    flags,
    0x40,
    ...(flags & 8 ? word(0) : []),
    ...(flags & 8 ? word(0) : []),
    0,
    ...blocks.flat(),
    ...word(0),
  ]);
const block = (...sequences: readonly number[]) => [...word(sequences.length), ...sequences];
const text = (compressed: Uint8Array) => Buffer.from(decompressLz4Frame(compressed)).toString();

describe('decompressLz4Frame', () => {
  it('repeats what a match names, be it what the match itself writes', () => {
    // 2 literals, a match of 4 + 5 bytes 2 back; then 1 literal
    expect(text(frame(0x60, block(0x25, ...bytes('ab'), 2, 0, 0x10, ...bytes('!'))))).toBe('abababababa!');
    expect(text(frame(0x60, block(0x1f, ...bytes('x'), 1, 0, 255, 10, 0x00)))).toBe('x'.repeat(1 + 15 + 255 + 10 + 4));
  });

  it('looks back into earlier blocks, stored ones too, and passes over sizes and checksums', () => {
    const stored = [...word((0x8000_0000 | 4) >>> 0), ...bytes('1234')];
    expect(text(frame(0x40, stored, block(0x01, 4, 0, 0x10, ...bytes('.'))))).toBe('123412341.');
    expect(text(frame(0x58, [...stored, ...word(7)], [...block(0x10, ...bytes('.')), ...word(8)]))).toBe('1234.');
  });

  it('is empty without blocks, and has literals of any number', () => {
    expect(text(frame(0x60))).toBe('');
    const many = 'y'.repeat(15 + 255 + 3);
    expect(text(frame(0x60, block(0xf0, 255, 3, ...bytes(many))))).toBe(many);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['no frame', Uint8Array.from([1, 2, 3, 4, 5]), /another beginning/],
    ['a cut one', frame(0x60, block(0x10, 65)).subarray(0, 12), /ends too early/],
    ['one without an end', frame(0x60, block(0x10, 65)).slice(0, -4), /ends too early/],
    ['another version', frame(0x20), /header is none/],
    ['one with a dictionary', frame(0x61), /needs a dictionary/],
    ['a match before the beginning', frame(0x60, block(0x10, 65, 2, 0, 0)), /a match leaves/],
    ['a match of no distance', frame(0x60, block(0x10, 65, 0, 0, 0)), /a match leaves/],
    ['a block that ends within a match', frame(0x60, block(0x1f, 65, 1, 0)), /ends within a sequence/],
    ['more literals than there are', frame(0x60, block(0x50, 65)), /literals leave/],
    [
      'a block that grows beyond its size',
      frame(0x60, block(0x1f, 65, 1, 0, ...new Array(300).fill(255), 0, 0)),
      /a match leaves/,
    ],
  ])('refuses %s', (_, damaged, message) => {
    expect(() => decompressLz4Frame(damaged)).toThrow(message);
  });
});
