import { describe, expect, it } from 'vitest';
import { combineRewards, type Reward, scoreSamples, shapeReward } from '../../src/reward/index.js';
import { sampleOf } from './support.js';

const of = (name: string, reward: number, fields: object = {}): Reward => ({
  name,
  score: (samples) =>
    samples.map(() => ({ reward, correct: true, wellFormed: true, reason: name, answer: 'a', detail: '', ...fields })),
});
const two = [sampleOf({ tokens: new Int32Array(2) }), sampleOf({ tokens: new Int32Array(5) })];

describe('shapeReward', () => {
  const length = { name: 'length', weight: -0.1, values: (samples: typeof two) => samples.map((s) => s.tokens.length) };

  it('adds weighted terms, says which, and leaves the verdict alone', async () => {
    const shaped = shapeReward(of('rule', 1, { correct: false }), [
      length,
      { name: 'one', weight: 2, values: () => [1, 1] },
    ]);
    expect(shaped.name).toBe('rule+length+one');
    const results = await scoreSamples(shaped, two);
    expect(results).toMatchObject([
      { reward: 2.8, correct: false, reason: 'rule', answer: 'a', parts: { base: 1, length: -0.2, one: 2 } },
      { reward: 2.5, parts: { base: 1, length: -0.5, one: 2 } },
    ]);
  });

  it('without terms is the reward itself', () => {
    const base = of('rule', 1);
    expect(shapeReward(base, [])).toBe(base);
  });

  it('shows a term what the reward said', async () => {
    const seen: unknown[] = [];
    const term = {
      name: 'spy',
      weight: 1,
      values: (samples: readonly unknown[], results: readonly { reward: number }[]) => {
        seen.push(...results.map(({ reward }) => reward));
        return samples.map(() => 0);
      },
    };
    await scoreSamples(shapeReward(of('rule', 3), [term]), two);
    expect(seen).toEqual([3, 3]);
  });

  it('lets no missing or broken value pass', async () => {
    const short = shapeReward(of('rule', 1), [{ name: 'short', weight: 1, values: () => [0] }]);
    await expect(scoreSamples(short, two)).rejects.toMatchObject({
      code: 'LIMR_NUMERIC',
      message: 'reward rule+short gave NaN to sample 0 of prompt p0',
    });
    expect(() => shapeReward(of('rule', 1), [length, length])).toThrow('two parts of a reward are called length');
    expect(() => shapeReward(of('rule', 1), [{ ...length, name: 'base' }])).toThrow('called base');
  });
});

describe('combineRewards', () => {
  it('sums under weights; the first one says what is right', async () => {
    const sum = combineRewards([
      { reward: of('rule', 1) },
      { reward: of('style', 4, { correct: false, reason: 'no' }), weight: 0.25 },
    ]);
    expect(sum.name).toBe('1*rule + 0.25*style');
    const results = await scoreSamples(sum, two);
    expect(results[1]).toMatchObject({ reward: 2, correct: true, reason: 'rule', parts: { rule: 1, style: 1 } });
  });

  it('refuses nothing, and two of one name', () => {
    expect(() => combineRewards([])).toThrow('at least one');
    expect(() => combineRewards([{ reward: of('a', 1) }, { reward: of('a', 2) }])).toThrow('are called a');
  });

  it('closes what can be closed', async () => {
    const closed: string[] = [];
    const closable = (name: string): Reward => ({ ...of(name, 1), close: async () => void closed.push(name) });
    await combineRewards([{ reward: closable('a') }, { reward: of('b', 1) }, { reward: closable('c') }]).close!();
    await shapeReward(closable('d'), [{ name: 't', weight: 1, values: () => [] }]).close!();
    expect(closed).toEqual(['a', 'c', 'd']);
    expect(combineRewards([{ reward: of('b', 1) }]).close).toBeUndefined();
  });
});
