import { execFileSync, spawnSync } from 'node:child_process';
import { appendFile, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainOverrides } from '../../src/ppo/config.js';
import { type TrainJob, type TrainResult, train } from '../../src/ppo/train.js';
import type { ResumeMode } from '../../src/run/run-folder.js';
import { bigramJob, deterministicFiles, metricsOf } from './bigram-job.js';
import { killConfig } from './kill-config.js';

let root: string;
let count = 0;
const fresh = (): string => join(root, `run-${++count}`);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-resume-'));
});
afterAll(() => rm(root, { recursive: true }));

const resumed = (job: TrainJob, resume: ResumeMode = 'exact'): TrainJob => ({ ...job, run: { ...job.run, resume } });
const resume = (dir: string, config: TrainOverrides, mode: ResumeMode = 'exact'): Promise<TrainResult> =>
  train(resumed(bigramJob(dir, config), mode));

describe('SIGKILL and resume give the bytes of a run that was never killed', () => {
  const script = fileURLToPath(new URL('./train-child.ts', import.meta.url));
  const child = (dir: string, killAt: number): readonly string[] => ['--import', 'tsx', script, dir, String(killAt)];
  // `KILL_STRIDE=1 npx vitest run test/ppo/resume.test.ts` tries every point; it takes some minutes.
  const stride = Number(process.env.KILL_STRIDE ?? 0);

  it('at points all over the run', { timeout: 3_600_000 }, async () => {
    const reference = fresh();
    const points = Number(execFileSync(process.execPath, child(reference, 0), { encoding: 'utf8' }));
    const expected = await deterministicFiles(reference);
    expect(points).toBeGreaterThan(200);
    expect([...expected.keys()]).toEqual(
      expect.arrayContaining([
        'checkpoints/step_3/critic/optimizer.bin',
        'lim/epoch_1.jsonl',
        'metrics.jsonl',
        'samples/train/step_3.json',
      ]),
    );
    const step = stride || Math.ceil(points / 14);
    let kills = 0;
    for (let at = 1; at <= points; at += step) {
      const dir = fresh();
      const result = spawnSync(process.execPath, child(dir, at), { stdio: 'ignore' });
      expect(result.signal, `point ${at} of ${points}`).toBe('SIGKILL');
      kills += 1;
      await resume(dir, killConfig);
      expect(await deterministicFiles(dir), `killed at point ${at} of ${points}`).toEqual(expected);
      await rm(dir, { recursive: true });
    }
    expect(kills).toBeGreaterThanOrEqual(13);
  });

  it('killed again while resuming', { timeout: 120_000 }, async () => {
    const [reference, dir] = [fresh(), fresh()];
    await train(bigramJob(reference, killConfig));
    for (const at of [150, 130, 170]) {
      const result = spawnSync(process.execPath, child(dir, at), { stdio: 'ignore' });
      expect(result.signal).toBe('SIGKILL');
    }
    await resume(dir, killConfig);
    expect(await deterministicFiles(dir)).toEqual(await deterministicFiles(reference));
  });
});

describe('an interrupt', () => {
  /** Aborts at the n-th occurrence of a model's point; returns the error. */
  async function interrupt(dir: string, config: TrainOverrides, where: string, nth: number): Promise<unknown> {
    const controller = new AbortController();
    let seen = 0;
    const at = (point: string): void => {
      if (point === where && ++seen === nth) controller.abort();
    };
    return train({ ...bigramJob(dir, config, { at }), signal: controller.signal }).then(
      () => 'it ended',
      (error: unknown) => error,
    );
  }
  const config: TrainOverrides = { rollouts: 3, saveSteps: 0, saveTokenStats: true };

  it.each([
    ['during the evaluation before training', 'actor generate', 3, 0, true],
    ['while sampling rollout 1', 'actor generate', 20, 0, false],
    ['while scoring rollout 1', 'reference score', 1, 0, false],
    ['while updating: the update is finished first', 'actor accumulate', 2, 1, false],
    ['while sampling rollout 2', 'actor generate', 41, 1, false],
    ['while the critic learns', 'critic step', 3, 2, true],
    ['in the last evaluation', 'actor generate', 88, 3, true],
  ] as const)('%s', async (_, where, nth, rollout, pending) => {
    const [reference, dir] = [fresh(), fresh()];
    await train(bigramJob(reference, config));
    const error = await interrupt(dir, config, where, nth);
    expect(error).toMatchObject({ code: 'LIMR_ABORTED', hint: 'Go on with --resume.' });
    expect(await readdir(join(dir, 'checkpoints'))).toEqual([`step_${rollout}`]);
    const cursor = await readFile(join(dir, `checkpoints/step_${rollout}/cursor.json`), 'utf8');
    const { state } = JSON.parse(cursor) as { state: { rollout: number; pending: object | null } };
    expect([state.rollout, state.pending !== null]).toEqual([rollout, pending]);

    await resume(dir, config);
    const [got, want] = [await deterministicFiles(dir), await deterministicFiles(reference)];
    for (const [name, content] of want) expect(got.get(name), name).toBe(content);
  });

  it('before anything was done leaves a run that resumes', async () => {
    const dir = fresh();
    const job = { ...bigramJob(dir, config), signal: AbortSignal.abort() };
    await expect(train(job)).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
    await resume(dir, config);
    expect(await metricsOf(dir)).toHaveLength(4);
  });

  it('does not wait for a reward that never answers', async () => {
    const controller = new AbortController();
    const job = bigramJob(fresh(), { ...config, evalBeforeTraining: false });
    const silent = {
      name: 'silent',
      score: () => {
        setImmediate(() => controller.abort());
        return new Promise<never>(() => {});
      },
    };
    const training = train({ ...job, reward: silent, signal: controller.signal });
    await expect(training).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
  });
});

