import uPlot from 'uplot';
import type { Format } from './numbers.js';

/**
 * The y axis of values from `low` to `high`: with some room, but none beyond what they can be. Shares that do not change are seen
 * against all of 0 to 100%; counts, bytes and seconds are never negative.
 */
export function axisRange(low: number, high: number, format: Format): [number, number] {
  const top = format === 'share' && high <= 1 ? 1 : Number.POSITIVE_INFINITY;
  const bottom = format !== 'number' && low >= 0 ? 0 : Number.NEGATIVE_INFINITY;
  if (low === high && top === 1 && bottom === 0) return [0, 1];
  const room = Math.abs(low) * 0.1 || 1;
  const [from, to] =
    low === high ? [low - room, high + room] : (uPlot.rangeNum(low, high, 0.08, true) as [number, number]);
  return [Math.max(from, bottom), Math.min(to, top)];
}
