/** TensorBoard's events of a run: every value once, also when the run was killed and resumed. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainOverrides } from '../../src/ppo/config.js';
import { train } from '../../src/ppo/train.js';
import type { ResumeMode } from '../../src/run/run-folder.js';
import { folderEvents, type ReadEvent } from '../tensorboard/read-events.js';
import { bigramJob, metricsOf } from './bigram-job.js';
import { killConfig } from './kill-config.js';

let root: string;
let count = 0;
const fresh = (): string => join(root, `run-${++count}`);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-tensorboard-'));
});
afterAll(() => rm(root, { recursive: true }));

const run = (dir: string, resume: ResumeMode, config: TrainOverrides = killConfig, events = dir) => {
  const job = bigramJob(dir, config);
  return train({ ...job, run: { ...job.run, resume, events } });
};

/** Small rollouts, of whose number the schedule knows nothing. */
const plain = (rollouts: number): TrainOverrides => ({
  rollouts,
  rolloutBatchSize: 3,
  nSamplesPerPrompt: 2,
  trainBatchSize: 4,
  maxSteps: 9,
  evalSteps: 1,
});

/** Every value, with the clock's left out, as "step tag value" in the order of reading. */
function valuesOf(events: readonly ReadEvent[]): string[] {
  const isClocked = (tag: string) => /^(seconds|memory|grading|(sampling|scoring|update)\/tokens_per)/.test(tag);
  return events.flatMap(({ step, values }) =>
    Object.entries(values)
      .filter(([tag]) => !isClocked(tag))
      .map(([tag, value]) => `${step} ${tag} ${value}`),
  );
}

it('has every number of metrics.jsonl as f32, a text and histograms a rollout', async () => {
  const dir = fresh();
  await run(dir, 'no');
  const events = folderEvents(dir);
  expect(events[0]).toMatchObject({ step: 0, kind: 'version' });
  for (const { rollout, ...metrics } of await metricsOf(dir)) {
    const values = Object.assign({}, ...events.filter(({ step }) => step === rollout).map(({ values }) => values));
    for (const [tag, value] of Object.entries(metrics)) {
      expect(values[tag], tag).toBe(value === null ? undefined : Math.fround(value));
    }
    expect(values['memory/peak_rss_bytes']).toBeGreaterThan(1e7);
    if (rollout === 0) continue;
    expect(values['histogram/lengths']).toBe(6);
    expect(values['histogram/advantages']).toBe(values['tokens/actions']);
    expect(values['samples/train']).toMatch(/^ {4}reward -?[\d.]+, (right|not right)/);
  }
  expect(new Set(valuesOf(events)).size).toBe(valuesOf(events).length);
});

describe('a run that was killed and resumed', () => {
  const script = fileURLToPath(new URL('./train-child.ts', import.meta.url));
  const kill = (dir: string, at: number, events = dir) =>
    spawnSync(process.execPath, ['--import', 'tsx', script, dir, String(at), events], { stdio: 'ignore' }).signal;

  it('has each value once', { timeout: 120_000 }, async () => {
    const reference = fresh();
    await run(reference, 'no');
    const expected = valuesOf(folderEvents(reference));
    for (const points of [[60], [131, 97], [215], [260]]) {
      const dir = fresh();
      for (const at of points) expect(kill(dir, at), `point ${at}`).toBe('SIGKILL');
      await run(dir, 'exact');
      expect(valuesOf(folderEvents(dir)), `killed at ${points}`).toEqual(expected);
    }
  });

  it('tells a TensorBoard that looks on what to forget', async () => {
    const dir = fresh();
    await run(dir, 'no', plain(2));
    await run(dir, 'exact', plain(3));
    const starts = folderEvents(dir).filter(({ kind }) => kind === 'start');
    expect(starts).toEqual([{ step: 3, kind: 'start', values: {} }]);
  });
});

describe('events that begin late, or move', () => {
  const scalars = (dir: string) => valuesOf(folderEvents(dir)).filter((text) => !/histogram|samples/.test(text));

  it('begin with the scalars so far', async () => {
    const [reference, dir, elsewhere] = [fresh(), fresh(), fresh()];
    await run(reference, 'no', plain(3));
    await train(bigramJob(dir, plain(1)));
    await run(dir, 'exact', plain(2));
    await run(dir, 'exact', plain(3), elsewhere);
    expect(scalars(elsewhere).toSorted()).toEqual(scalars(reference).toSorted());
  });

  it('leave the files of other runs alone', async () => {
    const [first, second, board] = [fresh(), fresh(), fresh()];
    await run(first, 'no', plain(1), board);
    await expect(run(second, 'no', plain(1), board)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: `${board} holds the TensorBoard events of a run already`,
    });
    await train(bigramJob(second, plain(1)));
    await run(second, 'exact', plain(2), board);
    expect(await readdir(board)).toHaveLength(2);
  });
});
