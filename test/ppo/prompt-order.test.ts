import { describe, expect, it } from 'vitest';
import { firstRolloutOf, type PromptOrder, rolloutPrompts } from '../../src/ppo/prompt-order.js';
import { randperm } from '../../src/ppo/randperm.js';

describe('prompt order', () => {
  const order = { numPrompts: 10, rolloutBatchSize: 4, seed: 42, shufflePrompts: true, dropLast: false };
  const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
  const keysOf = (of: PromptOrder, rollout: number) => rolloutPrompts(of, rollout).map(({ key }) => key);

  it('dropLast leaves the rest of each epoch out', () => {
    const epochs = [1, 2, 3].map((rollout) => keysOf({ ...order, dropLast: true }, rollout));
    const [first, second] = [randperm(10, 42), randperm(10, 43)];
    expect(epochs[0]).toEqual(sorted([...first.slice(0, 4)]));
    expect(epochs[1]).toEqual(sorted([...first.slice(4, 8)]));
    expect(epochs[2]).toEqual(sorted([...second.slice(0, 4)]));
  });

  it('otherwise the last rollout of an epoch goes on with the next one', () => {
    const [first, second] = [randperm(10, 42), randperm(10, 43)];
    const rows = rolloutPrompts(order, 3).map(({ row }) => row);
    expect(sorted(rows)).toEqual(sorted([...first.slice(8), ...second.slice(0, 2)]));
    const seen = [1, 2, 3, 4, 5].flatMap((rollout) => rolloutPrompts(order, rollout).map(({ row }) => row));
    for (let row = 0; row < 10; ++row) expect(seen.filter((r) => r === row)).toHaveLength(2);
  });

  it('gives a prompt that occurs twice another key', () => {
    const drawn = rolloutPrompts({ ...order, numPrompts: 3, rolloutBatchSize: 6 }, 1);
    expect(drawn.map(({ key }) => key)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(drawn.map(({ row, epoch }) => [row, epoch])).toEqual([0, 1, 2, 3, 4, 5].map((i) => [i % 3, i < 3 ? 1 : 2]));
  });

  it('can keep the order of the file', () => {
    expect(keysOf({ ...order, shufflePrompts: false }, 2)).toEqual([4, 5, 6, 7]);
  });

  it('refuses to drop everything', () => {
    expect(() => rolloutPrompts({ ...order, rolloutBatchSize: 11, dropLast: true }, 1)).toThrow('drops all 10 prompts');
    expect(() => rolloutPrompts({ ...order, numPrompts: 0 }, 1)).toThrow('no training prompts');
  });

  it('LIMR: one rollout of 1,024 an epoch, 365 prompts dropped', () => {
    const limr = { ...order, numPrompts: 1389, rolloutBatchSize: 1024, dropLast: true };
    expect(keysOf(limr, 2)).toEqual(sorted([...randperm(1389, 43).slice(0, 1024)]));
  });

  /** Rows of rollouts, in the order of their epochs; within a rollout and epoch ascending. */
  const drawnOf = (of: PromptOrder, rollouts: number, subset: { fromEpoch: number; rows: ReadonlySet<number> }) =>
    Array.from({ length: rollouts }, (_, i) => rolloutPrompts(of, i + 1, subset)).flat();

  it.each([false, true])('of a subset is that of all with the others left out; dropLast %s', (dropLast) => {
    const of = { ...order, dropLast };
    const subset = { fromEpoch: 3, rows: new Set([1, 2, 3, 5, 7, 8]) };
    const turn = firstRolloutOf(of, 3);
    expect(turn).toBe(dropLast ? 5 : 6);
    const drawn = drawnOf(of, 20, subset);
    const before = (turn - 1) * 4;
    expect(drawn.slice(0, before)).toEqual(
      Array.from({ length: turn - 1 }, (_, i) => rolloutPrompts(of, i + 1)).flat(),
    );
    for (let epoch = 3; epoch <= 10; ++epoch) {
      const kept = [...randperm(10, 41 + epoch)].filter((row) => subset.rows.has(row)).slice(0, dropLast ? 4 : 6);
      const own = drawn.filter((prompt) => prompt.epoch === epoch);
      expect(sorted(own.map(({ row }) => row))).toEqual(sorted(kept));
      expect(own.every(({ epochSize }) => epochSize === kept.length)).toBe(true);
    }
  });

  it('leaves what was drawn of an epoch before its subset took over, and draws nothing twice in it', () => {
    const of = { ...order, numPrompts: 7 };
    const subset = { fromEpoch: 2, rows: new Set([0, 3, 6]) };
    const drawn = drawnOf(of, 6, subset);
    const all = [...randperm(7, 43)];
    const second = [all[0]!, ...all.slice(1).filter((row) => subset.rows.has(row))];
    expect(firstRolloutOf(of, 2)).toBe(3);
    expect(sorted(drawn.filter(({ epoch }) => epoch === 2).map(({ row }) => row))).toEqual(sorted(second));
    expect(drawn.filter(({ epoch }, i) => epoch === 2 && i >= 8).map(({ epochSize }) => epochSize)).toEqual(
      second.slice(1).map(() => second.length),
    );
    for (const epoch of [3, 4])
      expect(sorted(drawn.filter((prompt) => prompt.epoch === epoch).map(({ row }) => row))).toEqual([0, 3, 6]);
  });

  it('of a subset smaller than a rollout goes through several epochs in it; dropLast has nothing then', () => {
    const subset = { fromEpoch: 2, rows: new Set([4, 9]) };
    const drawn = rolloutPrompts({ ...order, numPrompts: 12 }, 5, subset);
    expect(drawn.map(({ key, epoch }) => [key, epoch])).toEqual([
      [4, 4],
      [9, 4],
      [16, 5],
      [21, 5],
    ]);
    expect(() => rolloutPrompts({ ...order, dropLast: true }, 3, subset)).toThrow('drops all 2 prompts');
    expect(rolloutPrompts({ ...order, dropLast: true }, 2, subset)).toHaveLength(4);
  });
});
