/** Which epoch a rollout's prompts belong to: as the samples say, or found from which prompts come again. */
import { LimrError } from '../errors.js';
import type { Signal, StepGroups } from './groups.js';
import { Trajectories } from './trajectories.js';

/** How steps are cut into epochs. */
export interface EpochOptions {
  /** Steps of an epoch; null = as the samples say, else found from which prompts come again. */
  readonly stepsPerEpoch: number | null;
  /** Epochs that count, the first ones; null = all that are whole. */
  readonly epochs: number | null;
  /** How often a prompt occurs in an epoch (its rows in the data set); default: once. */
  readonly repeats?: (prompt: number) => number;
}

/** Steps of a run, cut into K epochs. */
export interface Epochs {
  /** K, at least 1. */
  readonly epochs: number;
  /** null where epochs end within a step (a loader that drops nothing) or have different lengths. */
  readonly stepsPerEpoch: number | null;
  /** Steps after the last epoch that counts, which are not used. */
  readonly unusedSteps: number;
  /** Of each step, the epoch of each group, from 0; K and more = not used. */
  readonly ofGroups: readonly Int32Array[];
}

/**
 * Assigns the groups of a run's steps to epochs. Samples of ours name theirs. Otherwise two orders are told apart, those of
 * src/ppo/prompt-order.ts without a subset:
 * - drop-last: an epoch has a whole number of steps, a prompt occurs in it once or not at all. Fewer prompts than a step takes are
 *   left over, so the first step of the next epoch repeats one: the epochs are exactly as long as steps without a repeat.
 * - a stream: every prompt occurs once before any occurs again, and an epoch may end within a step.
 * Two steps that both orders could have made count as a stream.
 * @throws {LimrError} LIMR_FORMAT when it is neither, LIMR_USAGE when fewer epochs are whole than asked for
 */
export function findEpochs(steps: readonly StepGroups[], options: EpochOptions): Epochs {
  const found =
    options.stepsPerEpoch !== null
      ? bySteps(steps, options.stepsPerEpoch)
      : (byRecord(steps) ?? detect(steps, options));
  const { epochs } = options;
  if (found.epochs < Math.max(1, epochs ?? 1)) {
    const each = found.stepsPerEpoch === null ? '' : ` of ${found.stepsPerEpoch} steps`;
    throw new LimrError(
      'LIMR_USAGE',
      `${steps.length} steps hold ${found.epochs} whole epochs${each}, expected ${epochs ?? 'at least 1'}`,
      'Train longer, or lower --epochs or --steps-per-epoch.',
    );
  }
  return epochs === null ? found : cut(found, epochs);
}

/**
 * @param keys N, how many prompts there are
 * @returns N trajectories of a signal; groups of one prompt and epoch are averaged by their samples
 */
export function trajectoriesOf(
  steps: readonly StepGroups[],
  keys: number,
  found: Epochs,
  signal: Signal,
): Trajectories {
  const sums = new Float64Array(keys * found.epochs).fill(Number.NaN);
  const counts = new Int32Array(sums.length);
  for (const [step, { prompts, counts: samples, values }] of steps.entries()) {
    const column = values[signal];
    if (column === undefined) throw new LimrError('LIMR_INTERNAL', `${signal} was not collected`);
    for (const [group, prompt] of prompts.entries()) {
      const epoch = found.ofGroups[step]![group]!;
      if (epoch >= found.epochs) continue;
      const at = prompt * found.epochs + epoch;
      const [count, more] = [counts[at]!, samples[group]!];
      sums[at] = count === 0 ? column[group]! : (sums[at]! * count + column[group]! * more) / (count + more);
      counts[at] = count + more;
    }
  }
  return new Trajectories(found.epochs, sums);
}

function bySteps(steps: readonly StepGroups[], stepsPerEpoch: number): Epochs {
  const epochs = Math.floor(steps.length / stepsPerEpoch);
  return {
    epochs,
    stepsPerEpoch,
    unusedSteps: steps.length - epochs * stepsPerEpoch,
    ofGroups: steps.map(({ prompts }, step) => new Int32Array(prompts.length).fill(Math.floor(step / stepsPerEpoch))),
  };
}

/** As every sample says, or undefined. An epoch that is not whole counts when it is the only one. */
function byRecord(steps: readonly StepGroups[]): Epochs | undefined {
  const recorded = steps.flatMap(({ recorded }) => recorded ?? []);
  if (recorded.length < steps.length) return undefined;
  const ofGroups = recorded.map(({ ofGroups }) => ofGroups);
  const counted = new WholeEpochs();
  for (const step of steps) counted.add(step);
  const whole = counted.count;
  const epochs = Math.max(1, whole);
  const lengths = Array.from({ length: whole }, (_, epoch) => ofGroups.filter((own) => own.includes(epoch)).length);
  const isWholeSteps = ofGroups.every((own) => own.every((epoch) => epoch === own[0]));
  const isOneLength = lengths.every((length) => length === lengths[0]);
  return {
    epochs,
    stepsPerEpoch: isWholeSteps && isOneLength ? (lengths[0] ?? null) : null,
    unusedSteps: steps.length - 1 - ofGroups.findLastIndex((own) => own.some((epoch) => epoch < epochs)),
    ofGroups,
  };
}

