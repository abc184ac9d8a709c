import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions, flagLayer } from '../../src/config.js';
import { launchSelect } from '../../src/launch/select.js';
import { selectOptions } from '../../src/launch/select-options.js';
import type { NativeLoss } from '../../src/native.js';
import { resolveTrainConfig, type TrainOverrides } from '../../src/ppo/config.js';
import type { TrainEvent } from '../../src/ppo/events.js';
import { type TrainJob, train } from '../../src/ppo/train.js';
import { bigramJob, deterministicFiles, metricsOf } from './bigram-job.js';

let root: string;
let count = 0;
const fresh = (): string => join(root, `run-${++count}`);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-impact-'));
  const rows = bigramJob('').prompts.map(({ id, prompt, answer }) => ({ id, prompt, answer }));
  await writeFile(join(root, 'prompts.json'), JSON.stringify(rows));
});
afterAll(() => rm(root, { recursive: true }));

/** Five prompts, four a rollout: epochs end within rollouts 2, 3, 4, 5, ... of a stream; with dropLast every rollout is one. */
const base: TrainOverrides = { lim: true, rollouts: 7, maxSteps: 20, evalSteps: 0, saveSteps: 2 };

interface Row {
  readonly id: string;
  readonly prompt: string;
  readonly score: number;
  readonly kept: boolean;
  readonly weight?: number;
}

