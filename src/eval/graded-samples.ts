/** Sampling and grading, overlapped: a prompt's samples are graded as soon as the last of them is there. */
import type { TokenizedPrompt } from '../dataset/asking.js';
import type { EngineModel } from '../engine/port.js';
import type { SamplingConfig } from '../engine/sampling.js';
import { packSequences } from '../engine/sequences.js';
import { underSignal } from '../engine/stream.js';
import { LimrError } from '../errors.js';
import type { NativeGenerateStats, NativeSample, StopReason } from '../native.js';
import { type Reward, type RewardResult, type RewardSample, scoreSamples } from '../reward/reward.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { type EvaluationSummary, summarize } from './accuracy.js';

/** The tokenizer's part. */
export type TokenDecoder = Pick<Tokenizer, 'decode'>;

/** A prompt, its place in the data set, and the key of its random stream. */
export interface KeyedPrompt {
  readonly prompt: TokenizedPrompt;
  readonly row: number;
  readonly key: number;
}

/** A finished sample with its grade. */
export interface GradedSample {
  readonly prompt: TokenizedPrompt;
  readonly sample: number;
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly stopReason: StopReason;
  /** Decoded without special tokens. */
  readonly response: string;
  readonly grade: RewardResult;
}

/** How far sampling and grading have come. */
export interface SamplingProgress {
  /** Samples finished, of how many; samples graded, and right. */
  readonly done: number;
  readonly total: number;
  readonly graded: number;
  readonly correct: number;
  /** Generated tokens, those of unfinished samples among them. */
  readonly tokens: number;
  readonly seconds: number;
  /** Samples in the batch that is decoded, and those that wait for it. */
  readonly running: number;
  readonly queued: number;
}

export interface SamplingJob {
  readonly actor: Pick<EngineModel, 'generate' | 'abort' | 'samplingProgress'>;
  readonly prompts: readonly KeyedPrompt[];
  readonly sampling: SamplingConfig;
  readonly reward: Reward;
  readonly text: TokenDecoder;
  readonly signal: AbortSignal | undefined;
  /** Called for every finished sample, for every graded prompt, and twice a second. */
  readonly onProgress: (progress: SamplingProgress) => void;
}

export interface SamplingResult {
  /** In canonical order: prompt by prompt as given, sample by sample. */
  readonly samples: readonly GradedSample[];
  readonly stats: NativeGenerateStats;
  /** Until the last sample was there; from then until the last grade. */
  readonly samplingSeconds: number;
  readonly gradingSeconds: number;
}

/** Long samples finish seldom, and someone may be watching. */
const progressPeriodMs = 500;

/**
 * Draws `samplesPerPrompt` samples of each prompt and grades them.
 * @throws {LimrError} LIMR_ABORTED; LIMR_NUMERIC when a log-prob is not finite; what the reward throws
 */
export async function sampleAndGrade(job: SamplingJob): Promise<SamplingResult> {
  const { actor, signal } = job;
  const failed = new AbortController();
  const abort = (): void => actor.abort();
  const grader = new GroupGrader(job, () => failed.abort());
  const started = performance.now();
  const ticks = setInterval(() => grader.report(), progressPeriodMs);
  const stats = await underSignal(signal, abort, () => underSignal(failed.signal, abort, () => collect(job, grader)))
    .catch((error: unknown) => {
      throw grader.failure ?? error;
    })
    .finally(() => clearInterval(ticks));
  const sampled = performance.now();
  const samples = await unlessAborted(signal, grader.finish());
  return {
    samples,
    stats,
    samplingSeconds: (sampled - started) / 1000,
    gradingSeconds: (performance.now() - sampled) / 1000,
  };
}

/** Leaves a promise behind when the signal is aborted: a reward server may answer late, or never. */
async function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  let leave = (): void => {};
  const left = new Promise<never>((_, reject) => {
    leave = () => reject(new LimrError('LIMR_ABORTED', 'interrupted while grading'));
  });
  promise.catch(() => {}); // when left behind, its later failure is nobody's
  return underSignal(signal, leave, () => Promise.race([promise, left]));
}

async function collect(job: SamplingJob, grader: GroupGrader): Promise<NativeGenerateStats> {
  const packed = packSequences(job.prompts.map(({ prompt }) => prompt.tokens));
  const rows = Int32Array.from(job.prompts, ({ key }) => key);
  const stream = job.actor.generate({ ...job.sampling, ...packed, rows });
  let stats: NativeGenerateStats | undefined;
  const samples = (async function* () {
    stats = yield* stream;
  })();
  for await (const sample of samples) grader.add(sample);
  if (stats === undefined || !grader.complete) throw new LimrError('LIMR_INTERNAL', 'sampling ended too early');
  return stats;
}

