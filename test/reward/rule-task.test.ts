import { afterEach, describe, expect, it } from 'vitest';
import { createReward, pooledRuleReward, type Reward, type RuleOptions, scoreSamples } from '../../src/reward/index.js';
import { Source, sampleOf } from './support.js';

let open: Reward[] = [];
afterEach(async () => {
  await Promise.all(open.map((reward) => reward.close?.()));
  open = [];
});
function pooled(options: RuleOptions, workers: number): Reward {
  const reward = pooledRuleReward(options, { workers });
  open.push(reward);
  return reward;
}

const source = new Source(11);
const samples = Array.from({ length: 300 }, (_, i) => {
  const response = source.pick([
    '\\boxed{42}',
    '\\boxed{41}',
    'no box',
    `${'ab cd '.repeat(9)}\\boxed{1}`,
    '\\boxed{84/2}',
  ]);
  const stopReason = source.pick(['eos', 'length'] as const);
  const end = stopReason === 'eos' ? '<|im_end|>' : '';
  const fullText = `<|im_end|>\n<|im_start|>user\nWhat is 6 times 7?<|im_end|>\n<|im_start|>assistant\n${response}${end}`;
  return sampleOf({ sample: i, response, fullText, stopReason });
});

describe.each(['plain', 'qwen'] as const)('template %s', (template) => {
  it('grades on any number of workers as it does without', async () => {
    const options: RuleOptions = { grader: 'standard', template, scores: { wrong: -0.25 } };
    const reward = createReward({ kind: 'limr-rule', ...options });
    const want = await scoreSamples(reward, samples);
    expect(new Set(want.map(({ reason }) => reason)).size).toBeGreaterThan(4);
    for (const workers of [0, 1, 2, 4]) {
      const pool = pooled(options, workers);
      expect(pool.name).toBe(reward.name);
      const got = await scoreSamples(pool, samples);
      expect(got.map(({ ms, ...result }) => ({ ...result, timed: ms !== undefined && ms >= 0 }))).toEqual(
        want.map((result) => ({ ...result, timed: true })),
      );
    }
  });
});

it('refuses names that are not known before any thread starts', () => {
  expect(() => pooled({ grader: 'standart' }, 2)).toThrow(/unknown grader "standart"/);
  expect(() => pooled({ grader: 'standard', template: 'llama' as 'plain' }, 2)).toThrow(/unknown template "llama"/);
});
