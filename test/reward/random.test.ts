import { describe, expect, it } from 'vitest';
import { createReward, type RandomOptions, scoreSamples } from '../../src/reward/index.js';
import { uniform } from '../../src/reward/random.js';
import { sampleOf } from './support.js';

describe('randomReward', () => {
  const random = (options: Partial<RandomOptions> = {}) =>
    createReward({ kind: 'random', seed: 1, rate: 0.3, ...options });
  const grid = (fields = {}) =>
    Array.from({ length: 20_000 }, (_, i) =>
      sampleOf({ rollout: Math.floor(i / 4000), row: Math.floor(i / 8) % 500, sample: i % 8, ...fields }),
    );
  const correctness = async (reward: ReturnType<typeof random>, samples = grid()) =>
    (await scoreSamples(reward, samples)).map((result) => result.correct);
  const share = (flags: readonly boolean[]) => flags.filter(Boolean).length / flags.length;

  it('is right at the rate, whatever the answer', async () => {
    const drawn = await correctness(random());
    expect(Math.abs(share(drawn) - 0.3)).toBeLessThan(0.013); // four standard errors of 20,000 draws
    expect(await correctness(random(), grid({ response: '\\boxed{no}', answer: 'yes' }))).toEqual(drawn);
    expect(share(await correctness(random({ rate: 0 })))).toBe(0);
    expect(share(await correctness(random({ rate: 1 })))).toBe(1);
  });

  it('depends on seed, rollout, row and sample, each of them', async () => {
    const base = await correctness(random());
    const shifts = [{ rollout: 7 }, { row: 901 }, { sample: 9 }];
    for (const other of [
      await correctness(random({ seed: 2 })),
      ...(await Promise.all(shifts.map((shift) => correctness(random(), grid(shift))))),
    ]) {
      const equal = other.filter((flag, i) => flag === base[i]).length / base.length;
      expect(equal).toBeGreaterThan(0.5); // independent draws at 0.3 agree in 0.58
      expect(equal).toBeLessThan(0.66);
    }
    expect(uniform(1, 2, 3, 4)).not.toBe(uniform(1, 2, 4, 3));
  });

  it('keeps the rules of form, or ignores them', async () => {
    const unfinished = grid({ stopReason: 'length' });
    const ruled = await scoreSamples(random(), unfinished);
    expect(new Set(ruled.map(({ reward, reason }) => `${reward} ${reason}`))).toEqual(new Set(['-1 unfinished']));
    const ignored = await scoreSamples(random({ form: 'ignore' }), unfinished);
    expect(ignored.map((result) => result.correct)).toEqual(await correctness(random()));
    expect(ignored.every((result) => !result.wellFormed && result.reward === (result.correct ? 1 : -0.5))).toBe(true);
  });

  it('gives the rewards of the rule', async () => {
    const [first] = await scoreSamples(random({ rate: 1 }), [sampleOf({ answer: 'other' })]);
    expect(first).toEqual({
      reward: 1,
      correct: true,
      wellFormed: true,
      reason: 'drawn_correct',
      answer: '42',
      detail: '',
    });
  });
});
