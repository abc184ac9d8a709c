/** How samples are cut: a rollout into optimizer steps, an optimizer step into micro-batches. */
import { LimrError } from '../errors.js';
import type { NativePacked } from '../native.js';
import { batchOrder } from '../random.js';

/**
 * Deals the samples of a rollout to optimizer steps, anew in each PPO epoch. The last step is smaller when
 * trainBatchSize does not divide the number of samples; no sample is left out.
 * @returns sample ids of each step, in the order dealt
 */
export function trainBatches(
  numSamples: number,
  trainBatchSize: number,
  seed: number,
  rollout: number,
  epoch: number,
): Int32Array[] {
  const order = batchOrder(numSamples, seed, rollout, epoch);
  const batches: Int32Array[] = [];
  for (let at = 0; at < numSamples; at += trainBatchSize) batches.push(order.slice(at, at + trainBatchSize));
  return batches;
}

/**
 * Cuts an optimizer step's samples into micro-batches without reordering them: as many in a row as fit both limits.
 * @param samples ids in canonical order
 * @param offsets [S + 1] of the buffer
 * @throws {LimrError} LIMR_SHAPE when one sequence alone exceeds maxTokens
 */
export function microBatches(
  samples: Int32Array,
  offsets: Int32Array,
  maxSequences: number,
  maxTokens: number,
): Int32Array[] {
  const batches: Int32Array[] = [];
  let [first, tokens] = [0, 0];
  for (const [i, s] of samples.entries()) {
    const length = offsets[s + 1]! - offsets[s]!;
    if (length > maxTokens)
      throw new LimrError(
        'LIMR_SHAPE',
        `a sequence of ${length} tokens exceeds the micro-batch of ${maxTokens} tokens`,
        `Set --micro-train-max-tokens to ${length} or more.`,
      );
    if (i - first === maxSequences || tokens + length > maxTokens) {
      batches.push(samples.slice(first, i));
      [first, tokens] = [i, 0];
    }
    tokens += length;
  }
  if (first < samples.length) batches.push(samples.slice(first));
  return batches;
}

/** Sequences cut out of packed ones. */
export interface Selection {
  readonly packed: NativePacked;
  /** Cuts the same out of any per-token array. */
  gather(source: Float32Array): Float32Array;
}

/** @param samples ids, in the order that the packed sequences shall have */
export function select(source: NativePacked, samples: Int32Array): Selection {
  const offsets = new Int32Array(samples.length + 1);
  for (const [i, s] of samples.entries()) offsets[i + 1] = offsets[i]! + source.offsets[s + 1]! - source.offsets[s]!;
  const length = offsets[samples.length]!;
  const copy = <T extends Float32Array | Int32Array>(from: T, to: T): T => {
    for (const [i, s] of samples.entries()) to.set(from.subarray(source.offsets[s], source.offsets[s + 1]), offsets[i]);
    return to;
  };
  return {
    packed: { tokens: copy(source.tokens, new Int32Array(length)), offsets },
    gather: (values) => copy(values, new Float32Array(length)),
  };
}
