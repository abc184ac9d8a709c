import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { asCode, fileStart, processStart, stepEvent } from '../../src/tensorboard/events.js';
import { histogram } from '../../src/tensorboard/histogram.js';
import { crc32c, frame } from '../../src/tensorboard/record.js';
import { readEvents, records } from './read-events.js';

const golden = (name: string) => readFileSync(new URL(`../golden/tensorboard/${name}`, import.meta.url));

it('crc32c gives the values of RFC 3720, B.4', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
  expect(crc32c(ascending)).toBe(0x46dd794e);
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
});

describe('events', () => {
  it("have the bytes of TensorBoard's own writer", () => {
    const given = JSON.parse(golden('events.json').toString());
    const { wall_time, step, scalars, texts, histograms } = given;
    const events = [
      fileStart(wall_time),
      processStart(wall_time, step),
      stepEvent(wall_time, step, { scalars, texts, histograms }),
    ];
    expect(Buffer.concat(events).equals(golden('events.tfevents'))).toBe(true);
  });

  it('have no point where a value is not defined, and one where it is 0', () => {
    const event = stepEvent(1, 0, { scalars: { 'kl/mean': null, 'loss/policy': 0, 'grad_norm/actor': 1e-50 } });
    expect(readEvents(event)).toEqual([
      { step: 0, kind: 'summary', values: { 'loss/policy': 0, 'grad_norm/actor': 0 } },
    ]);
  });

  it('show texts as code, without control characters', () => {
    expect(asCode('# a\n\u001b[31m<b>\u0002\u2028\r\n')).toBe('    # a\n    \\x1b[31m<b>\\x02\\u2028\\x0d\n    ');
    expect(readEvents(stepEvent(1, 2, { texts: { t: '*x*' } }))[0]?.values).toEqual({ t: '    *x*' });
  });

  it('that were cut or changed are seen by a reader', () => {
    const bytes = Buffer.concat([fileStart(1), frame(Buffer.from('abc'))]);
    expect(records(bytes).map(String).at(-1)).toBe('abc');
    bytes[bytes.length - 6]! ^= 1;
    expect(() => records(bytes)).toThrow(/^record at/);
  });
});

describe('histogram', () => {
  it('counts every value once, the ends included', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => Math.fround(Math.sin(i) * 1e-3));
    const { limits, counts, min, max, count, sum, sumOfSquares } = histogram(values);
    expect([count, counts.length, limits.at(-1)]).toEqual([1000, 30, max]);
    expect(counts.reduce((a, b) => a + b)).toBe(1000);
    for (const [bin, limit] of limits.entries()) {
      const left = bin === 0 ? -Infinity : limits[bin - 1]!;
      expect(counts[bin]).toBe(values.filter((value) => value > left && value <= limit).length);
    }
    expect(min).toBe(Math.min(...values));
    expect(sum).toBeCloseTo(
      values.reduce((a, b) => a + b, 0),
      10,
    );
    expect(sumOfSquares).toBeGreaterThan(0);
  });

  it('of equal values has one bin', () => {
    expect(histogram([3, 3])).toEqual({ min: 3, max: 3, count: 2, sum: 6, sumOfSquares: 18, limits: [3], counts: [2] });
  });

  it('of numbers that differ by one bit has each in a bin', () => {
    const { counts } = histogram([1, 1 + Number.EPSILON]);
    expect(counts.reduce((a, b) => a + b)).toBe(2);
  });
});
