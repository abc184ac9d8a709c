import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type OpenRewards, openRewards } from '../../src/launch/rewards.js';
import { resolveTrainConfig, type TrainOverrides } from '../../src/ppo/config.js';
import { scoreSamples } from '../../src/reward/index.js';
import { sampleOf } from '../reward/support.js';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-rewards-'));
  writeFileSync(join(root, 'short.mjs'), 'export default (sample, rule) => rule.reward - sample.tokens.length / 10;');
});
afterAll(() => rmSync(root, { recursive: true }));

let opened: OpenRewards[] = [];
async function open(overrides: TrainOverrides): Promise<OpenRewards> {
  const config = resolveTrainConfig({ rewardWorkers: 0, grader: 'standard', generateMaxLen: 100, ...overrides });
  const rewards = await openRewards(config, () => {});
  opened.push(rewards);
  return rewards;
}
afterEach(async () => {
  await Promise.all(opened.map((rewards) => rewards.close()));
  opened = [];
});

const samples = [
  sampleOf({ sample: 0, tokens: new Int32Array(95) }),
  sampleOf({ sample: 1, tokens: new Int32Array(5), response: 'no no no no' }),
];

describe('openRewards', () => {
  it("is LIMR's rule by default, for training and evaluation", async () => {
    const { reward, evalReward } = await open({});
    expect([reward.name, evalReward.name]).toEqual(['limr-rule/plain/standard', 'limr-rule/plain/standard']);
    expect(await scoreSamples(reward, samples)).toMatchObject([{ reward: 1 }, { reward: -1, reason: 'no_box' }]);
  });

  it('shapes training and leaves evaluations alone', async () => {
    const { reward, evalReward } = await open({
      overlongBufferLen: 10,
      overlongPenaltyFactor: 2,
      repetitionMaxPenalty: -1,
      repetitionNGrams: 1,
    });
    expect([reward.name, evalReward.name]).toEqual([
      'limr-rule/plain/standard+overlong+repetition',
      'limr-rule/plain/standard',
    ]);
    expect(await scoreSamples(reward, samples)).toMatchObject([
      { reward: 0, correct: true, parts: { base: 1, overlong: -1, repetition: 0 } },
      { reward: -1.75, parts: { base: -1, overlong: 0, repetition: -0.75 } },
    ]);
  });

  it('puts a module over the rule', async () => {
    const { reward, evalReward } = await open({ reward: join(root, 'short.mjs'), evalGrader: 'limr' });
    expect(reward.name).toMatch(/^hook\(short\.mjs@[0-9a-f]{12}\)\/limr-rule\/plain\/standard$/);
    expect(await scoreSamples(reward, samples)).toMatchObject([{ reward: -8.5, correct: true }, { reward: -1.5 }]);
    expect(evalReward.name).toMatch(/^hook\(short\.mjs@[0-9a-f]{12}\)\/limr-rule\/plain\/limr$/);
    expect(await scoreSamples(evalReward, samples)).toMatchObject([{ reward: -8.5, correct: true }, { reward: -1.5 }]);
  });

  it('makes a module once, and closes it once', async () => {
    const calls: string[] = [];
    (globalThis as { limrCalls?: string[] }).limrCalls = calls;
    const text = `export default { create: () => (limrCalls.push('create'), () => 1), close: () => limrCalls.push('close') };`;
    writeFileSync(join(root, 'factory.mjs'), text);
    const rewards = await open({ reward: join(root, 'factory.mjs') });
    await scoreSamples(rewards.reward, samples);
    await scoreSamples(rewards.evalReward, samples);
    await rewards.close();
    opened = [];
    expect(calls).toEqual(['create', 'close']);
  });

  it('names the servers of a remote reward', async () => {
    const { reward } = await open({ remoteRmUrl: 'http://a:1/get_reward, http://b:2/get_reward' });
    expect(reward.name).toBe('remote(http://a:1/get_reward,http://b:2/get_reward)/limr-rule/plain/standard');
  });

  it.each<[TrainOverrides, RegExp]>([
    [{ grader: 'best' }, /unknown grader "best"/],
    [{ evalGrader: 'best' }, /unknown grader "best"/],
    [{ reward: 'randm' }, /there is no reward "randm"/],
    [{ remoteRmUrl: 'host:5000' }, /"host:5000" is not the address of a reward server/],
  ])('refuses %j before anything is loaded', async (overrides, message) => {
    await expect(open(overrides)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringMatching(message),
    });
  });
});

describe('configurations that contradict themselves', () => {
  it.each<[TrainOverrides, RegExp]>([
    [{ remoteRmUrl: 'http://a/', reward: 'random' }, /remoteRmUrl|--remote-rm-url/],
    [{ overlongBufferLen: 2000 }, /overlongBufferLen|--overlong-buffer-len/],
    [{ lengthReward: 'kimi', nSamplesPerPrompt: 1, trainBatchSize: 8 }, /kimi/],
  ])('%j', (overrides, message) => {
    expect(() => resolveTrainConfig(overrides)).toThrow(
      expect.objectContaining({ code: 'LIMR_USAGE', message: expect.stringMatching(message) }),
    );
  });
});
