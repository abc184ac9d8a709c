/** Samples, as they come, condensed to one number a prompt and rollout: what a million prompts leave fits in memory. */

/** What is measured of a prompt's samples in one epoch. */
export const signals = ['reward', 'accuracy', 'variance'] as const;
/**
 * Of the n samples of a group: `reward` = mean of r; `accuracy` = share of correct ones; `variance` = mean of (r - mean r)^2.
 */
export type Signal = (typeof signals)[number];

/** One sample of a rollout. */
export interface RewardedSample {
  /** What names the prompt: its id, or its text. */
  readonly key: string;
  readonly reward: number;
  readonly correct: boolean;
  /** Which of the prompt's samples; a number that comes again within a step begins a further group of the prompt. */
  readonly sample?: number;
  /** The epoch that it belongs to, from 1, and the prompts that this epoch draws, as far as known then: where the run says so. */
  readonly epoch?: number;
  readonly epochSize?: number;
}

/** What the samples of a step say of their epochs. */
export interface RecordedEpochs {
  /** Of each group, its epoch, from 0. */
  readonly ofGroups: Int32Array;
  /** Of each epoch, the prompts that it draws. */
  readonly sizes: ReadonlyMap<number, number>;
}

/** The groups of one step. */
export interface StepGroups {
  /** Of each group, its prompt as an index into the keys. */
  readonly prompts: Int32Array;
  /** Of each group, its samples. */
  readonly counts: Int32Array;
  /** undefined where samples do not say. */
  readonly recorded: RecordedEpochs | undefined;
  /** Of each group, the value of the signals asked for. */
  readonly values: Readonly<Partial<Record<Signal, Float64Array>>>;
}

interface Tally {
  readonly prompt: number;
  /** Of its first sample. */
  readonly epoch: number | undefined;
  readonly epochSize: number | undefined;
  /** Which samples are in it, where they say so. */
  readonly members: Set<number>;
  count: number;
  sum: number;
  correct: number;
  /** Sum of squared differences from the mean (Welford 1962). */
  squares: number;
}

/** Collects the steps of a run. It keeps 8 + 8 * signals bytes a group, 4 more where samples name their epoch, and the keys. */
export class GroupCollector {
  readonly steps: StepGroups[] = [];
  samples = 0;
  private readonly indices = new Map<string, number>();

  constructor(private readonly wanted: readonly Signal[]) {}

  /** Prompts in the order they were first seen. */
  get keys(): string[] {
    return [...this.indices.keys()];
  }

  /** Takes the samples of one step. */
  addStep(samples: Iterable<RewardedSample>): void {
    const ofPrompt = new Map<number, Tally[]>();
    const all: Tally[] = [];
    for (const sample of samples) {
      const prompt = this.indexOf(sample.key);
      let own = ofPrompt.get(prompt);
      if (own === undefined) {
        own = [];
        ofPrompt.set(prompt, own);
      }
      let tally = own.find(({ members }) => sample.sample === undefined || !members.has(sample.sample));
      if (tally === undefined) {
        const { epoch, epochSize } = sample;
        tally = { prompt, epoch, epochSize, members: new Set(), count: 0, sum: 0, correct: 0, squares: 0 };
        own.push(tally);
        all.push(tally);
      }
      add(tally, sample);
      this.samples += 1;
    }
    this.steps.push(condense(all, this.wanted));
  }

  private indexOf(key: string): number {
    const known = this.indices.get(key);
    if (known !== undefined) return known;
    const index = this.indices.size;
    this.indices.set(key, index);
    return index;
  }
}

function add(tally: Tally, { reward, correct, sample }: RewardedSample): void {
  if (sample !== undefined) tally.members.add(sample);
  const before = tally.count === 0 ? reward : tally.sum / tally.count;
  tally.count += 1;
  tally.sum += reward;
  tally.correct += Number(correct);
  tally.squares += (reward - before) * (reward - tally.sum / tally.count);
}

const measures: Readonly<Record<Signal, (tally: Tally) => number>> = {
  reward: ({ sum, count }) => sum / count,
  accuracy: ({ correct, count }) => correct / count,
  variance: ({ squares, count }) => squares / count,
};

function condense(tallies: readonly Tally[], wanted: readonly Signal[]): StepGroups {
  return {
    recorded: recordedEpochs(tallies),
    prompts: Int32Array.from(tallies, ({ prompt }) => prompt),
    counts: Int32Array.from(tallies, ({ count }) => count),
    values: Object.fromEntries(wanted.map((signal) => [signal, Float64Array.from(tallies, measures[signal])])),
  };
}

function recordedEpochs(tallies: readonly Tally[]): RecordedEpochs | undefined {
  const ofGroups = new Int32Array(tallies.length);
  const sizes = new Map<number, number>();
  for (const [group, { epoch, epochSize }] of tallies.entries()) {
    if (epoch === undefined || epochSize === undefined) return undefined;
    ofGroups[group] = epoch - 1;
    sizes.set(epoch - 1, epochSize);
  }
  return { ofGroups, sizes };
}
