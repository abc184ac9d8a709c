import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.js';
import type { Model } from '../../src/engine/model.js';
import { evaluate } from '../../src/eval/evaluate.js';
import { createReward } from '../../src/reward/index.js';
import { type FakeOptions, fakeNative } from '../engine/fake-native.js';
import { eosTokenId, writeTinyFolder } from '../engine/tiny-folder.js';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-evaluate-'));
  writeTinyFolder(join(root, 'tiny'));
});
afterAll(() => rmSync(root, { recursive: true }));

const load = (options: FakeOptions): Promise<Model> =>
  Engine.open({}, fakeNative(options).addon).load(join(root, 'tiny'));
const reward = createReward({ kind: 'limr-rule', grader: 'standard' });

describe('evaluate', () => {
  it('grades planted answers exactly', async () => {
    const answers = ['\\boxed{3}', '\\boxed{4}', 'no box', '\\boxed{3'];
    let texts: ReadonlyMap<number, Int32Array> = new Map();
    const model = await load({
      respond: (_, sample) => [...texts.get(sample)!, ...(sample === 1 ? [] : [eosTokenId])],
    });
    texts = new Map(answers.map((text, i) => [i, model.tokenizer!.encode(text)]));
    const question = { id: 'q', prompt: '1+2?', answer: '3', tokens: model.tokenizer!.encode('1+2?') };
    const seen: number[] = [];
    const { summary, samples } = await evaluate(model, [question, { ...question, id: 'r' }], reward, {
      samplesPerPrompt: 4,
      temperature: 1,
      maxTokens: 100,
      onProgress: ({ graded }) => seen.push(graded),
    });
    expect(samples.map((group) => group.map(({ grade }) => grade.correct))).toEqual([
      [true, false, false, false],
      [true, false, false, false],
    ]);
    expect(samples[0]?.[0]?.response).toBe('\\boxed{3}');
    expect(summary).toMatchObject({ accuracy: 0.25, accuracySe: 0, wellFormed: 0.25, accuracyWellFormed: 1 });
    expect(summary.truncated).toBe(0.25);
    expect(summary.passAtK).toEqual({ 1: 0.25, 2: 0.5, 4: 1 });
    expect(seen).toHaveLength(10); // 8 samples, 2 prompts
    expect(seen.at(-1)).toBe(8);
  });

  it('passes on what the reward throws', async () => {
    const model = await load({});
    const failing = { name: 'failing', score: () => [] };
    const prompts = [{ id: 'q', prompt: 'q', answer: 'a', tokens: Int32Array.of(1) }];
    await expect(evaluate(model, prompts, failing)).rejects.toMatchObject({ code: 'LIMR_SHAPE' });
  });
});
