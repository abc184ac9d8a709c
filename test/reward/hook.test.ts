import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hookReward, loadRewardHook, type Reward, type RewardSample, scoreSamples } from '../../src/reward/index.js';
import { sampleOf } from './support.js';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-hook-'));
});
afterAll(() => rmSync(root, { recursive: true }));

let modules = 0;
/** A module's path; a new one each time, since modules are imported once. */
function moduleOf(text: string): string {
  const path = join(root, `reward-${modules++}.mjs`);
  writeFileSync(path, text);
  return path;
}

const rule: Reward = {
  name: 'rule',
  score: (samples) =>
    samples.map(() => ({
      reward: -0.5,
      correct: false,
      wellFormed: true,
      reason: 'different',
      answer: '41',
      detail: 'd',
    })),
};

async function grade(text: string, samples: readonly RewardSample[] = [sampleOf({})], signal?: AbortSignal) {
  const path = moduleOf(text);
  const loaded = await loadRewardHook(path, { seed: 7 }, root);
  return scoreSamples(hookReward(loaded, path, rule), samples, signal);
}

describe('a hook', () => {
  it('is a function of the sample and what the rule said; a number is the reward, the rest is the rule', async () => {
    const samples = [sampleOf({ tokens: new Int32Array(3) }), sampleOf({ tokens: new Int32Array(4) })];
    const results = await grade('export default (sample, rule) => rule.reward + sample.tokens.length;', samples);
    expect(results).toEqual([
      { reward: 2.5, correct: false, wellFormed: true, reason: 'different', answer: '41', detail: 'd' },
      { reward: 3.5, correct: false, wellFormed: true, reason: 'different', answer: '41', detail: 'd' },
    ]);
  });

  it('sees all of the sample', async () => {
    const sample = sampleOf({
      fields: { level: 3 },
      logprobs: Float32Array.of(-0.5),
      promptText: '<p>',
      stopReason: 'length',
    });
    const [result] = await grade(
      `export default (s) => ({ reward: 1, detail: JSON.stringify([s.prompt, s.promptId, s.fields.level, s.row, s.sample,
         s.rollout, s.promptText, s.response, s.answer, [...s.logprobs], s.stopReason]) });`,
      [sample],
    );
    expect(JSON.parse(result!.detail)).toEqual([
      'What is 6 times 7?',
      'p0',
      3,
      0,
      0,
      1,
      '<p>',
      'It is \\boxed{42}.',
      '42',
      [-0.5],
      'length',
    ]);
  });

  it('may be asynchronous, and say more than a number', async () => {
    const [result] = await grade(
      'export default async (s) => { await null; return { reward: 9, correct: true, parts: { style: 9 } }; };',
    );
    expect(result).toMatchObject({ reward: 9, correct: true, parts: { style: 9 }, reason: 'different' });
  });

  it('may be made by a factory, which is called once, and closed', async () => {
    const path = moduleOf(`export const calls = []; globalThis.limrHookCalls = calls;
      export default { create: async ({ seed }) => { calls.push(seed); return () => calls.length; }, close: () => calls.push('closed') };`);
    const loaded = await loadRewardHook(path, { seed: 7 });
    const closed: string[] = [];
    const reward = hookReward(loaded, path, { ...rule, close: async () => void closed.push('rule') });
    expect(await scoreSamples(reward, [sampleOf({}), sampleOf({})])).toMatchObject([{ reward: 1 }, { reward: 1 }]);
    await reward.close!();
    expect(closed).toEqual(['rule']);
    await loaded.close!();
    expect((globalThis as { limrHookCalls?: unknown[] }).limrHookCalls).toEqual([7, 'closed']);
  });

  it('changes its name when it changes', async () => {
    const names = await Promise.all(
      ['export default () => 1;', 'export default () => 1;', 'export default () => 2;'].map(async (text) => {
        const { name } = await loadRewardHook(moduleOf(text), { seed: 7 });
        return name.replace(/^reward-\d+\.mjs@/, '');
      }),
    );
    expect(names[0]).toMatch(/^[0-9a-f]{12}$/);
    expect(names[1]).toBe(names[0]);
    expect(names[2]).not.toBe(names[0]);
  });

  it('is found by relative path, by URL, and in packages of the folder', async () => {
    mkdirSync(join(root, 'node_modules', 'my-reward'), { recursive: true });
    writeFileSync(
      join(root, 'node_modules', 'my-reward', 'package.json'),
      '{"name": "my-reward", "type": "module", "exports": "./index.js"}',
    );
    writeFileSync(join(root, 'node_modules', 'my-reward', 'index.js'), 'export default () => 5;');
    writeFileSync(join(root, 'here.mjs'), 'export default () => 6;');
    for (const [specifier, want] of [
      ['my-reward', 5],
      ['./here.mjs', 6],
      ['here.mjs', 6],
      [`file://${root}/here.mjs`, 6],
    ] as const) {
      const { hook } = await loadRewardHook(specifier, { seed: 1 }, root);
      expect(hook(sampleOf({}), (await rule.score([sampleOf({})]))[0]!, { signal: undefined })).toBe(want);
    }
  });
});

