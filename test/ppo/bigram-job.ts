/** A training job over the bigram model: begin with the letter five after your prompt's. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenizedPrompt } from '../../src/dataset/asking.js';
import { resolveTrainConfig, type TrainOverrides } from '../../src/ppo/config.js';
import type { TrainJob } from '../../src/ppo/train.js';
import type { Reward } from '../../src/reward/reward.js';
import { type BigramHooks, bigramLoader } from './bigram-model.js';

const letters = '.abcdefghijk';
export const eos = 0;

export const text = {
  decode: (tokens: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean }): string =>
    Array.from(tokens, (id) => (options?.skipSpecialTokens === true && id === eos ? '' : letters[id]!)).join(''),
};

/** +1 for the right first letter, else -0.5 for a response that ends, -1 for one that does not. */
export const letterReward: Reward = {
  name: 'letter',
  score: (samples) =>
    samples.map(({ response, answer, stopReason }) => {
      const wellFormed = stopReason === 'eos';
      const correct = response.startsWith(answer);
      const reason = correct ? 'equal' : wellFormed ? 'different' : 'unfinished';
      return {
        reward: correct ? 1 : wellFormed ? -0.5 : -1,
        correct,
        wellFormed,
        reason,
        answer: response,
        detail: '',
      };
    }),
};

const prompts: readonly TokenizedPrompt[] = [1, 2, 3, 4, 5].map((id) => ({
  id: `p${id}`,
  prompt: letters[id]!,
  answer: letters[id + 5]!,
  tokens: Int32Array.of(11, id),
}));

export const overrides: TrainOverrides = {
  rollouts: 4,
  rolloutBatchSize: 4,
  nSamplesPerPrompt: 4,
  trainBatchSize: 8,
  microTrainBatchSize: 3,
  microTrainMaxTokens: 64,
  promptMaxLen: 4,
  generateMaxLen: 6,
  temperature: 1,
  actorLearningRate: 0.05,
  criticLearningRate: 0.05,
  lrWarmupSteps: 2,
  evalSampled: 2,
  evalSteps: 2,
  maxCkptNum: 2,
};

export function bigramJob(dir: string, config: TrainOverrides = {}, hooks: BigramHooks = {}): TrainJob {
  return {
    config: resolveTrainConfig({ ...overrides, ...config }),
    prompts,
    evalSets: [{ name: 'letters', prompts }],
    text,
    special: { eosTokenIds: [eos], bannedTokenIds: [] },
    reward: letterReward,
    evalReward: letterReward,
    load: bigramLoader(hooks),
    modelFiles: [],
    run: { dir, resume: 'no', identity: { model: 'bigram' }, about: {} },
  };
}

/** Every file below a run folder that must not depend on kills, hosts or clocks: name -> content. */
export async function deterministicFiles(dir: string): Promise<Map<string, string>> {
  const names = (await readdir(dir, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(dir.length + 1))
    .filter(
      (name) =>
        !/^(timings\.jsonl|run\.json|samples\/train\/step_\d+\.grading\.jsonl|checkpoints\/step_\d+\/cursor\.json)$/.test(
          name,
        ),
    )
    .sort();
  const contents = new Map<string, string>();
  for (const name of names) contents.set(name, (await readFile(join(dir, name))).toString('base64'));
  return contents;
}

export async function metricsOf(dir: string): Promise<Record<string, number | null>[]> {
  const lines = (await readFile(join(dir, 'metrics.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => JSON.parse(line) as Record<string, number | null>);
}
