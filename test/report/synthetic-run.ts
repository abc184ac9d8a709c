/** A run folder without a run: written by the classes that write real ones, with numbers out of a formula. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TokenizedPrompt } from '../../src/dataset/asking.js';
import type { GradedSample } from '../../src/eval/graded-samples.js';
import { resolveTrainConfig } from '../../src/ppo/config.js';
import { sampleRecord } from '../../src/ppo/sample-records.js';
import { RunFolder } from '../../src/run/run-folder.js';

export interface SyntheticRun {
  readonly rollouts: number;
  readonly prompts: number;
  readonly promptsPerRollout: number;
  readonly samplesPerPrompt: number;
  /** Default: a sentence. */
  readonly response?: (rollout: number, prompt: number, sample: number) => string;
  readonly prompt?: (row: number) => string;
  readonly evalEvery?: number;
  /** Rollouts of the configuration; default: as many as are there. */
  readonly planned?: number;
  readonly tokens?: boolean;
  /** Reward of all samples, in place of ones that grow. */
  readonly constant?: number;
  /** Writes lim/epoch_<e>.jsonl with these rows. */
  readonly scores?: { readonly epoch: number; readonly rows: readonly object[] };
}

/** Between -1 and 1, and always the same of the same. */
const wave = (...numbers: readonly number[]): number =>
  Math.sin(numbers.reduce((sum, number, i) => sum + number * (12.9898 + 65.1 * i), 1) * 43.7);

/** Prompts get better with the rollouts, each at its own pace. */
export function rewardOf(run: SyntheticRun, rollout: number, prompt: number, sample: number): number {
  if (run.constant !== undefined) return run.constant;
  const skill = (rollout / run.rollouts) * (1 + wave(prompt)) + 0.4 * wave(prompt, 2);
  const luck = wave(rollout, prompt, sample);
  return luck < skill ? 1 : luck < skill + 0.7 ? -0.5 : -1;
}

export async function writeSyntheticRun(dir: string, run: SyntheticRun): Promise<void> {
  const { promptsPerRollout, samplesPerPrompt, prompts, evalEvery = 10 } = run;
  const config = resolveTrainConfig({
    rollouts: run.planned ?? run.rollouts,
    rolloutBatchSize: promptsPerRollout,
    nSamplesPerPrompt: samplesPerPrompt,
    trainBatchSize: promptsPerRollout * samplesPerPrompt,
  });
  const about = { options: {}, host: 'synthetic', started: '2026-11-22T07:50:49.864Z', node: 'v20.19.0' };
  const identity = { model: 'none', build: '0.1.0', isa: 'scalar' };
  const folder = await RunFolder.open({
    dir,
    resume: 'no',
    free: new Set(),
    record: { config: { ...config }, identity, about },
  });
  for (let rollout = 1; rollout <= run.rollouts; ++rollout) {
    const samples = Array.from({ length: promptsPerRollout * samplesPerPrompt }, (_, s) => {
      const drawn = (rollout - 1) * promptsPerRollout + Math.floor(s / samplesPerPrompt);
      return { drawn, graded: sampleOf(run, rollout, drawn % prompts, s % samplesPerPrompt) };
    });
    const records = samples.map(({ drawn, graded }) => {
      const epoch = Math.floor(drawn / prompts) + 1;
      return sampleRecord(graded, 'limr-rule/plain/limr', { row: drawn % prompts, key: 0, epoch, epochSize: prompts });
    });
    await folder.writeSamples('train', rollout, records);
    if (run.tokens === true)
      await folder.writeSampleLines(
        rollout,
        'tokens',
        samples.map(({ graded }) => tokenLine(graded)),
      );
    const rewards = samples.map(({ graded }) => graded.grade.reward);
    await folder.appendMetrics(metricsOf(rollout, rewards, rollout % evalEvery === 0));
    await folder.appendTimings({
      rollout,
      'seconds/sampling': 2 + wave(rollout),
      'seconds/update': 1.5,
      'tokens/generated': 20_000,
      'tokens/trained': 30_000,
      'sampling/tokens_per_second': 9000 + 500 * wave(rollout, 1),
      'scoring/tokens_per_second': 24_000 + 900 * wave(rollout, 2),
      'update/tokens_per_second': 6000 + 300 * wave(rollout, 3),
      'mfu/sampling': 0.35 + 0.02 * wave(rollout, 4),
      'mfu/update': 0.4 + 0.02 * wave(rollout, 5),
      'memory/rss_bytes': 3.6e8 + 1e6 * wave(rollout, 6),
      'memory/peak_rss_bytes': 4e8 + 1000 * rollout,
    });
    if (rollout % evalEvery === 0)
      await folder.writeSamples(
        'test',
        rollout,
        records.slice(0, 10).map((record) => ({ ...record, set: 'heldout', temperature: 0 })),
      );
  }
  if (run.scores !== undefined) await folder.writeScores(run.scores.epoch, run.scores.rows);
  await folder.close();
}

