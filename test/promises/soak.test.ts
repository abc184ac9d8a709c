/**
 * Memory stays flat however long a run is: the resident set of a training process, taken at every rollout. 200 rollouts by default, a
 * thousand under LIMR_TEST_FULL=1.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProcess } from './stoppable.js';
import { makeTinyRun, tinyRun } from './tiny-run.js';

const rollouts = process.env.LIMR_TEST_FULL === '1' ? 1000 : 200;
const megabytes = (bytes: number) => bytes / 1e6;

/** Resident bytes of a process: its anonymous memory, and of what it mapped. */
const residentBytes = (pid: number) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;

describe.skipIf(process.platform !== 'linux')('a long run', () => {
  let root = '';
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'limr-soak-'));
    await makeTinyRun(root);
  }, 120_000);
  afterAll(() => rmSync(root, { recursive: true }));

  it(`keeps its memory over ${rollouts} rollouts`, { timeout: 7_200_000 }, async () => {
    const dir = join(root, 'run');
    const rare = ['--save-steps', '10', '--eval-steps', '10'];
    // A coefficient that adapts over so many rollouts of random rewards grows beyond all bounds.
    const steady = ['--kl-target', 'null', '--actor-learning-rate', '1e-5', '--critic-learning-rate', '1e-5'];
    const more = ['--rollouts', `${rollouts}`, '--threads', '1', ...rare, ...steady];
    const resident: number[] = [];
    const { child, ended } = startProcess([...tinyRun(root, dir), ...more], undefined, {
      nodeFlags: ['--max-semi-space-size=1'], // V8's young generation else grows by 40 MB over some hundred rollouts
      onLine: (line) => {
        if (/^rollout \d+\//.test(line)) resident.push(residentBytes(child.pid!));
      },
    });
    const { end, stderr } = await ended;
    expect(end, stderr).toBe(0);
    expect(resident).toHaveLength(rollouts);
    // The least of a window, once JIT, heap and allocator have warmed up: garbage that was not collected yet is above it.
    const least = (from: number, to: number) =>
      megabytes(Math.min(...resident.slice(Math.floor(from * rollouts), Math.floor(to * rollouts))));
    const tenths = Array.from({ length: 10 }, (_, i) => least(i / 10, (i + 1) / 10));
    const growth = least(0.8, 1) - least(0.4, 0.6);
    console.log(
      `MB of each tenth of ${rollouts} rollouts: ${tenths.map((mb) => mb.toFixed(1)).join(' ')}; grown ${growth.toFixed(1)}`,
    );
    expect(growth).toBeLessThan(6);
  });
});
