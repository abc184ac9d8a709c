/**
 * The training loop. Rollout k: sample and grade, score, update, evaluate, log, save. The state between two rollouts is
 * small and explicit, so a run that was killed goes on from its last checkpoint to the same bytes (promise 3).
 */
import { copyFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { TokenizedPrompt } from '../dataset/asking.js';
import { LimrError } from '../errors.js';
import { type GradedSample, sampleAndGrade, type TokenDecoder } from '../eval/graded-samples.js';
import type { JsonObject } from '../json.js';
import { purpose } from '../random.js';
import type { Reward } from '../reward/reward.js';
import { type ResumeMode, RunFolder } from '../run/run-folder.js';
import { type Episode, numActions, packRollout, type RolloutBuffer } from './buffer.js';
import { type TrainConfig, trainOptions } from './config.js';
import { type EvaluationResult, type EvaluationSet, evaluate, type FittedSet } from './evaluation.js';
import type { Observer, Phase, Timings } from './events.js';
import { type Experience, makeExperience } from './experience.js';
import { gradingTimings, onlyReward, partMetrics } from './grading.js';
import { nextKlCoef } from './kl.js';
import { LearningImpact } from './learning-impact.js';
import { checkLearningImpact } from './lim-plan.js';
import { experienceMetrics, type Metrics, rolloutMetrics } from './metrics.js';
import { closeModels, loadModels, type ModelLoader, type Models, saveModels } from './models.js';
import { checkPromptOrder, type DrawnPrompt, rolloutPrompts } from './prompt-order.js';
import { type FittedPrompt, fitPrompts, keyedPrompt } from './prompts.js';
import { gradingTimes, sampleRecord, tokenStats } from './sample-records.js';
import { type SpecialTokens, trainingRequest } from './sampling.js';
import { scheduleOf } from './schedule.js';
import { initialState, parseState, type TrainState } from './state.js';
import { TensorBoard } from './tensorboard.js';
import { update } from './update.js';
import { samplingWork, type Work } from './work.js';

/** Everything that a run needs, loaded: configuration, prompts, rewards, models, folder. */
export interface TrainJob {
  readonly config: TrainConfig;
  readonly prompts: readonly TokenizedPrompt[];
  readonly evalSets: readonly EvaluationSet[];
  readonly text: TokenDecoder;
  readonly special: SpecialTokens;
  readonly reward: Reward;
  readonly evalReward: Reward;
  readonly load: ModelLoader;
  /** Tokenizer files and the like, copied into every checkpoint to make it a complete model folder. */
  readonly modelFiles: readonly string[];
  readonly run: {
    readonly dir: string;
    readonly resume: ResumeMode;
    /** What else decides the result (model, prompts, ISA, build), compared on resume; and what does not. */
    readonly identity: JsonObject;
    readonly about: JsonObject;
    /** Folder of TensorBoard's events. Default: none are written. */
    readonly events?: string;
  };
  readonly signal?: AbortSignal;
  readonly observe?: Observer;
  /** Further numbers of a rollout for timings.jsonl, asked for when it ends. */
  readonly measure?: () => Timings;
}

/** Where a run ended. */
export interface TrainResult {
  readonly rollout: number;
  readonly checkpoint: string;
  /** Of the last rollout in this process; null when none was left to do. */
  readonly metrics: Metrics | null;
}

/**
 * Runs, or goes on with, a training run until its last rollout.
 * @throws {LimrError} LIMR_ABORTED after `signal`, once a checkpoint is written; LIMR_USAGE, LIMR_LOCKED, LIMR_FORMAT,
 *   LIMR_IO of the run folder; LIMR_NUMERIC when training diverged
 */
export async function train(job: TrainJob): Promise<TrainResult> {
  const fitted = fitJob(job);
  const { config } = job;
  const { prompts } = fitted.job;
  checkPromptOrder({ ...config, numPrompts: prompts.length });
  checkLearningImpact(config, prompts.length);
  const folder = await RunFolder.open({
    dir: job.run.dir,
    resume: job.run.resume,
    record: {
      config: { ...config, maxSteps: scheduleOf(config).maxSteps },
      identity: { ...job.run.identity, reward: job.reward.name, evalReward: job.evalReward.name },
      about: job.run.about,
    },
    events: job.run.events ?? null,
    free: new Set(Object.entries(trainOptions).flatMap(([name, option]) => (option.free ? [name] : []))),
  });
  let models: Models | undefined;
  try {
    const state = folder.resumed === null ? initialState(config) : parseState(folder.resumed.state);
    const impact = config.lim
      ? await LearningImpact.open(config, prompts, folder.samplesFolder('train'), state.rollout)
      : null;
    if (impact !== null) await folder.removeScoresAfter(impact.epochs);
    models = await loadModels(config, job.load, folder.resumed?.dir ?? null);
    const board = await TensorBoard.open(folder, state.rollout);
    return await new TrainingLoop(fitted.job, folder, models, impact, board, state).run(fitted.truncated);
  } finally {
    if (models !== undefined) await closeModels(models);
    await folder.close();
  }
}

interface FittedJob extends TrainJob {
  readonly prompts: readonly FittedPrompt[];
  /** Prompts of the set before any was dropped. */
  readonly given: number;
  readonly evalSets: readonly FittedSet[];
}

function fitJob(job: TrainJob): { readonly job: FittedJob; readonly truncated: number } {
  const { prompts, given, truncated } = fitPrompts(job.prompts, job.config, 'the training set');
  const sets = job.evalSets.map(({ name, prompts }) => ({ name, ...fitPrompts(prompts, job.config, name) }));
  return {
    job: { ...job, prompts, given, evalSets: sets },
    truncated: sets.reduce((sum, set) => sum + set.truncated, truncated),
  };
}

class TrainingLoop {
  private readonly config: TrainConfig;
  private readonly observe: Observer;
  private timings: Record<string, number> = {};
  private lastMetrics: Metrics | null = null;

  constructor(
    private readonly job: FittedJob,
    private readonly folder: RunFolder,
    private readonly models: Models,
    /** null without LIM. */
    private readonly impact: LearningImpact | null,
    /** null without --tensorboard. */
    private readonly board: TensorBoard | null,
    private state: TrainState,
  ) {
    this.config = job.config;
    this.observe = job.observe ?? (() => {});
  }

  async run(truncatedPrompts: number): Promise<TrainResult> {
    const { rollouts } = this.config;
    const resumedFrom = this.folder.resumed?.dir ?? null;
    this.observe({ type: 'start', rollout: this.state.rollout, rollouts, resumedFrom, truncatedPrompts });
    try {
      await this.finishRollout();
      while (this.state.rollout < rollouts) {
        if (this.saveDue()) await this.save();
        await this.refuseNothingLeft();
        await this.learn(this.state.rollout + 1);
        await this.finishRollout();
      }
    } catch (error) {
      if (!(error instanceof LimrError) || error.code !== 'LIMR_ABORTED') throw error;
      const dir = await this.save();
      const { rollout } = this.state;
      throw new LimrError('LIMR_ABORTED', `interrupted after rollout ${rollout}; saved ${dir}`, 'Go on with --resume.');
    }
    return { rollout: this.state.rollout, checkpoint: await this.save(), metrics: this.lastMetrics };
  }

  private saveDue(): boolean {
    const { saveSteps } = this.config;
    return this.state.rollout > 0 && saveSteps > 0 && this.state.rollout % saveSteps === 0;
  }

  /** Makes the present state resumable: the weights are those after `state.rollout`. */
  private async save(): Promise<string> {
    const { rollout } = this.state;
    const fill = async (at: string): Promise<void> => {
      await saveModels(this.models, at);
      for (const file of this.job.modelFiles) await copyFile(file, join(at, basename(file)));
    };
    const { maxCkptNum } = this.config;
    const dir = await this.timed('saving', rollout, () =>
      this.folder.saveCheckpoint(rollout, this.state, maxCkptNum, fill),
    );
    this.observe({ type: 'checkpoint', rollout, dir });
    return dir;
  }

  /** Samples, scores and updates; the state moves on only when the weights have. */
  private async learn(rollout: number): Promise<void> {
    this.refuseAborted();
    this.timings = {};
    const { config, observe, models, job, impact } = this;
    observe({ type: 'rollout', rollout, rollouts: config.rollouts });
    const drawn = rolloutPrompts({ ...config, numPrompts: job.prompts.length }, rollout, impact?.subset);
    const sampleWeights = impact?.sampleWeights(drawn) ?? null;
    const samples = await this.timed('sampling', rollout, () => this.sample(rollout, drawn), samplingWork);
    const reward = onlyReward(rollout, samples);
    if (reward !== undefined) observe({ type: 'flat_rewards', rollout, reward, samples: samples.length });
    const buffer = packRollout(samples.map(episode), config.nSamplesPerPrompt);
    const { klCoef } = this.state;
    const experience = await this.timed('scoring', rollout, () =>
      makeExperience(models, { config, buffer, klCoef, rollout, observe, signal: job.signal }),
    );
    this.refuseAborted();
    await this.writeSamples(rollout, drawn, samples, buffer, experience);
    await this.board?.rollout(rollout, samples, buffer, experience);
    const scored = await this.scoreEpochs(rollout, drawn, samples);
    const input = { config, buffer, experience, sampleWeights, klCoef, rollout, observe };
    const learned = await this.timed('update', rollout, () => update(input, models, this.state));
    const measured = experienceMetrics(buffer, experience, klCoef);
    const kl = measured['kl/mean'];
    this.state = {
      rollout,
      pending: { ...rolloutMetrics(buffer), ...partMetrics(samples), ...measured, ...learned.metrics, ...scored },
      klCoef: typeof kl === 'number' ? nextKlCoef(config, klCoef, kl, samples.length) : klCoef,
      actor: learned.actor,
      critic: learned.critic,
    };
    const { length } = buffer.tokens;
    this.timings['tokens/trained'] = length;
    this.timings['scoring/tokens_per_second'] = length / Math.max(this.timings['seconds/scoring'] ?? 0, 1e-9);
    this.timings['update/tokens_per_second'] = length / Math.max(this.timings['seconds/update'] ?? 0, 1e-9);
    this.timings['tokens/actions'] = numActions(buffer);
  }

  private async sample(rollout: number, drawn: readonly DrawnPrompt[]): Promise<readonly GradedSample[]> {
    const { config, job } = this;
    const { special, signal } = job;
    const result = await sampleAndGrade({
      actor: this.models.actor,
      prompts: drawn.map(({ row, key }) => keyedPrompt(job, row, key)),
      sampling: trainingRequest(config, special, rollout, purpose.training),
      reward: job.reward,
      text: job.text,
      signal,
      onProgress: (progress) => this.observe({ type: 'samples', rollout, phase: { kind: 'train' }, ...progress }),
    });
    const { stats } = result;
    Object.assign(this.timings, {
      'seconds/grading_after_sampling': result.gradingSeconds,
      ...gradingTimings(result.samples),
      'tokens/generated': stats.generatedTokens,
      'tokens/prefilled': stats.prefillTokens,
      'sampling/preemptions': stats.preemptions,
      'sampling/tokens_per_second': stats.generatedTokens / Math.max(result.samplingSeconds, 1e-9),
    });
    return result.samples;
  }

  private async writeSamples(
    rollout: number,
    drawn: readonly DrawnPrompt[],
    samples: readonly GradedSample[],
    buffer: RolloutBuffer,
    experience: Experience,
  ): Promise<void> {
    const { saveSamples, nSamplesPerPrompt } = this.config;
    if (saveSamples) {
      const { name } = this.job.reward;
      const records = samples.map((sample, s) => sampleRecord(sample, name, drawn[Math.floor(s / nSamplesPerPrompt)]));
      await this.folder.writeSamples('train', rollout, records);
      await this.folder.writeSampleLines(rollout, 'grading', gradingTimes(samples));
    }
    if (this.config.saveTokenStats)
      await this.folder.writeSampleLines(rollout, 'tokens', tokenStats(samples, buffer, experience));
  }

  /** Scores the prompts by what the epochs brought that ended in this rollout. */
  private async scoreEpochs(
    rollout: number,
    drawn: readonly DrawnPrompt[],
    samples: readonly GradedSample[],
  ): Promise<Metrics> {
    let last: Metrics = {};
    for (const { epoch, rows, metrics, undefinedBecause } of this.impact?.add(samples, drawn) ?? []) {
      await this.folder.writeScores(epoch, rows);
      this.observe({ type: 'lim', rollout, epoch, prompts: this.job.prompts.length, metrics, undefinedBecause });
      last = metrics;
    }
    return last;
  }

  /** Ends the run where LIM keeps no prompt; what was learnt is saved before. */
  private async refuseNothingLeft(): Promise<void> {
    const refusal = this.impact?.refusal;
    if (refusal === undefined) return;
    await this.save();
    throw refusal;
  }

  /**
   * Evaluates when it is time, then logs: after this the rollout is done. Nothing is left to do when it was done
   * before.
   */
  private async finishRollout(): Promise<void> {
    const { rollout, pending } = this.state;
    if (pending === null) return;
    const evaluated = this.evaluationDue()
      ? (
          await this.timed(
            'evaluation',
            rollout,
            () => this.evaluate(rollout),
            ({ work }) => work,
          )
        ).metrics
      : {};
    const metrics: Metrics = { rollout, ...pending, ...evaluated };
    const timings: Timings = {
      rollout,
      ...this.timings,
      'memory/rss_bytes': process.memoryUsage.rss(),
      'memory/peak_rss_bytes': process.resourceUsage().maxRSS * 1024,
      ...this.job.measure?.(),
    };
    if (rollout > 0 || Object.keys(evaluated).length > 0) {
      await this.folder.appendMetrics(metrics);
      await this.folder.appendTimings(timings);
      await this.board?.scalars(metrics, timings);
      this.lastMetrics = metrics;
    }
    this.state = { ...this.state, pending: null };
    this.observe({ type: 'metrics', rollout, metrics, timings });
  }

  private evaluationDue(): boolean {
    const { evalSteps, evalBeforeTraining, rollouts } = this.config;
    const { rollout } = this.state;
    if (this.job.evalSets.length === 0 || evalSteps === 0) return false;
    return rollout === 0 ? evalBeforeTraining : rollout % evalSteps === 0 || rollout === rollouts;
  }

  private async evaluate(rollout: number): Promise<EvaluationResult> {
    const { job, config, observe } = this;
    const { text, special, signal } = job;
    const input = { config, sets: job.evalSets, actor: this.models.actor, reward: job.evalReward, text, special };
    const result = await evaluate({ ...input, rollout, observe, signal });
    if (config.saveSamples) await this.folder.writeSamples('test', rollout, result.records);
    this.timings['tokens/evaluated'] = result.generatedTokens;
    return result;
  }

  private refuseAborted(): void {
    if (this.job.signal?.aborted === true) throw new LimrError('LIMR_ABORTED', 'interrupted');
  }

  /** @param workOf what of the result was computed */
  private async timed<T>(
    phase: Phase,
    rollout: number,
    body: () => Promise<T>,
    workOf?: (result: T) => Work,
  ): Promise<T> {
    this.observe({ type: 'phase', rollout, phase });
    const started = performance.now();
    const result = await body();
    const seconds = (performance.now() - started) / 1000;
    this.timings[`seconds/${phase}`] = seconds;
    const work = workOf?.(result);
    this.observe({ type: 'phase_end', rollout, phase, seconds, ...(work === undefined ? {} : { work }) });
    return result;
  }
}

function episode({ prompt, tokens, logprobs, stopReason, grade }: GradedSample): Episode {
  const { reward, correct, wellFormed } = grade;
  return { prompt: prompt.tokens, tokens, logprobs, stopReason, reward, correct, wellFormed };
}
