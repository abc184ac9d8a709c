import { describe, expect, it } from 'vitest';
import { formatBytes, parseBytes } from '../../src/bytes.js';

describe('bytes', () => {
  it.each([
    ['8GB', 8e9],
    ['512MiB', 512 * 2 ** 20],
    ['1.5 gb', 1.5e9],
    ['1000', 1000],
    ['1e3', 1000],
  ])('reads %s', (text, bytes) => {
    expect(parseBytes(text, 'memory')).toBe(bytes);
  });

  it.each(['', '-1', '8XB', 'GB', '0', '1..2', 'NaN', '1e400'])('refuses %j', (text) => {
    expect(() => parseBytes(text, 'memory')).toThrowError(
      expect.objectContaining({ code: 'LIMR_USAGE', message: expect.stringContaining('memory is') }),
    );
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.00 kB'],
    [999_499, '999 kB'],
    [999_999, '1.00 MB'],
    [25_300_000_000, '25.3 GB'],
  ])('writes %d', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});
