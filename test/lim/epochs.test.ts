import { describe, expect, it } from 'vitest';
import { type EpochOptions, findEpochs, trajectoriesOf, WholeEpochs } from '../../src/lim/epochs.js';
import { GroupCollector, type RewardedSample } from '../../src/lim/groups.js';
import { rolloutPrompts } from '../../src/ppo/prompt-order.js';

/** A run over `numPrompts` prompts in the order that training has; the reward of a prompt's sample is its epoch. */
function run(
  numPrompts: number,
  rolloutBatchSize: number,
  steps: number,
  dropLast: boolean,
  name = (row: number) => `p${row}`,
  isRecorded = false,
) {
  const collector = new GroupCollector(['reward', 'accuracy']);
  const perEpoch = dropLast ? Math.floor(numPrompts / rolloutBatchSize) * rolloutBatchSize : numPrompts;
  const times = new Map<number, number>();
  for (let step = 1; step <= steps; ++step) {
    const samples: RewardedSample[] = [];
    const order = { numPrompts, rolloutBatchSize, seed: 42, shufflePrompts: true, dropLast };
    for (const { row, epoch: number, epochSize } of rolloutPrompts(order, step)) {
      const recorded = isRecorded ? { epoch: number, epochSize } : {};
      const epoch = dropLast ? Math.floor(((step - 1) * rolloutBatchSize) / perEpoch) : (times.get(row) ?? 0);
      times.set(row, epoch + 1);
      for (let sample = 0; sample < 2; ++sample)
        samples.push({ key: name(row), reward: epoch, correct: sample === 0, sample, ...recorded });
    }
    collector.addStep(samples);
  }
  return collector;
}

const auto: EpochOptions = { stepsPerEpoch: null, epochs: null };
const table = (collector: GroupCollector, options: EpochOptions = auto) => {
  const found = findEpochs(collector.steps, options);
  const { epochs, stepsPerEpoch, unusedSteps } = found;
  return {
    epochs,
    stepsPerEpoch,
    unusedSteps,
    values: trajectoriesOf(collector.steps, collector.keys.length, found, 'reward'),
  };
};
const wholeEpochs = ({ steps }: GroupCollector) => {
  const counted = new WholeEpochs();
  for (const step of steps) counted.add(step);
  return counted.count;
};
const isEpochOrMissing = (value: number, at: number, epochs: number) => Number.isNaN(value) || value === at % epochs;

