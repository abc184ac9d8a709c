/** Sampling and grading, overlapped: a prompt's samples are graded as soon as the last of them is there. */
import { underSignal } from '../engine/stream.js';
import { LimrError } from '../errors.js';
import type { NativeGenerateRequest, NativeGenerateStats, NativeSample, StopReason } from '../native.js';
import { type Reward, type RewardResult, type RewardSample, scoreSamples } from '../reward/reward.js';
import type { EngineModel } from './engine-port.js';
import type { Observer, SamplingPhase } from './events.js';

/** A prompt of a data set, ready for the model. */
export interface TrainPrompt {
  readonly id: string;
  /** The question, as the data set has it. */
  readonly prompt: string;
  readonly answer: string;
  /** Chat template applied, encoded. */
  readonly tokens: Int32Array;
}

/** The tokenizer's part in the loop. */
export interface TextDecoder {
  decode(tokens: ArrayLike<number>, options?: { readonly skipSpecialTokens?: boolean }): string;
}

/** A prompt and the key of its random stream. */
export interface KeyedPrompt {
  readonly prompt: TrainPrompt;
  readonly row: number;
  readonly key: number;
}

/** A finished sample with its grade. */
export interface GradedSample {
  readonly prompt: TrainPrompt;
  readonly sample: number;
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly stopReason: StopReason;
  /** Decoded without special tokens. */
  readonly response: string;
  readonly grade: RewardResult;
}

export interface SamplingJob {
  readonly actor: EngineModel;
  readonly prompts: readonly KeyedPrompt[];
  /** All of the request but its prompts. */
  readonly sampling: Omit<NativeGenerateRequest, 'tokens' | 'offsets' | 'rows'>;
  readonly reward: Reward;
  readonly text: TextDecoder;
  readonly phase: SamplingPhase;
  readonly signal: AbortSignal | undefined;
  readonly observe: Observer;
}

export interface SamplingResult {
  /** In canonical order: prompt by prompt as given, sample by sample. */
  readonly samples: readonly GradedSample[];
  readonly stats: NativeGenerateStats;
  /** Until the last sample was there; from then until the last grade. */
  readonly samplingSeconds: number;
  readonly gradingSeconds: number;
}

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
  const stats = await underSignal(signal, abort, () =>
    underSignal(failed.signal, abort, () => collect(job, grader)),
  ).catch((error: unknown) => {
    throw grader.failure ?? error;
  });
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
  const { prompts, sampling } = job;
  const offsets = new Int32Array(prompts.length + 1);
  for (const [i, { prompt }] of prompts.entries()) offsets[i + 1] = offsets[i]! + prompt.tokens.length;
  const tokens = new Int32Array(offsets[prompts.length]!);
  for (const [i, { prompt }] of prompts.entries()) tokens.set(prompt.tokens, offsets[i]!);
  const rows = Int32Array.from(prompts, ({ key }) => key);

  const stream = job.actor.generate({ ...sampling, tokens, offsets, rows });
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
  private tokens = 0;
  private graded = 0;
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
    this.tokens += sample.tokens.length;
    this.report();
    if (this.missing[sample.prompt] === 0) this.running.push(this.grade(sample.prompt, group as NativeSample[]));
  }

  get complete(): boolean {
    return this.missing.every((count) => count === 0);
  }

  private report(): void {
    const { phase, observe, prompts, sampling } = this.job;
    const { done, graded, tokens } = this;
    const total = prompts.length * sampling.samplesPerPrompt;
    const seconds = (performance.now() - this.started) / 1000;
    observe({ type: 'samples', rollout: sampling.rollout, phase, done, total, graded, tokens, seconds });
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
    const { text, reward, sampling } = this.job;
    try {
      const inputs = group.map(({ sample, tokens, logprobs, stopReason }): RewardSample => {
        const fullText = text.decode([...prompt.tokens, ...tokens]);
        const response = text.decode(tokens, { skipSpecialTokens: true });
        const origin = { prompt: prompt.prompt, promptId: prompt.id, answer: prompt.answer, row };
        return { ...origin, rollout: sampling.rollout, sample, response, fullText, tokens, logprobs, stopReason };
      });
      const grades = await scoreSamples(reward, inputs);
      this.results[index] = inputs.map(({ sample, tokens, logprobs, stopReason, response }, i) => {
        return { prompt, sample, tokens, logprobs, stopReason, response, grade: grades[i]! };
      });
      this.graded += group.length;
      this.report();
    } catch (error) {
      this.failure ??= error;
      this.onFailure();
    }
  }
}

/**
 * A sample in the form of LIMR's own files, which its lim_selection.py reads, and a few fields more. `prompt` is
 * stripped, since that script looks prompts up stripped.
 */
export function sampleRecord({ prompt, response, grade, tokens, sample, stopReason }: GradedSample): object {
  return {
    id: prompt.id,
    prompt: prompt.prompt.trim(),
    response,
    reward: grade.reward,
    response_length: tokens.length,
    sample,
    correct: grade.correct,
    reason: grade.reason,
    answer: grade.answer,
    gold: prompt.answer,
    stop_reason: stopReason,
  };
}
