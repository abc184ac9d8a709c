import { describe, expect, it } from 'vitest';
import { createReward, graderNames, graderOf, type RewardOptions, scoreSamples } from '../../src/reward/index.js';
import { sampleOf } from './support.js';

describe('createReward', () => {
  it('names what graded', () => {
    expect(createReward({ kind: 'limr-rule', grader: 'standard', template: 'qwen' }).name).toBe(
      'limr-rule/qwen/standard',
    );
    expect(createReward({ kind: 'random', seed: 3, rate: 0.5 }).name).toBe('random/plain/form=rule/rate=0.5/seed=3');
  });

  it.each<[unknown, string]>([
    [{ kind: 'limr-rule', grader: 'exakt' }, 'unknown grader "exakt"'],
    [{ kind: 'limr-rule', grader: 'toString' }, 'unknown grader "toString"'],
    [{ kind: 'limr-rule', grader: 'standard', template: 'llama' }, 'unknown template "llama"'],
    [{ kind: 'model' }, 'unknown reward "model"'],
    [{ kind: 'limr-rule', grader: 'standard', scores: { right: 1 } }, 'unknown score "right"'],
    [{ kind: 'limr-rule', grader: 'standard', scores: { wrong: Number.NaN } }, 'score wrong is NaN'],
    [{ kind: 'random', seed: -1, rate: 0.5 }, 'seed is -1'],
    [{ kind: 'random', seed: 1, rate: 1.5 }, 'rate is 1.5'],
    [{ kind: 'random', seed: 1, rate: 0.5, form: 'none' }, 'unknown form "none"'],
  ])('refuses %j', (options, message) => {
    expect(() => createReward(options as RewardOptions)).toThrow(
      expect.objectContaining({ code: 'LIMR_USAGE', message, hint: expect.stringMatching(/./) }),
    );
  });

  it('offers every grader by name', () => {
    expect(graderNames).toContain('standard');
    for (const name of graderNames) expect(graderOf(name).compare('1/2', '0.5').equal).toBe(true);
  });
});

describe('scoreSamples', () => {
  const result = { reward: 1, correct: true, wellFormed: true, reason: 'r', answer: null, detail: '' };

  it('awaits an asynchronous reward', async () => {
    expect(await scoreSamples({ name: 'later', score: async () => [result] }, [sampleOf({})])).toEqual([result]);
  });

  it('refuses lost samples and rewards that are no numbers', async () => {
    const short = scoreSamples({ name: 'short', score: () => [] }, [sampleOf({})]);
    await expect(short).rejects.toMatchObject({
      code: 'LIMR_SHAPE',
      message: expect.stringContaining('0 results for 1'),
    });
    const nan = scoreSamples({ name: 'nan', score: () => [{ ...result, reward: Number.NaN }] }, [
      sampleOf({ sample: 3 }),
    ]);
    await expect(nan).rejects.toMatchObject({
      code: 'LIMR_NUMERIC',
      message: 'reward nan gave NaN to sample 3 of prompt p0',
    });
  });
});
