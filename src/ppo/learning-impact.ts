/**
 * LIM while a run trains: collects the samples of every rollout, scores the prompts whenever an epoch has ended, and says which prompts,
 * or with which weights, training goes on. It has no state of its own to save: a resumed run reads its samples again.
 */
import type { TokenizedPrompt } from '../dataset/asking.js';
import { LimrError } from '../errors.js';
import type { GradedSample } from '../eval/graded-samples.js';
import { WholeEpochs } from '../lim/epochs.js';
import { GroupCollector, type RewardedSample } from '../lim/groups.js';
import { effectiveCount, type KeepRule, keptScores, scoresAfter, scoreWeights } from '../lim/online.js';
import { StepReader, stepFiles } from '../lim/step-files.js';
import type { TrainConfig } from './config.js';
import { finite, type Metrics } from './metrics.js';
import type { DrawnPrompt, PromptSubset } from './prompt-order.js';

/** What an epoch's end brought. */
export interface EpochScores {
  /** From 1; the scores are of this one and those before it. */
  readonly epoch: number;
  /** {id, prompt, score, kept} of every prompt with a score, in the data set's order; with limWeight in force, its weight. */
  readonly rows: readonly object[];
  readonly metrics: Metrics;
  /** Why there are no scores; undefined when there are. */
  readonly undefinedBecause: string | undefined;
}

/** Scores by row; NaN = none. */
interface Scored {
  readonly scores: Float64Array;
  readonly undefinedBecause: string | undefined;
}

export class LearningImpact {
  private readonly collector: GroupCollector;
  private readonly whole = new WholeEpochs();
  private readonly rowOf: ReadonlyMap<string, number>;
  private scoredEpochs = 0;
  private kept: PromptSubset | undefined;
  private weights: Float64Array | undefined;
  private failure: LimrError | undefined;

  private constructor(
    private readonly config: TrainConfig,
    private readonly prompts: readonly TokenizedPrompt[],
  ) {
    this.collector = new GroupCollector([config.limSignal]);
    this.rowOf = rowsById(prompts);
  }

  /**
   * @param folder of the run's training samples, step_1.json and so on
   * @param rollouts how many of them there are to read again
   * @throws {LimrError} LIMR_FORMAT when two prompts have one id, or a sample file is missing or damaged; LIMR_IO
   */
  static async open(
    config: TrainConfig,
    prompts: readonly TokenizedPrompt[],
    folder: string,
    rollouts: number,
  ): Promise<LearningImpact> {
    const impact = new LearningImpact(config, prompts);
    if (rollouts > 0) await impact.readAgain(folder, rollouts);
    return impact;
  }

  /** Epochs that were scored. */
  get epochs(): number {
    return this.scoredEpochs;
  }

  /** What LIM left nothing to train on for; undefined while training can go on. */
  get refusal(): LimrError | undefined {
    return this.failure;
  }

  /** The prompts that stay, once limDrop has chosen. */
  get subset(): PromptSubset | undefined {
    return this.kept;
  }

  /** [S] factor of each sample's policy loss, once limWeight is in force; null before. */
  sampleWeights(drawn: readonly DrawnPrompt[]): Float64Array | null {
    const { weights } = this;
    const each = this.config.nSamplesPerPrompt;
    if (weights === undefined) return null;
    return Float64Array.from({ length: drawn.length * each }, (_, s) => weights[drawn[Math.floor(s / each)]!.row]!);
  }

  /**
   * Takes a rollout.
   * @param samples in canonical order, nSamplesPerPrompt for each prompt
   * @returns what the epochs brought that ended in it; mostly none
   */
  add(samples: readonly GradedSample[], drawn: readonly DrawnPrompt[]): readonly EpochScores[] {
    const each = this.config.nSamplesPerPrompt;
    this.collect(
      samples.map(({ prompt, sample, grade: { reward, correct } }, s) => {
        const { epoch, epochSize } = drawn[Math.floor(s / each)]!;
        return { key: prompt.id.trim(), reward, correct, sample, epoch, epochSize };
      }),
    );
    const ended: EpochScores[] = [];
    while (this.scoredEpochs < this.whole.count) {
      this.scoredEpochs += 1;
      const scored = this.score(this.scoredEpochs);
      this.decide(this.scoredEpochs, scored);
      ended.push(this.report(this.scoredEpochs, scored));
    }
    return ended;
  }

  private async readAgain(folder: string, rollouts: number): Promise<void> {
    const files = (await stepFiles(folder)).slice(0, rollouts);
    if (files.length < rollouts) {
      throw new LimrError(
        'LIMR_FORMAT',
        `${folder} has the samples of ${files.length} rollouts, and the checkpoint is after rollout ${rollouts}`,
        'LIM is measured from them: resume from an untouched copy of the run folder.',
      );
    }
    const reader = new StepReader('id');
    for (const file of files) this.collect(await reader.read(file));
    this.scoredEpochs = this.whole.count;
    const { limFromEpoch, limDrop } = this.config;
    if (limFromEpoch === null || this.scoredEpochs < limFromEpoch - 1) return;
    const decisive = limDrop ? limFromEpoch - 1 : this.scoredEpochs;
    this.decide(decisive, this.score(decisive));
  }

