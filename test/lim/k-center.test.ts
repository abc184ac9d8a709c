import { describe, expect, it } from 'vitest';
import { kCenter } from '../../src/lim/k-center.js';

const points = (...rows: readonly number[][]) => rows.map((row) => Float32Array.from(row));

describe('k-center', () => {
  it('starts in the middle and goes to what is farthest', () => {
    const { order, distance } = kCenter(points([0, 0], [10, 0], [-10, 0], [1, 0], [0, 9]), 4);
    expect([...order]).toEqual([0, 1, 2, 4]);
    expect([...distance]).toEqual([Number.POSITIVE_INFINITY, 10, 10, 9]);
  });

  it('covers within twice the best radius', () => {
    const cloud = Array.from({ length: 11 }, (_, i) => Float32Array.of(Math.sin(i * 12.9) * 5, Math.cos(i * 7.3) * 3));
    const radius = (centers: readonly number[]) =>
      Math.max(
        ...cloud.map((p) => Math.min(...centers.map((c) => Math.hypot(p[0]! - cloud[c]![0]!, p[1]! - cloud[c]![1]!)))),
      );
    let best = Number.POSITIVE_INFINITY;
    for (let a = 0; a < 11; ++a)
      for (let b = a; b < 11; ++b) for (let c = b; c < 11; ++c) best = Math.min(best, radius([a, b, c]));
    const found = radius([...kCenter(cloud, 3).order]);
    expect(found).toBeGreaterThanOrEqual(best);
    expect(found).toBeLessThanOrEqual(2 * best);
  });

  it('never takes a point twice, even where points are equal', () => {
    expect([...kCenter(points([1], [1], [1]), 3).order].sort()).toEqual([0, 1, 2]);
    expect([...kCenter(points([1]), 0).order]).toEqual([]);
  });

  it('refuses bad input', () => {
    expect(() => kCenter(points([1]), 2)).toThrow('2 of 1 points');
    expect(() => kCenter(points([1], [1, 2]), 1)).toThrow('point 1 has 2 numbers');
    expect(() => kCenter(points([1], [Number.NaN]), 1)).toThrow('point 1 has a number that is not finite');
  });
});
