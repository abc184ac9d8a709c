/** One pass over the samples of a run, for the choice of those that a page is given and for the learning impact alike. */
import { LimrError } from '../errors.js';
import { WholeEpochs } from '../lim/epochs.js';
import { GroupCollector, type RewardedSample } from '../lim/groups.js';
import { StepReader } from '../lim/step-files.js';
import type { SampleView, Split } from './data.js';
import { type Collected, type LearningRule, learningRule } from './learning.js';
import { listSamples, readSampleFile } from './sample-files.js';
import { StratifiedChoice } from './stratified.js';

const splits: readonly Split[] = ['train', 'test'];
/** Spans of rollouts that samples are drawn from alike. */
const spans = 20;
/** Rewards that lie within the same quarter are one stratum. */
const rewardStep = 4;
const maxRewardStratum = 4;

export interface SampleOptions {
  /** Samples of the run that a page is given, at most; 0 = none. */
  readonly samples: number;
  /** Bytes of them, and as many of their tokens again, at most. */
  readonly sampleBytes: number;
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal | undefined;
}

/** The samples of a run, read once each. */
export class SamplePass {
  readonly totals: Record<Split, number> = { train: 0, test: 0 };
  withTokens: ReadonlySet<number> = new Set();
  private readonly seen: Record<Split, number[]> = { train: [], test: [] };
  private readonly choice: StratifiedChoice<SampleView>;
  private readonly reader = new StepReader();
  private readonly whole = new WholeEpochs();
  private readonly prompts = new Map<string, string>();
  private ownRule = learningRule({});
  private collector = new GroupCollector([this.ownRule.signal]);
  private gap: number | undefined;

  constructor(
    private readonly dir: string,
    private readonly options: SampleOptions,
  ) {
    this.choice = new StratifiedChoice(Math.ceil(options.samples / spans));
  }

  get rule(): LearningRule {
    return this.ownRule;
  }

  /** Known once run.json is read, before the first sample. */
  set rule(rule: LearningRule) {
    this.ownRule = rule;
    if (this.seen.train.length === 0) this.collector = new GroupCollector([rule.signal]);
  }

  get collected(): Collected {
    return { steps: this.collector.steps, keys: this.collector.keys, prompts: this.prompts };
  }

  /** Whole epochs; 0 where samples do not say. */
  get epochs(): number {
    return this.whole.count;
  }

  /** Why learning cannot be measured; undefined when it can. */
  get absent(): string | undefined {
    if (this.seen.train.length === 0) return 'There are no samples of training.';
    if (this.gap !== undefined)
      return `The samples of rollout ${this.gap} are missing, and an epoch is only scored whole.`;
    if (this.collector.steps.some(({ recorded }) => recorded === undefined))
      return 'The samples do not say which epoch they are of; limr-engine select --samples finds the epochs of such runs.';
    return this.epochs === 0 ? 'No epoch is over yet: prompts have a score once all of them were sampled.' : undefined;
  }

  rollouts(split: Split): readonly number[] {
    return this.seen[split];
  }

  /**
   * Reads the files that are new.
   * @param planned rollouts of the whole run
   * @returns whether there were any
   */
  async read(planned: number | null): Promise<boolean> {
    const listings = { train: await listSamples(this.dir, 'train'), test: await listSamples(this.dir, 'test') };
    this.withTokens = listings.train.withTokens;
    const fresh = splits.flatMap((split) => {
      const last = this.seen[split].at(-1) ?? -1;
      return listings[split].rollouts.filter((rollout) => rollout > last).map((rollout) => ({ split, rollout }));
    });
    const last = Math.max(planned ?? 0, ...splits.map((split) => listings[split].rollouts.at(-1) ?? 0), 1);
    for (const [done, { split, rollout }] of fresh.entries()) {
      if (this.options.signal?.aborted === true)
        throw new LimrError('LIMR_ABORTED', 'interrupted while reading samples');
      await this.readFile(split, rollout, Math.min(spans - 1, Math.floor((rollout * spans) / (last + 1))));
      this.options.onProgress?.(done + 1, fresh.length);
    }
    return fresh.length > 0;
  }

  /** Newest rollout first. */
  chosen(): SampleView[] {
    return this.choice
      .choose(this.options.samples, this.options.sampleBytes, bytesOf)
      .sort(
        (a, b) => b.rollout - a.rollout || (a.split < b.split ? 1 : -1) * Number(a.split !== b.split) || a.row - b.row,
      );
  }

  /** Takes a file whole or not at all: one that is damaged may be read again when it is mended. */
  private async readFile(split: Split, rollout: number, span: number): Promise<void> {
    const samples: { readonly rewarded: RewardedSample; readonly prompt: unknown; readonly view: () => SampleView }[] =
      [];
    const hasTokens = split === 'train' && this.withTokens.has(rollout);
    for await (const { record, view } of readSampleFile(this.dir, split, rollout, hasTokens))
      samples.push({ rewarded: this.reader.of(record), prompt: record.fields.prompt, view });
    const offered = this.options.samples > 0 ? samples : [];
    for (const [row, { rewarded, view }] of offered.entries()) {
      const identity = [rollout * splits.length + splits.indexOf(split), row] as const;
      this.choice.offer(`${split} ${span} ${rewardLevel(rewarded.reward)}`, identity, view);
    }
    this.totals[split] += samples.length;
    if (split === 'train') {
      for (const { rewarded, prompt } of samples)
        if (typeof prompt === 'string' && !this.prompts.has(rewarded.key)) this.prompts.set(rewarded.key, prompt);
      this.collect(
        rollout,
        samples.map(({ rewarded }) => rewarded),
      );
    }
    this.seen[split].push(rollout);
  }

  private collect(rollout: number, samples: readonly RewardedSample[]): void {
    const next = (this.seen.train.at(-1) ?? 0) + 1;
    if (rollout !== next) this.gap ??= next;
    this.collector.addStep(samples);
    this.whole.add(this.collector.steps.at(-1)!);
  }
}

const rewardLevel = (reward: number): number =>
  Math.max(-maxRewardStratum, Math.min(maxRewardStratum, Math.round(reward * rewardStep) / rewardStep));

/** As a page carries it. */
export const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value));
