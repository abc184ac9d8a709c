import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GradedSample } from '../../src/eval/graded-samples.js';
import type { TrainEvent } from '../../src/ppo/events.js';
import { gradingTimings, onlyReward, partMetrics } from '../../src/ppo/grading.js';
import { train } from '../../src/ppo/train.js';
import type { Reward, RewardResult } from '../../src/reward/reward.js';
import { bigramJob, letterReward, metricsOf } from './bigram-job.js';

const graded = (grade: Partial<RewardResult>): GradedSample => ({
  prompt: { id: 'p', prompt: '', answer: '', tokens: new Int32Array(1) },
  sample: 0,
  tokens: new Int32Array(1),
  logprobs: new Float32Array(1),
  stopReason: 'eos',
  response: '',
  grade: { reward: 0, correct: false, wellFormed: true, reason: '', answer: null, detail: '', ...grade },
});

it('partMetrics are means by name', () => {
  const samples = [graded({ parts: { base: 1, overlong: 0 } }), graded({ parts: { base: 0, overlong: -0.5 } })];
  expect(partMetrics(samples)).toEqual({ 'reward/part/base': 0.5, 'reward/part/overlong': -0.25 });
  expect(partMetrics([graded({})])).toEqual({});
  expect(partMetrics([])).toEqual({});
});

it('gradingTimings are those of the samples that have any', () => {
  const times = Array.from({ length: 200 }, (_, i) => graded({ ms: 200 - i }));
  expect(gradingTimings(times)).toEqual({
    'seconds/grading': 20.1,
    'grading/mean_ms': 100.5,
    'grading/p99_ms': 198,
    'grading/max_ms': 200,
  });
  expect(gradingTimings([graded({ ms: 3 }), graded({})])).toMatchObject({ 'grading/p99_ms': 3, 'grading/mean_ms': 3 });
  expect(gradingTimings([graded({})])).toEqual({});
});

it.each([
  [1, [-1, -1, -1], -1],
  [3, [0, 0], 0],
  [4, [-1, -1], undefined],
  [1, [-1, -0.5, -1], undefined],
  [1, [-1], undefined],
  [1, [], undefined],
])('onlyReward of rollout %i with %j is %s', (rollout, rewards, want) => {
  expect(
    onlyReward(
      rollout,
      rewards.map((reward) => graded({ reward })),
    ),
  ).toBe(want);
});

describe('a run', () => {
  let dir = '';
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'limr-grading-'));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  async function run(reward: Reward): Promise<TrainEvent[]> {
    const events: TrainEvent[] = [];
    const job = {
      ...bigramJob(dir, { rollouts: 4, evalSteps: 4 }),
      reward,
      observe: (event: TrainEvent) => void events.push(event),
    };
    await train(job);
    return events;
  }
  const mapped = (name: string, change: (result: RewardResult, index: number) => RewardResult): Reward => ({
    name,
    score: async (samples) => (await letterReward.score(samples)).map(change),
  });

  it('warns of each of its first rollouts in which all rewards are equal', async () => {
    const events = await run(mapped('flat', (result) => ({ ...result, reward: -1 })));
    expect(events.filter(({ type }) => type === 'flat_rewards')).toEqual(
      [1, 2, 3].map((rollout) => ({ type: 'flat_rewards', rollout, reward: -1, samples: 16 })),
    );
  });

  it('says who graded, keeps the parts, and keeps clocks out of metrics and samples', async () => {
    const events = await run(
      mapped('parts', (result, i) => ({ ...result, parts: { base: result.reward, extra: 0 }, ms: i + 0.5 })),
    );
    expect(events.some(({ type }) => type === 'flat_rewards')).toBe(false);
    const samples = join(dir, 'samples', 'train');
    const [sample] = JSON.parse(readFileSync(join(samples, 'step_1.json'), 'utf8'));
    expect(sample).toMatchObject({ graded_by: 'parts', parts: { base: sample.reward, extra: 0 } });
    expect(sample).not.toHaveProperty('ms');
    const [evaluated] = JSON.parse(readFileSync(join(dir, 'samples', 'test', 'step_4.json'), 'utf8'));
    expect(evaluated).toMatchObject({ graded_by: 'letter' });
    const times = readFileSync(join(samples, 'step_1.grading.jsonl'), 'utf8').trimEnd().split('\n');
    expect(times).toHaveLength(16);
    expect(JSON.parse(times[1]!)).toEqual({ id: sample.id, sample: 1, ms: 1.5 });
    const [row] = await metricsOf(dir).then((rows) => rows.filter(({ rollout }) => rollout === 1));
    expect(row).toMatchObject({ 'reward/part/base': row!['reward/mean'], 'reward/part/extra': 0 });
    expect(Object.keys(row!).filter((key) => key.includes('grading'))).toEqual([]);
    const [timing] = readFileSync(join(dir, 'timings.jsonl'), 'utf8').split('\n').slice(1);
    expect(JSON.parse(timing!)).toMatchObject({ 'grading/max_ms': 3.5, 'grading/mean_ms': 2 });
    const record = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8'));
    expect(record.identity).toMatchObject({ reward: 'parts', evalReward: 'letter' });
  });

  it('without times writes no file of them', async () => {
    await run(letterReward);
    expect(readdirSync(join(dir, 'samples', 'train')).filter((name) => name.includes('grading'))).toEqual([]);
  });
});
