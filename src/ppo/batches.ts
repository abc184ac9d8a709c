/** How a rollout is cut: into optimizer steps, and an optimizer step into micro-batches. */
import { LimrError } from '../errors.js';
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
