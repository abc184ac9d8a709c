import { describe, expect, it } from 'vitest';
import { median, medianDeviation, ratioInterval } from '../../src/bench/statistics.js';

describe('median', () => {
  it('is the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('deviation is the median of the distances to it', () => {
    expect(medianDeviation([1, 2, 3, 4, 100])).toBe(1);
    expect(medianDeviation([5, 5, 5])).toBe(0);
  });
});

describe('ratioInterval', () => {
  const before = [1.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.03, 0.97, 1.0, 1.01];

  it('is the same for the same samples', () => {
    expect(ratioInterval(before, before)).toEqual(ratioInterval(before, before));
  });

  it('holds 1 for equal samples and the ratio for scaled ones', () => {
    const same = ratioInterval(before, [...before].reverse());
    expect(same.low).toBeLessThanOrEqual(1);
    expect(same.high).toBeGreaterThanOrEqual(1);
    const slower = ratioInterval(
      before,
      before.map((x) => x * 1.5),
    );
    expect(slower.low).toBeGreaterThan(1.4);
    expect(slower.low).toBeLessThanOrEqual(1.5);
    expect(slower.high).toBeGreaterThanOrEqual(1.5);
    expect(slower.high).toBeLessThan(1.6);
  });

  it('is wider for a larger share', () => {
    const [narrow, wide] = [ratioInterval(before, before, 0.5), ratioInterval(before, before, 0.99)];
    expect(wide.high - wide.low).toBeGreaterThan(narrow.high - narrow.low);
  });

  it('is the ratio where nothing varies', () => {
    expect(ratioInterval([2, 2, 2], [3, 3])).toEqual({ low: 1.5, high: 1.5 });
  });
});