const linesOf = async <T>(file: string): Promise<T[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
const scoresOf = (dir: string, epoch: number) => linesOf<Row>(join(dir, `lim/epoch_${epoch}.jsonl`));

interface Sample {
  readonly id: string;
  readonly epoch: number;
  readonly reward: number;
}
const samplesOf = async (dir: string, rollout: number) =>
  JSON.parse(await readFile(join(dir, `samples/train/step_${rollout}.json`), 'utf8')) as Sample[];

async function run(config: TrainOverrides, job: Partial<TrainJob> = {}): Promise<string> {
  const dir = fresh();
  await train({ ...bigramJob(dir, { ...base, ...config }), ...job });
  return dir;
}

const drop = { limDrop: true, limFromEpoch: 3, limCount: 3 } as const;
const weight = { limWeight: true, limFromEpoch: 2, limMissing: 'interpolate' } as const;
const settings: readonly (readonly [string, TrainOverrides])[] = [
  ['a stream', {}],
  ['a stream, accuracies, interpolated', { limSignal: 'accuracy', limMissing: 'interpolate' }],
  ['dropLast', { dropLast: true }],
  ['dropLast, linear, strict', { dropLast: true, limMethod: 'linear', limMissing: 'strict' }],
  ['a stream that drops prompts', drop],
  ['dropLast that drops prompts', { ...drop, dropLast: true, limCount: 4, limMissing: 'interpolate' }],
  ['a stream that weights prompts', weight],
  ['rollouts of several epochs', { rolloutBatchSize: 12, trainBatchSize: 48, rollouts: 3 }],
];

describe('scores while training', () => {
  it.each(settings)('%s: select gives the same ones from the samples', async (_, config) => {
    const dir = await run(config);
    const { limMethod, limSignal, limMissing, limCount } = resolveTrainConfig({ ...base, ...config });
    const files = (await readdir(join(dir, 'lim'))).length;
    expect(files).toBeGreaterThan(3);
    let compared = 0;
    for (let epoch = 1; epoch <= files; ++epoch) {
      const rows = await scoresOf(dir, epoch);
      const output = join(root, 'scores.jsonl');
      const flags = { method: limMethod, signal: limSignal, missing: limMissing, epochs: String(epoch) };
      const options = { ...flags, samples: dir, prompts: join(root, 'prompts.json'), scoresOutput: output };
      const threshold = limCount === null ? {} : { threshold: '-100' };
      const select = launchSelect(
        completeOptions(selectOptions, flagLayer(selectOptions, { ...options, ...threshold })),
      );
      if (rows.length === 0) {
        await expect(select).rejects.toThrow('no prompt has a complete trajectory');
        continue;
      }
      const { ids } = await select;
      expect(rows.map(({ id, prompt, score }) => ({ id, prompt, score }))).toEqual(await linesOf(output));
      if (limCount === null) expect(rows.filter(({ kept }) => kept).map(({ id }) => id)).toEqual(ids);
      compared += rows.length;
    }
    expect(compared).toBeGreaterThan(files);
  });

  it('are numbers worked out by hand', async () => {
    const dir = await run({ rollouts: 3 });
    const rewards = new Map<string, number[][]>();
    for (const rollout of [1, 2, 3]) {
      for (const { id, epoch, reward } of await samplesOf(dir, rollout)) {
        const own = rewards.get(id) ?? [[], [], []];
        own[epoch - 1]!.push(reward);
        rewards.set(id, own);
      }
    }
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const courses = [...rewards].map(([id, epochs]) => ({ id, course: epochs.slice(0, 2).map(mean) }));
    const average = [0, 1].map((k) => mean(courses.map(({ course }) => course[k]!)));
    const scale = average.reduce((sum, m) => sum + (1 - m) ** 2, 0);
    const rows = await scoresOf(dir, 2);
    expect(rows.map(({ id }) => id)).toEqual(['p1', 'p2', 'p3', 'p4', 'p5']);
    for (const { id, score, kept } of rows) {
      const { course } = courses.find((own) => own.id === id)!;
      const distance = course.reduce((sum, r, k) => sum + (r - average[k]!) ** 2, 0);
      expect(score).toBeCloseTo(1 - distance / scale, 12);
      expect(kept).toBe(Number(score.toFixed(2)) >= 0.6);
    }
  });

  it('change no weight and no sample, and show in the metrics of the rollouts in which epochs end', async () => {
    const [without, dir] = [await run({ lim: false }), await run({})];
    const [before, after] = [await deterministicFiles(without), await deterministicFiles(dir)];
    const own = [...after.keys()].filter((name) => !before.has(name));
    expect(own).toEqual([1, 2, 3, 4, 5].map((epoch) => `lim/epoch_${epoch}.jsonl`));
    for (const [name, content] of before) if (name !== 'metrics.jsonl') expect(after.get(name), name).toBe(content);
    const metrics = (await metricsOf(dir)).filter((row) => 'lim/epoch' in row);
    expect(metrics.map((row) => [row.rollout, row['lim/epoch']])).toEqual([
      [2, 1],
      [3, 2],
      [4, 3],
      [5, 4],
      [7, 5],
    ]);
    for (const row of metrics) {
      const rows = await scoresOf(dir, row['lim/epoch']!);
      expect(row['lim/scored']).toBe(rows.length);
      expect(row['lim/kept']).toBe(rows.filter(({ kept }) => kept).length);
      expect(row['lim/mean']).toBeCloseTo(rows.reduce((sum, { score }) => sum + score, 0) / rows.length, 14);
    }
  });

  it('that are not defined are said, and stop nothing', async () => {
    const events: TrainEvent[] = [];
    const { evalReward } = bigramJob('');
    const reward = {
      ...evalReward,
      score: (samples: readonly unknown[]) =>
        samples.map(() => ({ reward: 1, correct: true, wellFormed: true, reason: '', answer: null, detail: '' })),
    };
    const dir = await run({ rollouts: 2 }, { reward, observe: (event) => events.push(event) });
    expect(await scoresOf(dir, 1)).toEqual([]);
    expect((await metricsOf(dir)).at(-1)).toMatchObject({ 'lim/scored': 0, 'lim/mean': null, 'lim/kept': 0 });
    expect(events.find(({ type }) => type === 'lim')).toMatchObject({
      epoch: 1,
      undefinedBecause: expect.stringContaining('every prompt has reward 1'),
    });
  });
});

describe('limDrop', () => {
  it('goes on with the prompts that were kept, each once an epoch', async () => {
    const dir = await run(drop);
    const kept = (await scoresOf(dir, 2)).filter((row) => row.kept).map(({ id }) => id);
    expect(kept).toHaveLength(3);
    const best = (await scoresOf(dir, 2)).sort((a, b) => b.score - a.score).slice(0, 3);
    expect(best.map(({ id }) => id).sort()).toEqual(kept);
    for (const rollout of [4, 5, 6, 7]) {
      const ids = new Set((await samplesOf(dir, rollout)).map(({ id }) => id));
      expect([...ids].filter((id) => !kept.includes(id))).toEqual([]);
    }
    const fourth = (await Promise.all([4, 5, 6, 7].map((rollout) => samplesOf(dir, rollout)))).flat();
    expect(new Set(fourth.filter(({ epoch }) => epoch === 4).map(({ id }) => id))).toEqual(new Set(kept));
    expect(fourth.filter(({ epoch }) => epoch === 4)).toHaveLength(3 * 4);
    const metrics = await metricsOf(dir);
    expect(metrics.find((row) => row['lim/epoch'] === 2)).toMatchObject({
      rollout: 3,
      'lim/kept': 3,
      'lim/prompts': 3,
    });
    expect(metrics.find((row) => row['lim/epoch'] === 1)).not.toHaveProperty('lim/prompts');
  });

  it('that keeps nothing ends the run after a checkpoint, from which other options go on', async () => {
    const dir = fresh();
    const config = { ...base, limDrop: true, limFromEpoch: 3, limThreshold: 1.5 };
    await expect(train(bigramJob(dir, config))).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringMatching(
        /^LIM leaves nothing to train on after epoch 2: 0 of 5 prompts are kept \(the highest score is [\d.]+\)$/,
      ),
      hint: expect.stringContaining('--resume-with-changes'),
    });
    expect(await readdir(join(dir, 'checkpoints'))).toContain('step_3');
    expect((await metricsOf(dir)).at(-1)).toMatchObject({ rollout: 3, 'lim/kept': 0 });

    const resume = (job: TrainJob, mode: 'exact' | 'with-changes') =>
      train({ ...job, run: { ...job.run, resume: mode } });
    await expect(resume(bigramJob(dir, config), 'exact')).rejects.toThrow('LIM leaves nothing to train on');
    const other = bigramJob(dir, { ...config, limThreshold: -10 });
    await expect(resume(other, 'exact')).rejects.toThrow('lim-threshold: 1.5 -> -10');
    expect(await resume(other, 'with-changes')).toMatchObject({ rollout: 7 });
  });

  it('that keeps fewer than dropLast needs says so', async () => {
    const config = { ...drop, dropLast: true, limCount: null, limThreshold: 1.5 };
    await expect(run(config)).rejects.toThrow('0 of 5 prompts are kept (the highest score is');
    await expect(run(config)).rejects.toThrow('dropLast needs 4');
    await expect(run({ ...drop, dropLast: true, limMissing: 'strict', limCount: 5 })).rejects.toThrow(
      /5 prompts were asked for, and \d of 5 have a score/,
    );
  });
});

