/**
 * SIGINT in any phase: a checkpoint, exit code 130, and a resumed run that equals one never interrupted. LIMR_TEST_FULL=1 tries every
 * kind of point.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { choose } from './choose.js';
import { Reference } from './reference.js';
import { type Phase, phases } from './stoppable.js';

const isFull = process.env.LIMR_TEST_FULL === '1';
const seed = 130;

describe.skipIf(process.platform !== 'linux')('an interrupted run', () => {
  let reference: Reference;
  beforeAll(async () => {
    reference = await Reference.make();
  }, 300_000);
  afterAll(() => reference.remove());

  it('exits with 130 after a checkpoint, and ends, resumed, as one that was not', { timeout: 7_200_000 }, async () => {
    const early = reference.points.filter(({ isLate }) => !isLate);
    const tally = new Map<Phase, number>(phases.map((phase) => [phase, 0]));
    for (const { phase, what, stop } of choose(early, isFull ? Number.POSITIVE_INFINITY : 2, 1, seed)) {
      const where = `interrupted in ${phase}: ${what} (${stop})`;
      const dir = reference.fresh();
      const { end, stderr } = await reference.stopped(dir, stop, 'SIGINT');
      expect(end, `${where}\n${stderr}`).toBe(130);
      const [, saved = ''] = /interrupted after rollout \d+; saved (.*) \[LIMR_ABORTED\]/.exec(stderr) ?? [];
      expect(readdirSync(saved), where).toContain('DONE');
      expect(readdirSync(join(dir, 'checkpoints')).filter((name) => name.endsWith('.partial'))).toEqual([]);
      await reference.expectSame(dir, where);
      tally.set(phase, tally.get(phase)! + 1);
    }
    for (const [phase, count] of tally) expect(count > 0, phase).toBe(phase !== 'end');
    console.log(`interrupts: ${[...tally].map((entry) => entry.join(' ')).join(', ')}`);
  });

  it('in or after its last evaluation may as well be done', { timeout: 7_200_000 }, async () => {
    const late = reference.points.filter(({ isLate }) => isLate);
    for (const { phase, what, stop } of choose(late, isFull ? Number.POSITIVE_INFINITY : 1, 1, seed)) {
      const where = `interrupted in ${phase}: ${what} (${stop})`;
      const dir = reference.fresh();
      const { end, stderr } = await reference.stopped(dir, stop, 'SIGINT');
      expect(phase === 'decode' || phase === 'grading' ? [0, 130] : [0], `${where}\n${stderr}`).toContain(end);
      await reference.expectSame(dir, where);
    }
  });
});