describe('resume', () => {
  it('goes on to more rollouts when the schedule stays the same', async () => {
    const [reference, dir] = [fresh(), fresh()];
    const config = { maxSteps: 8, evalSteps: 1 };
    await train(bigramJob(reference, config));
    await train(bigramJob(dir, { ...config, rollouts: 2 }));
    await resume(dir, config);
    expect(await deterministicFiles(dir)).toEqual(await deterministicFiles(reference));
  });

  it('of a finished run changes nothing', async () => {
    const dir = fresh();
    await train(bigramJob(dir));
    const before = await deterministicFiles(dir);
    expect(await resume(dir, {})).toMatchObject({ rollout: 4, metrics: null });
    expect(await deterministicFiles(dir)).toEqual(before);
  });

  it('shows what differs and refuses, unless told', async () => {
    const dir = fresh();
    await train(bigramJob(dir, { rollouts: 2, maxSteps: 9 }));
    const changed = { rollouts: 3, maxSteps: 9, epsClip: 0.3, microTrainBatchSize: 1 };
    const before = await deterministicFiles(dir);
    await expect(resume(dir, changed)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringMatching(/started with\n {2}eps-clip: 0.2 -> 0.3$/),
    });
    const other = bigramJob(dir, { rollouts: 2, maxSteps: 9 });
    await expect(train(resumed({ ...other, run: { ...other.run, identity: { model: 'trigram' } } }))).rejects.toThrow(
      'model: "bigram" -> "trigram"',
    );
    expect(await deterministicFiles(dir)).toEqual(before);

    await resume(dir, changed, 'with-changes');
    const record = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as { config: object; changes: object[] };
    expect(record.changes).toEqual([{ rollout: 2, name: 'epsClip', from: 0.2, to: 0.3 }]);
    expect(record.config).toMatchObject({ epsClip: 0.3, microTrainBatchSize: 1, rollouts: 3 });
    await resume(dir, changed); // the change is now the recorded configuration
  });

  it('changing the number of rollouts changes the cosine, which is said', async () => {
    const dir = fresh();
    await train(bigramJob(dir, { rollouts: 2 }));
    await expect(resume(dir, { rollouts: 4 })).rejects.toThrow('max-steps: 4 -> 8');
  });

  it('is needed for a folder that holds a run, which is left alone', async () => {
    const dir = fresh();
    await train(bigramJob(dir, { rollouts: 1 }));
    const before = await deterministicFiles(dir);
    await expect(train(bigramJob(dir, { rollouts: 1 }))).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining('holds a run already (checkpoints, metrics.jsonl, run.json'),
    });
    expect(await deterministicFiles(dir)).toEqual(before);
  });

  it('refuses damaged folders', async () => {
    const dir = fresh();
    await train(bigramJob(dir, { rollouts: 1 }));
    const cursor = join(dir, 'checkpoints/step_1/cursor.json');
    const intact = await readFile(cursor, 'utf8');

    await writeFile(cursor, '{"rollout": ');
    await expect(resume(dir, { rollouts: 1 })).rejects.toMatchObject({ code: 'LIMR_FORMAT' });
    await writeFile(cursor, '{"rollout": 1}');
    await expect(resume(dir, { rollouts: 1 })).rejects.toThrow('cursor.json is damaged');
    await writeFile(cursor, intact.replace('"pending": null', '"pending": 3'));
    await expect(resume(dir, { rollouts: 1 })).rejects.toThrow('the state in cursor.json is damaged');
    await writeFile(cursor, intact);

    await writeFile(join(dir, 'metrics.jsonl'), '{}\n');
    await expect(resume(dir, { rollouts: 1 })).rejects.toThrow(/metrics.jsonl has 3 bytes, and had \d+ when/);
    await rm(join(dir, 'run.json'));
    await expect(resume(dir, { rollouts: 1 })).rejects.toThrow('but no run.json');
    await writeFile(join(dir, 'run.json'), '[]');
    await expect(resume(dir, { rollouts: 1 })).rejects.toThrow('is not the record of a run');
  });

  it('cuts what was logged after the checkpoint, and removes later samples', async () => {
    const dir = fresh();
    await train(bigramJob(dir));
    const before = await deterministicFiles(dir);
    await appendFile(join(dir, 'metrics.jsonl'), '{"rollout":5,"half');
    await writeFile(join(dir, 'samples/train/step_5.json'), '[]');
    await writeFile(join(dir, 'samples/train/step_2.json.partial'), '[');
    await resume(dir, {});
    expect(await deterministicFiles(dir)).toEqual(before);
  });
});