function sampleOf(run: SyntheticRun, rollout: number, row: number, sample: number): GradedSample {
  const reward = rewardOf(run, rollout, row, sample);
  const response =
    run.response?.(rollout, row, sample) ?? `We add ${row} and ${rollout}, which gives \\boxed{${row + rollout}}.`;
  const tokens = Int32Array.from({ length: 12 }, (_, i) => 40 + ((row + sample + i) % 50));
  return {
    prompt: {
      id: `prompt-${row}`,
      prompt: run.prompt?.(row) ?? `What is ${row} + ${rollout}?`,
      answer: String(row),
    } as unknown as TokenizedPrompt,
    sample,
    tokens,
    logprobs: Float32Array.from(tokens, (_, i) => -Math.abs(wave(row, sample, i)) * 4),
    stopReason: reward === -1 ? 'length' : 'eos',
    response,
    grade: { reward, correct: reward === 1, wellFormed: reward > -1, reason: 'equal', detail: '', answer: String(row) },
  } as unknown as GradedSample;
}

const tokenLine = ({ prompt, sample, tokens, logprobs }: GradedSample): object => ({
  id: prompt.id,
  sample,
  tokens: Array.from(tokens),
  logprobs: Array.from(logprobs),
  advantages: Array.from(logprobs, (value) => value + 2),
  returns: Array.from(logprobs),
});

function metricsOf(rollout: number, rewards: readonly number[], isEvaluated: boolean): object {
  const mean = rewards.reduce((sum, reward) => sum + reward, 0) / rewards.length;
  const noisy = (size: number, k: number): number => size * (1 + 0.3 * wave(rollout, k));
  return {
    rollout,
    'reward/mean': mean,
    'reward/accuracy': rewards.filter((reward) => reward === 1).length / rewards.length,
    'reward/well_formed': 0.97,
    'length/mean': noisy(40, 3),
    'length/truncated': 0.01,
    'kl/mean': noisy(0.01, 4),
    'kl/coef': 0.01,
    'entropy/mean': noisy(0.3, 5),
    'loss/policy': noisy(-0.003, 6),
    'policy/clip_fraction': noisy(0.02, 7),
    'policy/approx_kl': noisy(0.001, 8),
    'policy/max_ratio': noisy(1.4, 9),
    'grad_norm/actor': noisy(0.4, 10),
    'loss/value': noisy(0.1, 11),
    'value/clip_fraction': 0,
    'value/explained_variance': rollout === 1 ? null : 0.4,
    'grad_norm/critic': noisy(0.8, 12),
    'lr/actor': 5e-7,
    'lr/critic': 9e-6,
    'steps/skipped': 0,
    ...(isEvaluated
      ? { 'eval/heldout/accuracy': 0.5 + 0.1 * wave(rollout, 13), 'eval/heldout/accuracy_se': 0.02 }
      : {}),
  };
}

/** The data that a page carries. */
export async function pageData<T>(file: string): Promise<T> {
  const html = await readFile(file, 'utf8');
  const [, json = ''] = /<script type="application\/json" id="data">(.*)<\/script>/.exec(html) ?? [];
  return JSON.parse(json) as T;
}

export const metricsFile = (dir: string): string => join(dir, 'metrics.jsonl');