describe('epochs out of the data', () => {
  it.each([
    [8523, 1024, 168, 8, 21, 0],
    [8523, 1024, 20, 8, 2, 4],
    [1389, 1024, 6, 1, 6, 0],
    [7, 4, 30, 1, 30, 0],
    [9, 8, 10, 1, 10, 0],
    [11, 4, 12, 2, 6, 0],
  ])('drop-last, %i prompts by %i, %i steps', (prompts, batch, steps, stepsPerEpoch, epochs, unusedSteps) => {
    const { values, ...found } = table(run(prompts, batch, steps, true));
    expect(found).toEqual({ epochs, stepsPerEpoch, unusedSteps });
    expect(values.values.every((value, at) => isEpochOrMissing(value, at, epochs))).toBe(true);
    const seen = values.values.filter((value) => !Number.isNaN(value)).length;
    expect(seen).toBe(epochs * stepsPerEpoch * batch);
  });

  it.each([
    [100, 30, 20, 6, null, 0],
    [100, 30, 21, 6, null, 1],
    [5, 4, 10, 8, null, 0],
    [64, 16, 12, 3, 4, 0],
    [64, 16, 13, 3, 4, 1],
    [100, 30, 2, 1, 2, 0],
  ])('a stream, %i prompts by %i, %i steps', (prompts, batch, steps, epochs, stepsPerEpoch, unusedSteps) => {
    const { values, ...found } = table(run(prompts, batch, steps, false));
    expect(found).toEqual({ epochs, stepsPerEpoch, unusedSteps });
    expect([...values.values]).toEqual(Array.from(values.values, (_, at) => at % epochs));
  });

  it.each([
    [11, 4, 12, true],
    [11, 4, 11, true],
    [100, 30, 21, false],
    [64, 16, 13, false],
    [5, 16, 3, false],
  ])('are those that samples name: %i prompts by %i, %i steps, dropLast %s', (prompts, batch, steps, dropLast) => {
    const [found, recorded] = [false, true].map((isRecorded) =>
      table(run(prompts, batch, steps, dropLast, undefined, isRecorded)),
    );
    expect(recorded).toEqual(found);
  });

  it('that samples name are right where two orders could have made the steps', () => {
    const collector = new GroupCollector(['reward']);
    const steps = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
      [9, 10, 1, 2],
      [3, 4, 5, 6],
    ];
    const samples = (names: readonly number[], step: number, isRecorded: boolean) =>
      names.map((name) => ({
        ...{ key: `${name}`, reward: 0, correct: false, sample: 0 },
        ...(isRecorded ? { epoch: 1 + Math.floor(step / 2), epochSize: 8 } : {}),
      }));
    for (const [step, names] of steps.entries()) collector.addStep(samples(names, step, true));
    expect(table(collector)).toMatchObject({ epochs: 2, stepsPerEpoch: 2, unusedSteps: 0 });
    expect(wholeEpochs(collector)).toBe(2);
    const silent = new GroupCollector(['reward']);
    for (const [step, names] of steps.entries()) silent.addStep(samples(names, step, false));
    expect(table(silent)).toMatchObject({ epochs: 1, stepsPerEpoch: null });
    expect(wholeEpochs(silent)).toBe(0);
  });

  it('that samples name may have different lengths, and the last one be cut short', () => {
    const collector = new GroupCollector(['reward']);
    const step = (epoch: number, epochSize: number, ...names: readonly string[]) =>
      collector.addStep(names.map((key) => ({ key, reward: epoch, correct: false, sample: 0, epoch, epochSize })));
    step(1, 4, 'a', 'b');
    expect(table(collector)).toMatchObject({ epochs: 1, unusedSteps: 0 });
    expect(wholeEpochs(collector)).toBe(0);
    step(1, 4, 'c', 'd');
    step(2, 4, 'a', 'b'); // a subset takes over: of epoch 2 only c is still to come
    step(2, 3, 'c', 'c');
    step(3, 3, 'b', 'c');
    const { values, ...found } = table(collector);
    expect(found).toEqual({ epochs: 2, stepsPerEpoch: 2, unusedSteps: 1 });
    expect([...values.values]).toEqual([1, 2, 1, 2, 1, 2, 1, Number.NaN]);
    step(3, 3, 'a');
    expect(table(collector)).toMatchObject({ epochs: 3, stepsPerEpoch: 2, unusedSteps: 0 });
    step(4, 1, 'a');
    expect(table(collector)).toMatchObject({ epochs: 4, stepsPerEpoch: null, unusedSteps: 0 });
    expect(table(collector, { stepsPerEpoch: null, epochs: 2 })).toMatchObject({ epochs: 2, unusedSteps: 3 });
  });

  it('two rows with one text are no end of an epoch, once it is said', () => {
    const twins = run(40, 8, 15, true, (row) => `p${row === 39 ? 0 : row}`);
    const first = twins.keys.indexOf('p0');
    const { epochs, stepsPerEpoch } = table(twins, { ...auto, repeats: (prompt) => (prompt === first ? 2 : 1) });
    expect([epochs, stepsPerEpoch]).toEqual([3, 5]);
    expect(() => table(twins)).toThrow('the steps do not fall into epochs');
  });

  it('as told', () => {
    const collector = run(100, 30, 7, true);
    expect(table(collector, { stepsPerEpoch: 2, epochs: null })).toMatchObject({
      epochs: 3,
      stepsPerEpoch: 2,
      unusedSteps: 1,
    });
    const two = table(collector, { stepsPerEpoch: null, epochs: 2 });
    expect(two).toMatchObject({ epochs: 2, stepsPerEpoch: 3, unusedSteps: 1 });
    expect(two.values.epochs).toBe(2);
    expect(() => table(collector, { stepsPerEpoch: 3, epochs: 3 })).toThrow(
      '7 steps hold 2 whole epochs of 3 steps, expected 3',
    );
    expect(() => table(collector, { stepsPerEpoch: 8, epochs: null })).toThrow('expected at least 1');
  });
});

describe('groups', () => {
  it('condense samples: mean, share of correct ones, population variance', () => {
    const collector = new GroupCollector(['reward', 'accuracy', 'variance']);
    const rewards = [1, -0.5, -1, -1, 1e9, 1e9 + 2];
    collector.addStep(rewards.map((reward, i) => ({ key: i < 4 ? 'a' : 'b', reward, correct: reward === 1 })));
    const [{ prompts, counts, values }] = collector.steps as [(typeof collector.steps)[number]];
    expect([[...prompts], [...counts]]).toEqual([
      [0, 1],
      [4, 2],
    ]);
    expect([...values.reward!]).toEqual([-0.375, 1e9 + 1]);
    expect([...values.accuracy!]).toEqual([0.25, 0]);
    expect(values.variance![0]).toBeCloseTo((1.375 ** 2 + 0.125 ** 2 + 2 * 0.625 ** 2) / 4, 15);
    expect(values.variance![1]).toBe(1);
    expect(collector.samples).toBe(6);
  });

  it('of one epoch are pooled by their samples', () => {
    const collector = new GroupCollector(['reward']);
    collector.addStep([
      { key: 'a', reward: 1, correct: true },
      { key: 'b', reward: 0, correct: false },
    ]);
    collector.addStep([0, 0, 1].map((reward) => ({ key: 'a', reward, correct: false })));
    const found = findEpochs(collector.steps, { stepsPerEpoch: 2, epochs: 1 });
    expect([...trajectoriesOf(collector.steps, 2, found, 'reward').values]).toEqual([0.5, 0]);
    expect(() => trajectoriesOf(collector.steps, 2, found, 'variance')).toThrow('variance was not collected');
  });
});