/** Collects samples by prompt and grades each complete group. */
class GroupGrader {
  /** The first error of a grade, if any. */
  failure: unknown;
  private done = 0;
  /** Until the last sample. */
  private seconds = 0;
  private graded = 0;
  private correct = 0;
  private readonly started = performance.now();
  private readonly groups: (NativeSample | undefined)[][];
  private readonly missing: number[];
  private readonly results: GradedSample[][] = [];
  private readonly running: Promise<void>[] = [];

  constructor(
    private readonly job: SamplingJob,
    private readonly onFailure: () => void,
  ) {
    const { samplesPerPrompt } = job.sampling;
    this.groups = job.prompts.map(() => new Array<NativeSample | undefined>(samplesPerPrompt).fill(undefined));
    this.missing = job.prompts.map(() => samplesPerPrompt);
  }

  add(sample: NativeSample): void {
    const group = this.groups[sample.prompt];
    if (group === undefined || sample.sample >= group.length || group[sample.sample] !== undefined)
      throw new LimrError(
        'LIMR_INTERNAL',
        `sampling returned sample ${sample.sample} of prompt ${sample.prompt} unasked`,
      );
    if (!sample.logprobs.every(Number.isFinite))
      throw new LimrError(
        'LIMR_NUMERIC',
        `the policy gave a log-prob that is not finite to prompt ${this.job.prompts[sample.prompt]!.prompt.id}`,
        'The weights may have diverged: resume from an earlier checkpoint with a lower --actor-learning-rate.',
      );
    group[sample.sample] = sample;
    this.missing[sample.prompt]! -= 1;
    this.done += 1;
    this.report();
    if (this.missing[sample.prompt] === 0) this.running.push(this.grade(sample.prompt, group as NativeSample[]));
  }

  get complete(): boolean {
    return this.missing.every((count) => count === 0);
  }

  report(): void {
    const { prompts, sampling, onProgress, actor } = this.job;
    const { done, graded, correct } = this;
    const { generatedTokens: tokens, running, waiting: queued } = actor.samplingProgress();
    const total = prompts.length * sampling.samplesPerPrompt;
    if (done < total || this.seconds === 0) this.seconds = (performance.now() - this.started) / 1000;
    const { seconds } = this;
    onProgress({ done, total, graded, correct, tokens, seconds, running, queued });
  }

  /** @returns all samples, in canonical order */
  async finish(): Promise<GradedSample[]> {
    await Promise.all(this.running);
    if (this.failure !== undefined) throw this.failure;
    return this.results.flat();
  }

  /** Never rejects: a failure is kept, and stops the sampling. */
  private async grade(index: number, group: readonly NativeSample[]): Promise<void> {
    const { prompt, row } = this.job.prompts[index]!;
    const { text, reward, sampling, signal } = this.job;
    try {
      const { id: promptId, answer, fields = {} } = prompt;
      const { rollout } = sampling;
      const promptText = text.decode(prompt.tokens);
      const origin = { prompt: prompt.prompt, promptId, answer, fields, row, rollout, promptText };
      const inputs = group.map(({ sample, tokens, logprobs, stopReason }): RewardSample => {
        const fullText = text.decode([...prompt.tokens, ...tokens]);
        const response = text.decode(tokens, { skipSpecialTokens: true });
        return { ...origin, sample, response, fullText, tokens, logprobs, stopReason };
      });
      const grades = await scoreSamples(reward, inputs, signal);
      this.results[index] = inputs.map(({ sample, tokens, logprobs, stopReason, response }, i) => {
        return { prompt, sample, tokens, logprobs, stopReason, response, grade: grades[i]! };
      });
      this.graded += group.length;
      for (const { correct } of grades) this.correct += Number(correct);
      this.report();
    } catch (error) {
      this.failure ??= error;
      this.onFailure();
    }
  }
}

/**
 * What graded samples say about the model.
 * @param samples in canonical order, `samplesPerPrompt` of each prompt
 * @throws {LimrError} LIMR_SHAPE when there are none
 */
export function summarizeSamples(samples: readonly GradedSample[], samplesPerPrompt: number): EvaluationSummary {
  const outcomes = samples.map(({ grade: { correct, wellFormed }, tokens, stopReason }) => {
    return { correct, wellFormed, length: tokens.length, truncated: stopReason === 'length' };
  });
  return summarize(groupByPrompt(outcomes, samplesPerPrompt));
}

/** @returns [prompt][sample] */
export function groupByPrompt<T>(samples: readonly T[], samplesPerPrompt: number): T[][] {
  const numPrompts = samples.length / samplesPerPrompt;
  return Array.from({ length: numPrompts }, (_, i) => samples.slice(i * samplesPerPrompt, (i + 1) * samplesPerPrompt));
}
