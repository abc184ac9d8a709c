/** LIM and LINEAR against numpy: scripts/golden/lim_scores.py. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { roundHalfEven } from '../../src/lim/choose.js';
import { coursesOf, trajectoryScores } from '../../src/lim/methods.js';
import { type MissingPolicy, missingPolicies } from '../../src/lim/missing.js';
import { Trajectories } from '../../src/lim/trajectories.js';

interface Golden {
  readonly cases: readonly {
    readonly name: string;
    readonly seen: readonly (readonly (number | null)[])[];
    readonly policies: Readonly<
      Record<MissingPolicy, Readonly<Record<'rows' | 'average' | 'lim' | 'linear', readonly number[]>>>
    >;
  }[];
  readonly rounding: readonly (readonly [number, number, number])[];
}

const { cases, rounding } = JSON.parse(readFileSync(new URL('../golden/lim.json', import.meta.url), 'utf8')) as Golden;

/** Sums of at most 32 * 21 numbers near 1 in another order. */
const tolerance = 1e-12;

const farthest = (got: ArrayLike<number>, want: readonly number[]): number =>
  want.reduce((most, value, i) => Math.max(most, Math.abs(value - got[i]!)), 0);

describe.each(cases)('$name', ({ seen, policies }) => {
  const trajectories = Trajectories.of(seen.map((row) => row.map((value) => value ?? Number.NaN)));

  it.each(missingPolicies)('%s keeps the same prompts, and scores them alike', (policy) => {
    const want = policies[policy];
    const courses = coursesOf(trajectories, policy);
    expect([...courses.rows]).toEqual(want.rows);
    expect(farthest(courses.average, want.average)).toBeLessThan(tolerance);
    for (const method of ['lim', 'linear'] as const) {
      const scores = trajectoryScores(method, trajectories, () => courses);
      const kept = want.rows.map((row) => scores[row]!);
      expect(kept).toHaveLength(want[method].length);
      expect(farthest(kept, want[method])).toBeLessThan(tolerance);
      expect([...scores].filter((score) => !Number.isNaN(score))).toHaveLength(want.rows.length);
    }
  });
});

it('the policies differ: the cases have gaps that only some of them fill', () => {
  const gaps = cases.filter(({ seen }) => seen.some((row) => row.includes(null)));
  expect(gaps.length).toBeGreaterThan(4);
  for (const { policies, seen } of gaps) {
    expect(policies.strict.rows.length).toBeLessThan(policies.limr.rows.length);
    expect(policies.limr.rows.length).toBeLessThan(policies.interpolate.rows.length);
    expect(policies.interpolate.rows.length).toBeLessThan(seen.length);
  }
});

it('rounds as Python does, exact halves to the even side', () => {
  for (const [x, decimals, want] of rounding)
    expect([x, decimals, roundHalfEven(x, decimals) + 0]).toEqual([x, decimals, want + 0]);
  expect(roundHalfEven(Number.NaN, 2)).toBeNaN();
});
