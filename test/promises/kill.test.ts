/**
 * Promise 3. SIGKILL at any moment, then --resume: the same bytes of weights, optimizer states, metrics and samples as a run that
 * was never killed. LIMR_TEST_FULL=1 tries every kind of point several times, and a hundred random moments.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { choose, uniform } from './choose.js';
import { Reference } from './reference.js';
import { type Phase, phases } from './stoppable.js';

const isFull = process.env.LIMR_TEST_FULL === '1';
const seed = 20251121;
const timeout = 7_200_000;

describe.skipIf(process.platform !== 'linux')('a run that was killed ends, resumed, as one that was not', () => {
  let reference: Reference;
  beforeAll(async () => {
    reference = await Reference.make();
  }, 300_000);
  afterAll(() => reference.remove());

  it('whose weights and optimizer states every rollout moves', () => {
    const { files } = reference;
    for (const name of ['', 'critic/'].flatMap((at) => [`${at}model.safetensors`, `${at}optimizer.bin`])) {
      const [third, fourth] = [3, 4].map((step) => files.get(`checkpoints/step_${step}/${name}`));
      expect(third, name).toBeDefined();
      expect(fourth, name).not.toBe(third);
    }
    const others = [
      'lim/epoch_1.jsonl',
      'metrics.jsonl',
      'samples/test/step_4.json',
      'samples/train/step_4.tokens.jsonl',
    ];
    expect([...files.keys()]).toEqual(expect.arrayContaining(others));
  });

  it('in every phase', { timeout }, async () => {
    const { points } = reference;
    const kills = isFull ? choose(points, Number.POSITIVE_INFINITY, 3, seed) : choose(points, 4, 1, seed);
    const tally = new Map<Phase, number>(phases.map((phase) => [phase, 0]));
    for (const { phase, what, stop } of kills) {
      const where = `killed in ${phase}: ${what} (${stop})`;
      const dir = reference.fresh();
      const { end, stderr } = await reference.stopped(dir, stop, 'SIGKILL');
      expect(end, `${where}\n${stderr}`).toBe('SIGKILL');
      await reference.expectSame(dir, where);
      tally.set(phase, tally.get(phase)! + 1);
    }
    expect(Math.min(...tally.values())).toBeGreaterThan(0);
    expect(new Set(kills.map(({ stop }) => stop)).size).toBeGreaterThanOrEqual(30);
    console.log(`${kills.length} kills: ${[...tally].map((entry) => entry.join(' ')).join(', ')}`);
  });

  it('at random moments, again and again', { timeout }, async () => {
    const runs = isFull ? 20 : 2;
    let kills = 0;
    for (let run = 0; run < runs; ++run) {
      const dir = reference.fresh();
      for (let attempt = 0; attempt < 5; ++attempt) {
        const [first, second] = [0, 1].map((i) => uniform(seed, 10 * run + 2 * attempt + i)) as [number, number];
        const line = Math.floor(first * 6);
        const moment = `moment ${line} ${Math.floor(second * (line === 0 ? 250 : 50))}`;
        const { end, stderr } = await reference.stopped(dir, moment, 'SIGKILL');
        expect(['SIGKILL', 0], `${moment}\n${stderr}`).toContain(end);
        if (end === 0) break; // done before that moment
        kills += 1;
      }
      await reference.expectSame(dir, `random moments, run ${run}`);
    }
    expect(kills).toBeGreaterThan(runs);
    console.log(`${kills} kills at random moments of ${runs} runs`);
  });
});