  private collect(samples: Iterable<RewardedSample>): void {
    this.collector.addStep(samples);
    this.whole.add(this.collector.steps.at(-1)!);
  }

  private score(epochs: number): Scored {
    const { limMethod: method, limSignal: signal, limMissing: missing } = this.config;
    const { steps, keys } = this.collector;
    const scores = new Float64Array(this.prompts.length).fill(Number.NaN);
    try {
      const own = scoresAfter(steps, keys.length, epochs, { method, signal, missing });
      for (const [index, key] of keys.entries()) {
        const row = this.rowOf.get(key);
        if (row !== undefined) scores[row] = own[index]!;
      }
      return { scores, undefinedBecause: undefined };
    } catch (error) {
      const isUndefined = error instanceof LimrError && (error.code === 'LIMR_SHAPE' || error.code === 'LIMR_NUMERIC');
      if (!isUndefined) throw error;
      return { scores, undefinedBecause: error.message };
    }
  }

  /** What the scores after an epoch mean for the rollouts that begin later. */
  private decide(epoch: number, { scores, undefinedBecause }: Scored): void {
    const { limFromEpoch, limDrop, limWeight } = this.config;
    if (limFromEpoch === null) return;
    const drops = limDrop && epoch === limFromEpoch - 1;
    const weights = limWeight && epoch >= limFromEpoch - 1;
    if (!drops && !weights) return;
    try {
      if (undefinedBecause !== undefined) throw new LimrError('LIMR_NUMERIC', undefinedBecause);
      if (weights) this.weights = scoreWeights(scores);
      else this.kept = { fromEpoch: limFromEpoch, rows: this.rowsThatStay(scores) };
      this.failure = undefined;
    } catch (error) {
      if (!(error instanceof LimrError)) throw error;
      this.failure = new LimrError(
        'LIMR_USAGE',
        `LIM leaves nothing to train on after epoch ${epoch}: ${error.message}`,
        'Go on from the last checkpoint by --resume-with-changes, with other --lim options or without them.',
        { cause: error },
      );
    }
  }

  private rowsThatStay(scores: Float64Array): ReadonlySet<number> {
    const { dropLast, rolloutBatchSize } = this.config;
    const rows = keptScores(scores, ruleOf(this.config));
    const least = dropLast ? rolloutBatchSize : 1;
    if (rows.length >= least) return new Set(rows);
    const highest = scores.reduce((most, score) => (score > most ? score : most), Number.NEGATIVE_INFINITY);
    throw new LimrError(
      'LIMR_USAGE',
      `${rows.length} of ${scores.length} prompts are kept (the highest score is ${highest.toFixed(3)})${dropLast ? `, and dropLast needs ${least}` : ''}`,
    );
  }

  private report(epoch: number, { scores, undefinedBecause }: Scored): EpochScores {
    const scored = scores.filter((score) => !Number.isNaN(score));
    const rule = ruleOf(this.config);
    const count = rule.count === null ? null : Math.min(rule.count, scored.length);
    const kept = new Set(keptScores(scores, { ...rule, count }));
    const { weights } = this;
    return {
      epoch,
      rows: this.prompts.flatMap(({ id, prompt }, row) => {
        if (Number.isNaN(scores[row])) return [];
        const weight = weights === undefined ? {} : { weight: weights[row]! };
        return [{ id, prompt, score: scores[row]!, kept: kept.has(row), ...weight }];
      }),
      metrics: {
        'lim/epoch': epoch,
        'lim/scored': scored.length,
        'lim/mean': finite(scored.reduce((sum, score) => sum + score, 0) / scored.length),
        'lim/kept': kept.size,
        ...(this.kept === undefined ? {} : { 'lim/prompts': this.kept.rows.size }),
        ...(weights === undefined ? {} : { 'lim/effective_prompts': effectiveCount(weights) }),
      },
      undefinedBecause,
    };
  }
}

const ruleOf = ({ limMethod, limThreshold, limCount, limRound }: TrainConfig): KeepRule => ({
  method: limMethod,
  threshold: limThreshold,
  count: limCount,
  round: limRound,
});

function rowsById(prompts: readonly TokenizedPrompt[]): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const [row, { id }] of prompts.entries()) {
    const name = id.trim();
    if (rows.has(name)) {
      throw new LimrError(
        'LIMR_FORMAT',
        `rows ${rows.get(name)} and ${row} of the training prompts have the same id ${JSON.stringify(name)}`,
        'LIM tells prompts apart by their ids: give every row one of its own.',
      );
    }
    rows.set(name, row);
  }
  return rows;
}
