/** Seeded choices among stop points. */
import { batchOrder, philox } from '../../src/random.js';
import type { StopPoint } from './stoppable.js';

/** Uniform in [0, 1): a function of its arguments. */
export const uniform = (seed: number, n: number): number => philox([n, 0, 0, 0], [seed, 0])[0] / 2 ** 32;

const shuffled = <T>(items: readonly T[], seed: number): T[] =>
  Array.from(batchOrder(items.length, seed, 0, 0), (i) => items[i]!);

const grouped = <T>(items: readonly T[], key: (item: T) => string): T[][] => {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return [...groups.values()];
};

/** Of every phase `kinds` kinds of points (distinct `what`), of each kind `occurrences` points; all there are where there are fewer. */
export function choose(points: readonly StopPoint[], kinds: number, occurrences: number, seed: number): StopPoint[] {
  return grouped(points, ({ phase }) => phase).flatMap((ofPhase) =>
    shuffled(
      grouped(ofPhase, ({ what }) => what),
      seed,
    )
      .slice(0, kinds)
      .flatMap((ofKind) => shuffled(ofKind, seed).slice(0, occurrences)),
  );
}
