import { describe, expect, it } from 'vitest';
import { completeTrajectories, type MissingPolicy } from '../../src/lim/missing.js';
import { Trajectories } from '../../src/lim/trajectories.js';

const gap = Number.NaN;
/** The trajectory after filling, or null when it was dropped. */
const filled = (row: readonly number[], policy: MissingPolicy): number[] | null => {
  const { trajectories, rows } = completeTrajectories(Trajectories.of([row]), policy);
  return rows.length === 0 ? null : [...trajectories.row(0)];
};

describe('missing epochs', () => {
  it.each<[readonly number[], number[] | null, number[] | null, number[] | null]>([
    // as seen, limr, strict, interpolate
    [
      [0, 0.5, 1],
      [0, 0.5, 1],
      [0, 0.5, 1],
      [0, 0.5, 1],
    ],
    [[gap, 0.5, 1], [0.5, 0.5, 1], null, [0.5, 0.5, 1]],
    [[0, gap, 1], [0, 1, 1], null, [0, 0.5, 1]],
    [[0, 0.5, gap], null, null, [0, 0.5, 0.5]],
    [[0, gap, gap, 0.75], null, null, [0, 0.25, 0.5, 0.75]],
    [[gap, 1, gap, -1], [1, 1, -1, -1], null, [1, 1, 0, -1]],
    [[gap, gap, 0.5, gap, gap], null, null, [0.5, 0.5, 0.5, 0.5, 0.5]],
    [[gap, gap], null, null, null],
    // A mean reward of -1 is a value; in the original's accuracies it stands for "missing".
    [[-1, gap, -1], [-1, -1, -1], null, [-1, -1, -1]],
  ])('of %j', (seen, limr, strict, interpolate) => {
    expect(filled(seen, 'limr')).toEqual(limr);
    expect(filled(seen, 'strict')).toEqual(strict);
    expect(filled(seen, 'interpolate')).toEqual(interpolate);
  });

  it('leaves its input alone, says which rows stayed and how much was filled', () => {
    const rows = [
      [gap, 1],
      [1, gap],
      [0, 0.5],
      [gap, 0],
    ];
    const given = Trajectories.of(rows);
    const complete = completeTrajectories(given, 'limr');
    expect([...complete.rows]).toEqual([0, 2, 3]);
    expect([...complete.trajectories.values]).toEqual([1, 1, 0, 0.5, 0, 0]);
    expect(complete.filled).toBe(2);
    expect([...given.values]).toEqual(rows.flat());
  });
});
