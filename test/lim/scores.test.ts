import { describe, expect, it } from 'vitest';
import { averageTrajectory, limScores } from '../../src/lim/alignment.js';
import { highestScores, scoresAtLeast, scoresWithin } from '../../src/lim/choose.js';
import { explainScore } from '../../src/lim/explain.js';
import { linearScores } from '../../src/lim/linear.js';
import { overlapOf } from '../../src/lim/overlap.js';
import { randomPriorities } from '../../src/lim/random-priority.js';
import { bandCloseness, meanOverSeen } from '../../src/lim/seen-mean.js';
import { Trajectories } from '../../src/lim/trajectories.js';

describe('LIM', () => {
  // Means 0.25, 0.5, 0.75; sum of (1 - mean)^2 = 0.5625 + 0.25 + 0.0625 = 0.875.
  const two = Trajectories.of([
    [0, 0.5, 1],
    [0.5, 0.5, 0.5],
  ]);

  it('is one less the share of the distance from always right', () => {
    expect([...averageTrajectory(two)]).toEqual([0.25, 0.5, 0.75]);
    expect([...limScores(two)]).toEqual([1 - 0.125 / 0.875, 1 - 0.125 / 0.875]);
  });

  it('is 1 on the average curve and 0 for a prompt that is always solved', () => {
    const scores = limScores(
      Trajectories.of([
        [0.25, 0.5, 0.75],
        [1, 1, 1],
      ]),
      averageTrajectory(two),
    );
    expect([...scores]).toEqual([1, 0]);
  });

  it('does not change under a rescaling that keeps 1 at 1', () => {
    const rows = Array.from({ length: 12 }, (_, i) => Array.from({ length: 5 }, (_, k) => Math.sin(i * 3 + k * k)));
    const scaled = rows.map((row) => row.map((value) => 1 - 1.5 * (1 - value)));
    const [a, b] = [limScores(Trajectories.of(rows)), limScores(Trajectories.of(scaled))];
    for (const [i, score] of a.entries()) expect(b[i]).toBeCloseTo(score, 12);
    expect(new Set(a.map((score) => Math.round(score * 1e6))).size).toBe(12);
  });

  it('refuses 0/0, nothing, and rows of several lengths', () => {
    const code = (wanted: string) => expect.objectContaining({ code: wanted });
    expect(() => limScores(Trajectories.of([[1, 1]]))).toThrow(code('LIMR_NUMERIC'));
    expect(() => averageTrajectory(new Trajectories(3, new Float64Array()))).toThrow(code('LIMR_SHAPE'));
    expect(() => Trajectories.of([[1, 1], [1]])).toThrow('trajectory 1 has 1 epochs, the first one 2');
    expect(() => limScores(two, Float64Array.of(0))).toThrow(code('LIMR_SHAPE'));
  });

  it('explains a score: the losses are what it lacks of 1', () => {
    const mean = averageTrajectory(two);
    const rows = explainScore(Float64Array.of(Number.NaN, 0.5, 1), two.row(0), mean);
    expect(rows.map(({ seen, used }) => [seen, used])).toEqual([
      [null, 0],
      [0.5, 0.5],
      [1, 1],
    ]);
    const lost = rows.reduce((sum, { loss }) => sum + loss!, 0);
    expect(1 - lost).toBeCloseTo(limScores(two)[0]!, 14);
    expect(explainScore(two.row(0), undefined, mean)[0]).toEqual({
      epoch: 1,
      seen: 0,
      used: null,
      mean: 0.25,
      loss: null,
    });
  });
});

describe('rivals', () => {
  it('LINEAR: 1 for a steady rise, -1 for a steady fall, 0 for what stays', () => {
    const scores = linearScores(
      Trajectories.of([
        [-1, -0.5, 0, 0.5],
        [1, 0.75, 0.5, 0.25],
        [0.1, 0.1, 0.1, 0.1],
        [0, 1, 1, 0],
        [0, 0, 0, 1],
      ]),
    );
    expect([...scores].map((score) => Number(score.toFixed(12)) + 0)).toEqual([1, -1, 0, 0, 0.6]);
  });

  it('RAND: the same for a seed, nested in count, even over the rows', () => {
    const rows = Array.from({ length: 20_000 }, (_, row) => row);
    const draw = randomPriorities(rows, 7);
    expect(randomPriorities([19_999, 3], 7)).toEqual(Float64Array.of(draw[19_999]!, draw[3]!));
    expect(randomPriorities([3], 8)[0]).not.toBe(draw[3]);
    const small = new Set(highestScores(draw, 100));
    const large = new Set(highestScores(draw, 5000));
    expect([...small].every((row) => large.has(row))).toBe(true);
    // 5,000 of 20,000: a half holds 2,500 +- 31 (one standard deviation); five of them
    const inFirstHalf = [...large].filter((row) => row < 10_000).length;
    expect(Math.abs(inFirstHalf - 2500)).toBeLessThan(155);
    expect(new Set(draw).size).toBe(20_000);
  });

  it('pass rate and uncertainty: over the epochs that were seen', () => {
    const rates = meanOverSeen(
      Trajectories.of([
        [0, Number.NaN, 1],
        [0.25, 0.5, 0.25],
        [Number.NaN, Number.NaN, Number.NaN],
      ]),
    );
    expect([...rates]).toEqual([0.5, 1 / 3, Number.NaN]);
    expect([...scoresWithin(rates, 0.4, 0.5)]).toEqual([0]);
    expect([...highestScores(bandCloseness(Float64Array.of(0, 0.9, 0.45, 1), 0.2, 0.8), 2)]).toEqual([1, 2]);
  });
});

describe('choosing', () => {
  it('compares rounded scores with the threshold', () => {
    const scores = [0.594, 0.595001, 0.6, 0.61, Number.NaN];
    expect([...scoresAtLeast(scores, 0.6, 2)]).toEqual([1, 2, 3]);
    expect([...scoresAtLeast(scores, 0.6, 15)]).toEqual([2, 3]);
  });

  it('counts by what is not rounded, ties by place, and never takes what has no score', () => {
    expect([...highestScores([0.5, 0.501, Number.NaN, 0.5, -3], 2)]).toEqual([0, 1]);
    expect([...highestScores([0.5, 0.501, Number.NaN, 0.5, -3], 4)]).toEqual([0, 1, 3, 4]);
    expect(() => highestScores([0.5, Number.NaN], 2)).toThrow('2 prompts were asked for, and 1 of 2 have a score');
  });

  it('overlap is a share of the row', () => {
    expect(overlapOf({ a: Int32Array.of(1, 2, 3, 4), b: Int32Array.of(4, 5) }).shares).toEqual([
      [1, 0.25],
      [0.5, 1],
    ]);
  });
});
