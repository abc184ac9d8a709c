import { describe, expect, it } from 'vitest';
import { PaintedSheet } from '../../src/cli/painted-sheet.js';
import { clock } from '../../src/cli/status-text.js';
import { TrainStatus } from '../../src/cli/train-status.js';
import type { TrainEvent } from '../../src/ppo/events.js';

const samples = (done: number, graded: number, phase: object = { kind: 'train' }): TrainEvent =>
  ({
    type: 'samples',
    rollout: 2,
    phase,
    ...{
      done,
      total: 1024,
      graded,
      correct: Math.floor(graded / 2),
      tokens: 50_000,
      seconds: 10,
      running: 64,
      queued: 448,
    },
  }) as TrainEvent;
const microBatch: TrainEvent = {
  type: 'micro_batch',
  rollout: 2,
  model: 'actor',
  ...{ step: 2, steps: 4, microBatch: 3, microBatches: 8, tokens: 4000, actions: 3000 },
};
const metrics = {
  'reward/mean': 0.1234,
  'reward/accuracy': 0.4375,
  'kl/mean': -0.00001,
  'length/mean': 24.06,
  'eval/heldout/accuracy': 0.5,
  'eval/heldout/accuracy_se': 0.01,
};

/** A run in its second rollout; the first took 100 seconds. */
function running() {
  let seconds = 0;
  const status = new TrainStatus(() => 1000 * seconds);
  const at = (time: number, ...events: TrainEvent[]) => {
    seconds = time;
    for (const event of events) status.observe(event);
  };
  at(0, { type: 'start', rollout: 0, rollouts: 4, resumedFrom: null, truncatedPrompts: 0 });
  at(5, { type: 'rollout', rollout: 1, rollouts: 4 });
  at(105, { type: 'metrics', rollout: 1, metrics, timings: {} }, { type: 'rollout', rollout: 2, rollouts: 4 });
  const rows = (width: number) => status.rows(new PaintedSheet(width, (_, text) => text));
  return { status, at, rows };
}

describe('the status of a run', () => {
  it('says all of it where there is room', () => {
    const { at, rows } = running();
    at(115, samples(512, 480));
    expect(rows(100)).toEqual([
      'rollout 2/4  █████░░░░░░░░░░░  4:50 left  1:55 so far',
      'sampling    ████████░░░░░░░░  512/1024  5000 tokens/s  64 running, 448 queued',
      'grading     ███████░░░░░░░░░  480/1024  50.0% right  32 queued',
      'training    -',
      'rollout 1   reward 0.123  accuracy 43.8%  KL 0.0000  length 24.1  held-out 50.0%',
    ]);
    at(125, samples(1024, 1024), microBatch);
    at(127, microBatch);
    expect(rows(100)[1]).toBe('sampling    ████████████████  1024/1024  5000 tokens/s');
    expect(rows(100)[3]).toBe('training    █████░░░░░░░░░░░  step 2/4  micro-batch 3/8  actor  4000 tokens/s');
  });

  it('says the most of it in 40 columns, and never more', () => {
    const { at, rows } = running();
    at(125, samples(1024, 1000), microBatch);
    expect(rows(39)).toEqual([
      'rollout 2/4  4:40 left  2:05 so far',
      'sampling    1024/1024  5000 tokens/s',
      'grading     1000/1024  50.0% right',
      'training    step 2/4  actor',
      'rollout 1   reward 0.123  accuracy 43.8',
    ]);
    for (const width of [1, 7, 20, 55, 80])
      for (const row of rows(width)) expect(row.length).toBeLessThanOrEqual(width);
  });

  it('tells evaluation and scoring from sampling and training', () => {
    const { at, rows } = running();
    at(110, samples(10, 0, { kind: 'eval', set: 'x' }), {
      type: 'score',
      rollout: 2,
      model: 'critic',
      tokens: 9,
      actions: 4,
    });
    expect(rows(100)[1]).toMatch(/^evaluating {2}/);
    expect(rows(100)[3]).toBe('scoring     9 tokens by the critic');
  });

  it('has a line for a log', () => {
    const { status, at } = running();
    at(115, samples(512, 480));
    expect(status.line()).toBe('rollout 2/4, sampling, 512/1024, 5000 tokens/s, 64 running, 448 queued, 4:50 left');
    at(125, microBatch);
    expect(status.line()).toBe('rollout 2/4, training, step 2/4, micro-batch 3/8, actor, 4:40 left');
  });

  it('knows no time left before a rollout has ended', () => {
    const status = new TrainStatus(() => 0);
    expect(status.secondsLeft).toBeUndefined();
    const rows = () => status.rows(new PaintedSheet(60, (_, text) => text));
    expect(rows()[0]).toBe('starting  ░░░░░░░░░░░░░░░░  0:00 so far');
    status.observe({ type: 'start', rollout: 0, rollouts: 3, resumedFrom: null, truncatedPrompts: 0 });
    status.observe(samples(10, 0, { kind: 'eval', set: 'x' }));
    status.observe({ type: 'metrics', rollout: 0, metrics, timings: {} });
    expect(rows()[0]).toBe('rollout 0/3  ░░░░░░░░░░░░░░░░  0:00 so far');
  });
});

it('clock', () => {
  expect([0.4, 65, 3725, 200_000].map(clock)).toEqual(['0:00', '1:05', '1:02:05', '2d 07:33']);
});
