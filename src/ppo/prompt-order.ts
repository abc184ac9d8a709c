/**
 * Which prompts a rollout samples. Epoch e is the permutation randperm(n, seed + e) of the data set's rows, as
 * OpenRLHF's sampler has it; `dropLast` decides what becomes of the prompts that do not fill a rollout:
 * - true: they are dropped, so an epoch has floor(n / batch) rollouts (LIMR: 1 of 1,389 prompts at batch 1,024);
 * - false: the epochs are one stream that rollouts cut into equal pieces. The last rollout of an epoch goes on with the
 *   first prompts of the next one, so every prompt is seen equally often, and a prompt can occur twice in such a
 *   rollout.
 *
 * A subset takes over with the first rollout that begins in its epoch: from there the order is the same permutations with the other rows
 * left out, so prompts that stay keep their order. What a rollout before drew of that epoch stays drawn.
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

/** The only rows that are drawn from some epoch on. */
export interface PromptSubset {
  /** First epoch that it changes, from 2. */
  readonly fromEpoch: number;
  /** At least one. */
  readonly rows: ReadonlySet<number>;
}

/** A prompt of a rollout. */
export interface DrawnPrompt {
  readonly row: number;
  /** Of its random stream: the row; the second time in one rollout row + numPrompts, and so on. */
  readonly key: number;
  /** From 1. */
  readonly epoch: number;
  /** Prompts that the epoch draws, as far as known at this rollout. */
  readonly epochSize: number;
}

/**
 * The prompts of a rollout in canonical order: by ascending key.
 * @param rollout 1 is the first
 * @returns rolloutBatchSize prompts
 * @throws {LimrError} LIMR_USAGE when there are no prompts, or dropLast would drop all of them
 */
export function rolloutPrompts(order: PromptOrder, rollout: number, subset?: PromptSubset): readonly DrawnPrompt[] {
  const { numPrompts, rolloutBatchSize } = order;
  const epochs = new EpochOrder(order, rollout, subset);
  let { epoch, at } = epochs.place(rollout);
  let rows = epochs.rows(epoch);
  const seen = new Map<number, number>();
  const drawn: DrawnPrompt[] = [];
  while (drawn.length < rolloutBatchSize) {
    if (at === rows.length) {
      epoch += 1;
      rows = epochs.rows(epoch);
      at = 0;
    }
    const row = rows[at++]!;
    const occurrence = seen.get(row) ?? 0;
    seen.set(row, occurrence + 1);
    drawn.push({ row, key: row + occurrence * numPrompts, epoch: epoch + 1, epochSize: rows.length });
  }
  return drawn.sort((a, b) => a.key - b.key);
}

/**
 * The first rollout that begins in an epoch when no subset came before: all epochs before it are whole by then.
 * @param epoch from 1
 * @throws {LimrError} LIMR_USAGE as `rolloutPrompts`
 */
export function firstRolloutOf(order: PromptOrder, epoch: number): number {
  return Math.ceil(((epoch - 1) * usablePrompts(order, order.numPrompts)) / order.rolloutBatchSize) + 1;
}

/** @throws {LimrError} LIMR_USAGE for an order without prompts */
export function checkPromptOrder(order: PromptOrder): void {
  usablePrompts(order, order.numPrompts);
}

/** Prompts of an epoch over `count` rows. */
function usablePrompts({ rolloutBatchSize, dropLast }: PromptOrder, count: number): number {
  if (count === 0) throw new LimrError('LIMR_USAGE', 'there are no training prompts');
  const usable = dropLast ? count - (count % rolloutBatchSize) : count;
  if (usable > 0) return usable;
  throw new LimrError(
    'LIMR_USAGE',
    `dropLast drops all ${count} prompts: a rollout takes ${rolloutBatchSize}`,
    `Set --rollout-batch-size to ${count} or less, or leave --drop-last out.`,
  );
}

/** Epochs (from 0) as lists of rows, and where rollouts begin in them. */
class EpochOrder {
  /** Prompts of an epoch over all rows, and over the subset. */
  private readonly usable: number;
  /** Where the subset takes over: its first rollout, and the place where that begins; undefined while it has not. */
  private readonly turn: { readonly rollout: number; readonly epoch: number; readonly at: number } | undefined;

  constructor(
    private readonly order: PromptOrder,
    rollout: number,
    private readonly subset: PromptSubset | undefined,
  ) {
    this.usable = usablePrompts(order, order.numPrompts);
    const turn = subset === undefined ? Number.POSITIVE_INFINITY : firstRolloutOf(order, subset.fromEpoch);
    this.turn = rollout < turn ? undefined : { rollout: turn, ...this.placeInAll(turn) };
  }

  place(rollout: number): { readonly epoch: number; readonly at: number } {
    if (this.turn === undefined) return this.placeInAll(rollout);
    const { epoch, at } = this.turn;
    const behind = (rollout - this.turn.rollout) * this.order.rolloutBatchSize;
    const rest = this.rows(epoch).length - at;
    if (behind < rest) return { epoch, at: at + behind };
    const usable = usablePrompts(this.order, this.subset!.rows.size);
    return { epoch: epoch + 1 + Math.floor((behind - rest) / usable), at: (behind - rest) % usable };
  }

  rows(epoch: number): Int32Array {
    const { order, turn } = this;
    const { numPrompts, seed, shufflePrompts } = order;
    const all = shufflePrompts
      ? randperm(numPrompts, (seed + epoch) >>> 0)
      : Int32Array.from({ length: numPrompts }, (_, i) => i);
    if (turn === undefined || epoch < turn.epoch) return all.subarray(0, this.usable);
    const { rows } = this.subset!;
    const drawn = epoch === turn.epoch ? turn.at : 0;
    const kept = all.filter((row, i) => i < drawn || rows.has(row));
    return order.dropLast ? kept.subarray(0, usablePrompts(order, rows.size)) : kept;
  }

  private placeInAll(rollout: number): { readonly epoch: number; readonly at: number } {
    const position = (rollout - 1) * this.order.rolloutBatchSize;
    return { epoch: Math.floor(position / this.usable), at: position % this.usable };
  }
}