describe('limWeight', () => {
  it("multiplies the policy's weights by N s / sum s, and leaves the critic's", async () => {
    const sums: { rollout: number; actor: number; critic: number; sequences: number }[] = [];
    let now = { rollout: 0, actor: 0, critic: 0, sequences: 0 };
    const onAccumulate = (role: string, batch: { offsets: Int32Array }, loss: NativeLoss) => {
      now[role === 'actor' ? 'actor' : 'critic'] += loss.weights.reduce((sum, w) => sum + w, 0);
      if (role === 'actor') now.sequences += batch.offsets.length - 1;
    };
    const at = (point: string) => {
      if (point !== 'critic step') return;
      sums.push(now);
      now = { rollout: 0, actor: 0, critic: 0, sequences: 0 };
    };
    const dir = fresh();
    // Sequence-mean: a sample's actions weigh 1 together, so a step's weights are the mean of its prompts'.
    const config = { ...base, ...weight, trainBatchSize: 16, lossAgg: 'sequence-mean' };
    await train(bigramJob(dir, config, { at, onAccumulate }));
    expect(sums).toHaveLength(7);
    for (const [i, { actor, critic, sequences }] of sums.entries()) {
      expect(critic).toBeCloseTo(1, 5);
      const samples = await samplesOf(dir, i + 1);
      const ended = [0, 0, 1, 2, 3, 4, 4][i]!; // epochs that had ended when rollout i + 1 began
      const rows = ended === 0 ? [] : await scoresOf(dir, ended);
      const weightOf = (id: string) => (ended === 0 ? 1 : (rows.find((row) => row.id === id)?.weight ?? 0));
      expect(actor).toBeCloseTo(samples.reduce((sum, { id }) => sum + weightOf(id), 0) / samples.length, 5);
      expect(sequences).toBe(samples.filter(({ id }) => weightOf(id) > 0).length);
    }
    const rows = await scoresOf(dir, 3);
    const total = rows.reduce((sum, { score }) => sum + Math.max(0, score), 0);
    for (const { score, weight: own } of rows) expect(own).toBeCloseTo((5 * Math.max(0, score)) / total, 12);
    const last = (await metricsOf(dir)).find((row) => row['lim/epoch'] === 3)!;
    const squares = rows.reduce((sum, row) => sum + row.weight! ** 2, 0);
    expect(last['lim/effective_prompts']).toBeCloseTo(25 / squares, 10);
  });

  it('gives the same bytes at every micro-batch size', async () => {
    const reference = await deterministicFiles(await run(weight));
    for (const microTrainBatchSize of [1, 32])
      expect(await deterministicFiles(await run({ ...weight, microTrainBatchSize }))).toEqual(reference);
  });
});

