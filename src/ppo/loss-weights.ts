/** Loss aggregation: how much each action counts in the loss of one optimizer step. */
import { type ActionSpans, actionLength } from './buffer.js';

/**
 * The weight of an action depends on its sample alone. Over a batch of B samples, len_s actions in sample s:
 *   token-mean                1 / sum_s len_s                  OpenRLHF since #1249, DAPO
 *   sequence-mean             1 / (B len_s)                    GRPO
 *   constant                  1 / (B generateMaxLen)           Dr. GRPO
 *   microbatch-token-mean:n   1 / (M tokens of its chunk)      LIMR: the batch as it was dealt, M chunks of n samples
 * The first two and the last sum to 1 over the batch.
 * @param batch sample ids in the order in which they were dealt, which only microbatch-token-mean looks at
 * @returns [B] weight of every action of batch[i]
 */
export function lossWeights(
  aggregation: string,
  spans: ActionSpans,
  batch: Int32Array,
  generateMaxLen: number,
): Float64Array {
  const size = batch.length;
  const lengths = Float64Array.from(batch, (s) => actionLength(spans, s));
  const chunk = aggregation.startsWith('microbatch-token-mean:') ? Number(aggregation.split(':')[1]) : size;
  const chunks = Math.ceil(size / chunk);
  return lengths.map((length, i) => {
    if (aggregation === 'sequence-mean') return 1 / (size * length);
    if (aggregation === 'constant') return 1 / (size * generateMaxLen);
    const first = i - (i % chunk);
    const tokens = lengths.subarray(first, first + chunk).reduce((a, b) => a + b, 0);
    return 1 / (chunks * tokens);
  });
}
