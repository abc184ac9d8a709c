/** A run folder has one owner. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goOn, loggedRollouts, runFiles } from './run-files.js';
import { runProcess, startProcess } from './stoppable.js';
import { makeTinyRun, tinyRun } from './tiny-run.js';

describe('two trainings in one folder', () => {
  let root = '';
  beforeAll(async () => {
    root = realpathSync(mkdtempSync(join(tmpdir(), 'limr-lock-')));
    await makeTinyRun(root);
  }, 120_000);
  afterAll(() => rmSync(root, { recursive: true }));

  it('the second is refused, whatever it asks for, until the first is gone', { timeout: 300_000 }, async () => {
    const dir = join(root, 'owned');
    const first = startProcess([...tinyRun(root, dir), '--rollouts', '1000000', '--max-steps', '8', '--threads', '1']);
    try {
      await first.said(/^rollout 1\//);
      const resumed = ['train', '--resume', '--output', dir];
      for (const args of [tinyRun(root, dir), resumed, [...resumed, '--resume-with-changes', '--gamma', '0.5']]) {
        const { end, stderr } = await runProcess(args);
        expect(end, stderr).toBe(1);
        expect(stderr).toContain(`${dir} is in use by process ${first.child.pid} on `);
        expect(stderr).toContain('[LIMR_LOCKED]');
      }
      expect(first.child.exitCode).toBeNull();
    } finally {
      first.child.kill('SIGKILL');
      await first.ended;
    }
    const { metrics } = loggedRollouts(dir);
    const done = metrics.at(-1)! + 1;
    const { end, stderr } = await runProcess(['train', '--resume', '--output', dir, '--rollouts', `${done}`]);
    expect(end, stderr).toBe(0);
    expect(loggedRollouts(dir).metrics).toEqual(Array.from({ length: done + 1 }, (_, k) => k));
  });

  it('that start at once never both run', { timeout: 300_000 }, async () => {
    const alone = join(root, 'alone');
    expect((await goOn(alone, tinyRun(root, alone), 1)).end).toBe(0);
    for (let round = 0; round < 3; ++round) {
      const dir = join(root, `contested-${round}`);
      const ended = await Promise.all([0, 1, 2].map(() => goOn(dir, tinyRun(root, dir), 1)));
      for (const { end, stderr } of ended) {
        if (end !== 0) expect(stderr).toMatch(/is in use by process .*\[LIMR_LOCKED\]|holds a run already/);
      }
      expect(ended.filter(({ end }) => end === 0).length).toBeLessThanOrEqual(1);
      expect((await goOn(dir, tinyRun(root, dir), 1)).end).toBe(0);
      expect(runFiles(dir)).toEqual(runFiles(alone));
    }
  });
});
