import { bestOfThreeMs, cpuMs } from '../../support.js';

/** A text of a million characters or a few more. */
export function million(unit: string): string {
  return unit.repeat(Math.ceil(1_000_000 / unit.length));
}

/** Milliseconds of processor time of one call, or of the best of three where one took longer than the limit: a neighbour may be busy. */
export function leastMs(work: () => void, limitMs: number): number {
  const ms = cpuMs(work);
  return ms <= limitMs ? ms : bestOfThreeMs(work);
}