/** Counts the epochs of which every prompt was drawn, by what the samples say. */
export class WholeEpochs {
  private readonly sizes = new Map<number, number>();
  private readonly groups: number[] = [];
  private whole = 0;

  /** The first ones without a gap; 0 where samples do not say. */
  get count(): number {
    return this.whole;
  }

  add({ recorded }: StepGroups): void {
    const { sizes, groups } = this;
    for (const [epoch, size] of recorded?.sizes ?? []) sizes.set(epoch, size);
    for (const epoch of recorded?.ofGroups ?? []) groups[epoch] = (groups[epoch] ?? 0) + 1;
    while (sizes.has(this.whole) && groups[this.whole]! >= sizes.get(this.whole)!) this.whole += 1;
  }
}

function detect(steps: readonly StepGroups[], { repeats = () => 1 }: EpochOptions): Epochs {
  const stream = byPosition(steps, repeats);
  if (stream !== undefined) return stream;
  const lengths = lengthsWithoutRepeat(steps, repeats);
  const [first = 0] = lengths;
  const last = lengths.at(-1)!;
  if (lengths.slice(0, -1).every((length) => length === first) && last <= first) return bySteps(steps, first);
  throw new LimrError(
    'LIMR_FORMAT',
    `the steps do not fall into epochs: runs of steps without a repeated prompt have ${list(lengths)} steps`,
    'Say how many steps an epoch has by --steps-per-epoch.',
  );
}

/**
 * The order of a stream, or undefined: with n prompts, the groups at positions [e n, (e + 1) n) of the run are epoch e. Where epochs end
 * within a step, all steps are of one size.
 */
function byPosition(steps: readonly StepGroups[], repeats: (prompt: number) => number): Epochs | undefined {
  const seen: number[] = [];
  const ofGroups = steps.map(({ prompts }) =>
    Int32Array.from(prompts, (prompt) => {
      const occurrence = seen[prompt] ?? 0;
      seen[prompt] = occurrence + 1;
      return Math.floor(occurrence / repeats(prompt));
    }),
  );
  const perEpoch = seen.reduce((sum, _, prompt) => sum + repeats(prompt), 0);
  const starts = [0];
  for (const { prompts } of steps) starts.push(starts.at(-1)! + prompts.length);
  const isInPlace = (epochs: Int32Array, step: number) =>
    epochs.toSorted().every((epoch, i) => epoch === Math.floor((starts[step]! + i) / perEpoch));
  if (!ofGroups.every(isInPlace)) return undefined;
  const epochs = Math.floor(starts.at(-1)! / perEpoch);
  const length = starts.indexOf(perEpoch);
  const ends = Array.from({ length: epochs }, (_, epoch) => starts.indexOf((epoch + 1) * perEpoch));
  const isWholeSteps = length > 0 && ends.every((end, epoch) => end === (epoch + 1) * length);
  const isOneSize = steps.every(({ prompts }) => prompts.length === steps[0]!.prompts.length);
  if (!isWholeSteps && !isOneSize) return undefined;
  const used = starts.findIndex((start) => start >= epochs * perEpoch);
  return { epochs, stepsPerEpoch: isWholeSteps ? length : null, unusedSteps: steps.length - used, ofGroups };
}

/** Steps from one that repeats a prompt to the next such one. */
function lengthsWithoutRepeat(steps: readonly StepGroups[], repeats: (prompt: number) => number): number[] {
  const lengths: number[] = [];
  let seen = new Map<number, number>();
  for (const { prompts } of steps) {
    const distinct = [...new Set(prompts)];
    if (lengths.length === 0 || distinct.some((prompt) => (seen.get(prompt) ?? 0) >= repeats(prompt))) {
      lengths.push(0);
      seen = new Map();
    }
    for (const prompt of distinct) seen.set(prompt, (seen.get(prompt) ?? 0) + 1);
    lengths[lengths.length - 1]! += 1;
  }
  return lengths;
}

function cut(found: Epochs, epochs: number): Epochs {
  const isUsed = found.ofGroups.findLastIndex((groups) => groups.some((epoch) => epoch < epochs));
  return { ...found, epochs, unusedSteps: found.ofGroups.length - 1 - isUsed };
}

const list = (lengths: readonly number[]): string =>
  lengths.length <= 12 ? lengths.join(', ') : `${lengths.slice(0, 12).join(', ')}, ...`;