describe('a resumed run', () => {
  it.each([
    ['that scores', {}],
    ['that drops', drop],
    ['that weights', weight],
  ])('%s ends as one that was never stopped, wherever it stopped', async (_, config) => {
    const expected = await deterministicFiles(await run(config));
    for (let rollouts = 1; rollouts < 7; ++rollouts) {
      const dir = fresh();
      const controller = new AbortController();
      const observe = (event: TrainEvent) => {
        if (event.type === 'metrics' && event.rollout === rollouts) controller.abort();
      };
      const job = bigramJob(dir, { ...base, ...config });
      await expect(train({ ...job, observe, signal: controller.signal })).rejects.toMatchObject({
        code: 'LIMR_ABORTED',
      });
      await writeFile(join(dir, 'lim/epoch_9.jsonl.partial'), '').catch(() => {});
      await train({ ...job, run: { ...job.run, resume: 'exact' } });
      const got = await deterministicFiles(dir);
      for (const [name, content] of expected)
        if (!name.startsWith('checkpoints/') || name.startsWith('checkpoints/step_7'))
          expect(got.get(name), `${name}, stopped after ${rollouts}`).toBe(content);
      expect([...got.keys()].filter((name) => name.startsWith('lim/'))).toEqual(
        [...expected.keys()].filter((name) => name.startsWith('lim/')),
      );
    }
  });

  it('removes the scores of epochs that ended after its checkpoint', async () => {
    const dir = await run({ rollouts: 3 });
    await writeFile(join(dir, 'lim/epoch_3.jsonl'), '{}\n');
    const job = bigramJob(dir, { ...base, rollouts: 3 });
    await train({ ...job, run: { ...job.run, resume: 'exact' } });
    expect(await readdir(join(dir, 'lim'))).toEqual(['epoch_1.jsonl', 'epoch_2.jsonl']);
  });

  it('needs its samples', async () => {
    const dir = await run({ rollouts: 3 });
    const job = bigramJob(dir, base);
    await rm(join(dir, 'samples/train/step_3.json'));
    await expect(train({ ...job, run: { ...job.run, resume: 'exact' } })).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringContaining('has the samples of 2 rollouts, and the checkpoint is after rollout 3'),
    });
  });
});

describe('options that cannot work', () => {
  it.each<readonly [TrainOverrides, string, string]>([
    [{ lim: false, limDrop: true, limFromEpoch: 2 }, 'limDrop needs the scores of LIM', '--lim'],
    [{ lim: false, limCount: 3 }, 'limCount needs the scores of LIM', '--lim'],
    [{ saveSamples: false }, 'saveSamples is off', '--no-save-samples'],
    [{ limDrop: true, limWeight: true, limFromEpoch: 2 }, 'either limDrop or limWeight', 'Leave one'],
    [{ limDrop: true }, 'limDrop needs to know from which epoch', '--lim-from-epoch'],
    [{ limFromEpoch: 2 }, 'nothing begins in that epoch', '--lim-drop or --lim-weight'],
    [{ limThreshold: 0.5, limCount: 3 }, 'either limThreshold or limCount', 'Leave one'],
    [{ limMethod: 'linear', limWeight: true, limFromEpoch: 2 }, 'one point', '3 or more'],
  ])('%j', (config, message, hint) => {
    expect(() => resolveTrainConfig({ ...base, ...config })).toThrowError(
      expect.objectContaining({
        code: 'LIMR_USAGE',
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint),
      }),
    );
  });

  it('an unknown policy or method, and an epoch before the second', () => {
    expect(() => resolveTrainConfig({ lim: true, limMissing: 'forward' })).toThrow(
      'limMissing is "forward", expected one of limr, strict, interpolate',
    );
    expect(() => resolveTrainConfig({ lim: true, limMethod: 'random' })).toThrow('expected one of lim, linear');
    expect(() => resolveTrainConfig({ ...base, limDrop: true, limFromEpoch: 1 })).toThrow('limFromEpoch is 1');
  });

  it.each<readonly [TrainOverrides, string, string]>([
    [
      { ...drop, limFromEpoch: 8 },
      'limFromEpoch is 8, and that epoch would begin with rollout 10 of 7',
      'Set --lim-from-epoch to 5 or less, or --rollouts to 10 or more.',
    ],
    [{ ...drop, rollouts: 1 }, 'would begin with rollout 4 of 1', 'Set --rollouts to 4 or more.'],
    [{ ...drop, limCount: 6 }, 'limCount is 6, and there are 5 prompts', '5 or less'],
    [{ ...drop, dropLast: true }, 'limCount is 3, and dropLast drops all of them: a rollout takes 4', '4 or more'],
  ])('with these prompts: %j', async (config, message, hint) => {
    const dir = fresh();
    await expect(train(bigramJob(dir, { ...base, ...config }))).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    });
    await expect(readdir(dir)).rejects.toThrow('ENOENT');
  });

  it('two prompts of one id', async () => {
    const job = bigramJob(fresh(), base);
    const prompts = [...job.prompts, { ...job.prompts[1]!, id: ' p2 ' }];
    await expect(train({ ...job, prompts })).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: 'rows 1 and 5 of the training prompts have the same id "p2"',
    });
  });
});