describe('a hook that fails stops the run, and names module and sample', () => {
  const sample = sampleOf({ sample: 3, promptId: 'q8' });
  it.each<[string, string, RegExp]>([
    [
      'throws',
      'export default () => missing.value;',
      /failed: ReferenceError: missing is not defined \(reward-\d+\.mjs:1:\d+\)$/,
    ],
    ['rejects', "export default async () => { throw new Error('no judge'); };", /failed: Error: no judge \(reward-/],
    ['throws no error', "export default () => { throw 'text'; };", /failed: text$/],
    ['returns nothing', 'export default () => {};', /returned undefined$/],
    ['returns NaN', 'export default () => 0 / 0;', /returned NaN$/],
    ['returns infinity', 'export default () => 1 / 0;', /returned Infinity$/],
    ['returns a text', "export default () => '1';", /returned 1$/],
    ['returns null', 'export default () => null;', /returned null$/],
    [
      'returns another word',
      'export default () => ({ score: 1 });',
      /returned an object of score, where "reward" is undefined$/,
    ],
    ['returns an odd field', "export default () => ({ reward: 1, correct: 'yes' });", /where "correct" is yes$/],
    ['returns an unknown field', 'export default () => ({ reward: 1, colour: 2 });', /where "colour" is 2$/],
    ['returns a list', 'export default () => [1];', /where "reward" is undefined$/],
  ])('when it %s', async (_, text, message) => {
    const error = await grade(text, [sampleOf({}), sample]).then(
      () => undefined,
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ code: 'LIMR_USAGE', message: expect.stringMatching(message) });
    expect(error).toMatchObject({
      message: expect.stringMatching(/^reward module .*reward-\d+\.mjs on sample \d of prompt (p0|q8) /),
    });
  });

  it('names the sample that it failed on', async () => {
    const text = "export default (s) => { if (s.sample === 3) throw new Error('odd'); return 1; };";
    await expect(grade(text, [sampleOf({}), sample])).rejects.toThrow(/on sample 3 of prompt q8 failed: Error: odd/);
  });

  it('unless the run was interrupted, which is no failure of it', async () => {
    const controller = new AbortController();
    const graded = grade(
      "export default (s, r, { signal }) => new Promise((_, no) => signal.addEventListener('abort', () => no(new Error('gone'))));",
      [sample],
      controller.signal,
    );
    setTimeout(() => controller.abort(), 50);
    await expect(graded).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
  });
});

describe('a module that is no hook is refused when it is loaded', () => {
  it.each<[string, string, string]>([
    ['a syntax error', 'export default (;', 'loading reward module .* failed: '],
    ['an error at its top', "throw new Error('at the top');", 'Error: at the top'],
    ['an import that is not there', "import './nowhere.mjs';", 'ERR_MODULE_NOT_FOUND|Cannot find|Failed to load'],
    ['no default export', 'export const hook = () => 1;', 'exports undefined by default'],
    ['another default export', 'export default 3;', 'exports 3 by default'],
    ['an object without create', 'export default { make() {} };', 'exports an object of make by default'],
    [
      'a factory that fails',
      "export default { create() { throw new Error('no key'); } };",
      'creating the reward of .* failed: Error: no key',
    ],
    ['a factory that makes nothing', 'export default { create() {} };', 'by its create\\(\\), exports undefined'],
  ])('for %s', async (_, text, message) => {
    const path = moduleOf(text);
    const error: unknown = await loadRewardHook(path, { seed: 1 }).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'LIMR_USAGE', message: expect.stringMatching(message) });
    expect(error).toMatchObject({ message: expect.stringContaining(path), hint: expect.stringMatching(/./) });
  });

  it.each([
    ['./nowhere.js', 'no such file'],
    ['randm', 'no such reward, file or installed package'],
  ])('for %s, which is not there', async (specifier, message) => {
    await expect(loadRewardHook(specifier, { seed: 1 }, root)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: `there is no reward "${specifier}": ${message}`,
    });
  });
});
