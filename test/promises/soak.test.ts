/**
 * Memory stays flat however long a run is: live JavaScript objects and the resident set of a training process, after a collection of
 * garbage at every tenth rollout. 200 rollouts by default, a thousand under LIMR_TEST_FULL=1.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startProcess } from './stoppable.js';
import { makeTinyRun, tinyRun } from './tiny-run.js';

const rollouts = process.env.LIMR_TEST_FULL === '1' ? 1000 : 200;
const preload = new URL('./heap-lines.mjs', import.meta.url).href;

describe('a long run', () => {
  let root = '';
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'limr-soak-'));
    await makeTinyRun(root);
  }, 120_000);
  afterAll(() => rmSync(root, { recursive: true }));

  it(`keeps its memory over ${rollouts} rollouts`, { timeout: 7_200_000 }, async () => {
    const rare = ['--save-steps', '10', '--eval-steps', '10'];
    // A coefficient that adapts over so many rollouts of random rewards grows beyond all bounds.
    const steady = ['--kl-target', 'null', '--actor-learning-rate', '1e-5', '--critic-learning-rate', '1e-5'];
    const more = ['--rollouts', `${rollouts}`, '--threads', '1', ...rare, ...steady];
    const [heap, resident]: [number[], number[]] = [[], []];
    const { ended } = startProcess([...tinyRun(root, join(root, 'run')), ...more], undefined, {
      // A small young generation: else it alone grows by 40 MB over the first hundreds of rollouts.
      nodeFlags: ['--expose-gc', '--max-semi-space-size=1', '--import', preload],
      onLine: (line) => {
        const [, live, rss] = /^heap (\d+) (\d+)$/.exec(line) ?? [];
        if (live === undefined) return;
        heap.push(Number(live) / 1e6);
        resident.push(Number(rss) / 1e6);
      },
    });
    const { end, stderr } = await ended;
    expect(end, stderr).toBe(0);
    expect(heap).toHaveLength(rollouts / 10);

    // Of a window the least: what is not yet collected, or not yet given back, lies above it.
    const growth = (series: readonly number[]) => {
      const least = (from: number, to: number) => Math.min(...series.slice(from * series.length, to * series.length));
      return least(0.8, 1) - least(0.4, 0.6);
    };
    const fifths = (series: readonly number[]) =>
      Array.from({ length: 5 }, (_, i) => series[((i + 1) * series.length) / 5 - 1]!.toFixed(2)).join(' ');
    console.log(`MB at each fifth of ${rollouts} rollouts: live objects ${fifths(heap)}, resident ${fifths(resident)}`);
    expect(growth(heap)).toBeLessThan(0.3);
    expect(growth(resident)).toBeLessThan(6);
  });
});
