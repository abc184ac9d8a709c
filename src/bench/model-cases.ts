/** Cases of a model: prefill, decode, training. */
import type { Model } from '../engine/model.js';
import { forwardFlops, keyFlops, type ModelShape, multipliedWeights } from '../plan/time.js';
import { type BenchCase, limitOf } from './case.js';
import {
  type DecodeSize,
  decodeStepSeconds,
  prefillSeconds,
  type RolloutSize,
  rollout,
  sequences,
  trainSeconds,
} from './measures.js';

const bf16Bytes = 2;

/** Prompt tokens a prefill step. */
const prefillChunk = 2048;
/** Decode steps a repetition. */
const decodeSteps = 16;

/** Bytes of a token's keys and values. */
const tokenBytes = ({ layers, kvHeads, headDim }: ModelShape) => 2 * layers * kvHeads * headDim * bf16Bytes;

/** What a repetition does, counted by hand. */
export interface Work {
  /** Tokens. */
  readonly amount: number;
  readonly flops: number;
  /** Read from memory at least; absent where it is not what counts. */
  readonly bytes?: number;
}

/** Logits are computed for the last token alone. */
export function prefillWork(shape: ModelShape, length: number): Work {
  const head = shape.hiddenSize * shape.vocabSize;
  return { amount: length, flops: length * (forwardFlops(shape, length) - 2 * head) + 2 * head };
}

/** A step reads all weights once, and the keys and values of every sequence. `context` is the one half way through the steps. */
export function decodeWork(shape: ModelShape, batch: number, context: number): Required<Work> {
  const weights = multipliedWeights(shape);
  return {
    amount: batch,
    flops: batch * (2 * weights + context * keyFlops(shape)),
    bytes: weights * bf16Bytes + batch * context * tokenBytes(shape),
  };
}

/** Backward is two products for each of forward's. */
export function trainWork(shape: ModelShape, count: number, length: number): Work {
  return { amount: count * length, flops: 3 * count * length * forwardFlops(shape, length) };
}

/** A prompt of `length` tokens until the first token is drawn. */
export function prefillCase(model: Model, shape: ModelShape, length: number): BenchCase {
  return {
    name: `prefill ${length}`,
    suite: 'prefill',
    unit: 'tokens',
    ...prefillWork(shape, length),
    limit: 'flops',
    run: () => prefillSeconds(model, length, prefillChunk),
  };
}

/**
 * A step of `batch` sequences, each with `context` tokens and more.
 * @param cacheBytes that stay in caches from one step to the next
 */
export function decodeCase(
  model: Model,
  shape: ModelShape,
  { batch, context, samplesPerPrompt }: DecodeSize,
  cacheBytes: number,
): BenchCase {
  const { bytes, ...work } = decodeWork(shape, batch, context + decodeSteps / 2);
  const cached = multipliedWeights(shape) * bf16Bytes < 2 * cacheBytes;
  return {
    name: `decode b${batch} c${context}`,
    suite: 'decode',
    unit: 'tokens',
    ...work,
    ...(cached ? {} : { bytes }),
    limit: cached ? 'flops' : limitOf(work.flops, bytes),
    run: (signal) => {
      const size = { batch, context, samplesPerPrompt: greatestDivisor(batch, samplesPerPrompt) };
      return decodeStepSeconds(model, size, decodeSteps, signal);
    },
  };
}

/** Positions that a decode case needs beside its context. */
export const decodeRoom = decodeSteps;

/** The largest divisor of `batch` that is at most `most`: samples of a prompt where a batch has few. */
function greatestDivisor(batch: number, most: number): number {
  for (let divisor = Math.min(batch, most); divisor > 1; --divisor) if (batch % divisor === 0) return divisor;
  return 1;
}

/** Forward, backward and AdamW on `count` packed sequences of `length` tokens. */
export function trainCase(model: Model, shape: ModelShape, count: number, length: number): BenchCase {
  const packed = sequences(count, length, shape.vocabSize);
  return {
    name: `train ${count}x${length}`,
    suite: 'train',
    unit: 'tokens',
    ...trainWork(shape, count, length),
    limit: 'flops',
    run: () => trainSeconds(model, packed),
  };
}

/**
 * Sampling as training does it: prompts with several samples each, early ends, new samples in the places of finished ones. A generated
 * token counts, a prompt's does not. Runs once, to count them.
 */
export async function rolloutCase(model: Model, size: RolloutSize): Promise<BenchCase> {
  const { prompts, samplesPerPrompt, promptTokens, maxTokens } = size;
  const { stats } = await rollout(model, size);
  return {
    name: `rollout ${prompts}x${samplesPerPrompt}x${promptTokens}+${maxTokens}`,
    suite: 'rollout',
    unit: 'tokens',
    amount: stats.generatedTokens,
    limit: 'flops',
    run: async (signal) => (await rollout(model, size, signal)).seconds,
  };
}
