/**
 * Which prompts a rollout samples. Epoch e is the permutation randperm(n, seed + e) of the data set's rows, as
 * OpenRLHF's sampler has it; `dropLast` decides what becomes of the prompts that do not fill a rollout:
 * - true: they are dropped, so an epoch has floor(n / batch) rollouts (LIMR: 1 of 1,389 prompts at batch 1,024);
 * - false: the epochs are one stream that rollouts cut into equal pieces. The last rollout of an epoch goes on with the
 *   first prompts of the next one, so every prompt is seen equally often, and a prompt can occur twice in such a
 *   rollout.
 */
import { LimrError } from '../errors.js';
import { randperm } from './randperm.js';

export interface PromptOrder {
  readonly numPrompts: number;
  readonly rolloutBatchSize: number;
  readonly seed: number;
  readonly shufflePrompts: boolean;
  readonly dropLast: boolean;
}

/**
 * The prompts of a rollout in canonical order, as keys: `key % numPrompts` is the data set's row. The second occurrence
 * of a row in one rollout has the key row + numPrompts, so that it draws other random numbers.
 * @param rollout 1 is the first
 * @returns rolloutBatchSize ascending keys
 * @throws {LimrError} LIMR_USAGE when there are no prompts, or dropLast would drop all of them
 */
export function rolloutKeys(order: PromptOrder, rollout: number): Int32Array {
  const { numPrompts, rolloutBatchSize } = order;
  if (numPrompts === 0) throw new LimrError('LIMR_USAGE', 'there are no training prompts');
  const usable = order.dropLast ? numPrompts - (numPrompts % rolloutBatchSize) : numPrompts;
  if (usable === 0)
    throw new LimrError(
      'LIMR_USAGE',
      `dropLast drops all ${numPrompts} prompts: a rollout takes ${rolloutBatchSize}`,
      `Set --rollout-batch-size to ${numPrompts} or less, or leave --drop-last out.`,
    );
  const keys = new Int32Array(rolloutBatchSize);
  const seen = new Map<number, number>();
  let epoch = -1;
  let permutation: Int32Array = new Int32Array();
  for (let i = 0; i < rolloutBatchSize; ++i) {
    const position = (rollout - 1) * rolloutBatchSize + i;
    const wanted = Math.floor(position / usable);
    if (wanted !== epoch) permutation = epochOrder(order, wanted);
    epoch = wanted;
    const row = permutation[position % usable]!;
    const occurrence = seen.get(row) ?? 0;
    seen.set(row, occurrence + 1);
    keys[i] = row + occurrence * numPrompts;
  }
  return keys.sort();
}

function epochOrder(order: PromptOrder, epoch: number): Int32Array {
  if (!order.shufflePrompts) return Int32Array.from({ length: order.numPrompts }, (_, i) => i);
  return randperm(order.numPrompts, (order.seed + epoch) >>> 0);
}
