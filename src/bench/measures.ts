/** One repetition of what a model does, in seconds. `bench` repeats them, `plan` takes them for its estimate. */
import type { GenerateRequest, GenerateStats, Model } from '../engine/model.js';
import type { SamplingOptions } from '../engine/sampling.js';

/** Tokens that look random, always the same. */
export function tokens(count: number, vocabSize: number, start = 0): Int32Array {
  // Knuth's multiplicative hash of the place.
  return Int32Array.from({ length: count }, (_, i) => (Math.imul(start + i + 1, 0x9e3779b1) >>> 8) % vocabSize);
}

export const sequences = (count: number, length: number, vocabSize: number): Int32Array[] =>
  Array.from({ length: count }, (_, s) => tokens(length, vocabSize, s * length));

export async function secondsOf(body: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await body();
  return (performance.now() - started) / 1000;
}

/** Of a prompt's pass until its first token is drawn, in chunks of at most `chunk` tokens. */
export async function prefillSeconds(model: Model, length: number, chunk: number): Promise<number> {
  const prompt = { tokens: tokens(length, model.info.vocabSize) };
  const stats = await generate(model, [prompt], { maxTokens: 1, temperature: 0, prefillChunk: chunk });
  return stats.prefillSeconds + stats.decodeSeconds;
}

export interface DecodeSize {
  /** Sequences that are decoded at once. */
  readonly batch: number;
  /** Tokens that each of them has when it begins. */
  readonly context: number;
  /** Samples that share a prompt, and its keys and values; divides the batch. */
  readonly samplesPerPrompt: number;
}

/**
 * Seconds a decode step: the mean of `steps`, or of one less where nobody shares a prompt, whose first token comes with it; at least 2.
 * All prompts are computed in one step before, whose time is not counted.
 */
export async function decodeStepSeconds(
  model: Model,
  { batch, context, samplesPerPrompt }: DecodeSize,
  steps: number,
  signal?: AbortSignal,
): Promise<number> {
  const prompts = sequences(batch / samplesPerPrompt, context, model.info.vocabSize);
  const stats = await generate(
    model,
    prompts.map((prompt) => ({ tokens: prompt })),
    {
      samplesPerPrompt,
      minTokens: steps,
      maxTokens: steps,
      maxBatch: batch,
      prefillChunk: prompts.length * context,
      ...(signal === undefined ? {} : { signal }),
    },
  );
  return stats.decodeSeconds / stats.decodeSteps;
}

export interface RolloutSize {
  readonly prompts: number;
  readonly samplesPerPrompt: number;
  readonly promptTokens: number;
  /** Generated tokens a sample, at most. */
  readonly maxTokens: number;
  /** Sequences decoded at once, at most. */
  readonly maxBatch: number;
}

/** Of samples under random weights, so many reach `maxTokens`; the others end at all lengths before. */
const longShare = 0.25;

/** Sampling for a rollout: every prompt has several samples, which share its prefill. The same tokens each time. */
export async function rollout(
  model: Model,
  { prompts, samplesPerPrompt, promptTokens, maxTokens, maxBatch }: RolloutSize,
  signal?: AbortSignal,
): Promise<{ readonly seconds: number; readonly stats: GenerateStats }> {
  const { vocabSize } = model.info;
  // Under random weights all tokens are about as likely: this many of them end a sample.
  const ending = Math.max(1, Math.round((1 - longShare ** (1 / maxTokens)) * vocabSize));
  const started = performance.now();
  const stats = await generate(
    model,
    sequences(prompts, promptTokens, vocabSize).map((prompt) => ({ tokens: prompt })),
    {
      samplesPerPrompt,
      maxTokens,
      maxBatch,
      eosTokenIds: tokens(ending, vocabSize),
      ...(signal === undefined ? {} : { signal }),
    },
  );
  return { seconds: (performance.now() - started) / 1000, stats };
}

async function generate(
  model: Model,
  prompts: readonly GenerateRequest[],
  options: SamplingOptions,
): Promise<GenerateStats> {
  const stream = model.generate(prompts, options);
  for (;;) {
    const next = await stream.next();
    if (next.done === true) return next.value;
  }
}

/** Of log-probabilities of packed sequences. */
export const scoreSeconds = (model: Model, packed: readonly Int32Array[]): Promise<number> =>
  secondsOf(() => model.score(packed, { maxTokens: packed.reduce((sum, { length }) => sum + length, 0) }));

/** Of an optimizer step on packed sequences: forward, backward, norm, AdamW. The weights stay: the rate is 0. */
export function trainSeconds(model: Model, packed: readonly Int32Array[]): Promise<number> {
  const count = packed.reduce((sum, { length }) => sum + length, 0);
  const weights = Float32Array.from(packed.flatMap(({ length }) => weightsOf(length, 1 / (count - packed.length))));
  return secondsOf(async () => {
    await model.accumulate(packed, { kind: 'cross_entropy', weights, temperature: 1 });
    await model.step({ learningRate: 0 });
  });
}

/** A sequence's first token has no loss. */
const weightsOf = (length: number, weight: number): number[] =>
  Array.from({ length }, (_, i) => (i === 0 ? 0 : weight));
