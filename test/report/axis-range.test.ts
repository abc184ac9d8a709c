import { describe, expect, it } from 'vitest';
import { axisRange } from '../../src/report/page/axis-range.js';

describe('the y axis of a chart', () => {
  it('of shares that do not change is 0 to 100%', () => {
    for (const share of [0, 0.5, 1]) expect(axisRange(share, share, 'share')).toEqual([0, 1]);
  });

  it('of what does not change has room on both sides, but none below what is possible', () => {
    expect(axisRange(0, 0, 'number')).toEqual([-1, 1]);
    expect(axisRange(-20, -20, 'number')).toEqual([-22, -18]);
    for (const format of ['whole', 'bytes', 'seconds'] as const) {
      expect(axisRange(0, 0, format)).toEqual([0, 1]);
      expect(axisRange(100, 100, format)).toEqual([90, 110]);
    }
  });

  it('holds all values, and does not leave what shares and counts can be', () => {
    for (const [low, high] of [
      [0, 1],
      [0.001, 0.999],
      [0.4, 0.41],
      [0, 1e-9],
      [0.98, 1],
    ] as const) {
      const [from, to] = axisRange(low, high, 'share');
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(1);
      expect([from <= low, to >= high]).toEqual([true, true]);
    }
    expect(axisRange(3, 4000, 'bytes')[0]).toBeGreaterThanOrEqual(0);
    expect(axisRange(-1, 1, 'number')[0]).toBeLessThan(-1);
    expect(axisRange(0.9, 1.02, 'share')[1]).toBeGreaterThan(1.02); // an error bar may reach beyond 1
  });
});
