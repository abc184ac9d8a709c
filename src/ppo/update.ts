/** The optimizer steps of one rollout, of actor and critic. */
import type { EngineModel } from '../engine/port.js';
import { LimrError } from '../errors.js';
import type { NativeLoss, NativeLossTerms } from '../native.js';
import { microBatches, type Selection, select, trainBatches } from './batches.js';
import { actionLength, numSamples, type RolloutBuffer } from './buffer.js';
import { logprobTemperature, type TrainConfig, tokenBudgets } from './config.js';
import type { Observer } from './events.js';
import type { Experience } from './experience.js';
import { lossWeights } from './loss-weights.js';
import type { Metrics } from './metrics.js';
import type { Models } from './models.js';
import { lrFactor, scheduleOf, stepOptions, stepsPerRollout } from './schedule.js';
import { Tally } from './tally.js';

/** How far a model has come; part of a checkpoint. */
export interface LearnerState {
  /** Optimizer steps, skipped ones included: the schedule's clock. */
  readonly steps: number;
  /** Skipped steps since the last one taken. */
  readonly skippedInRow: number;
}

export const freshLearner: LearnerState = { steps: 0, skippedInRow: 0 };

export interface UpdateInput {
  readonly config: TrainConfig;
  readonly buffer: RolloutBuffer;
  readonly experience: Experience;
  /** [S] factor of each sample's policy loss; null = 1. Samples of factor 0 cost the actor nothing. */
  readonly sampleWeights: Float64Array | null;
  readonly klCoef: number;
  readonly rollout: number;
  readonly observe: Observer;
}

/** A model in training: its loss of a micro-batch, and what is noted of the outcome. */
interface Learner {
  readonly name: 'actor' | 'critic';
  readonly model: EngineModel;
  readonly learningRate: number;
  loss(part: Selection, weights: Float32Array): NativeLoss;
  /** Notes action i of the buffer, which is entry j of the micro-batch. */
  note(tally: Tally, terms: NativeLossTerms, i: number, j: number): void;
}

export interface UpdateResult {
  readonly actor: LearnerState;
  readonly critic: LearnerState;
  readonly metrics: Metrics;
}

/**
 * Walks the rollout maxEpochs times in optimizer steps of trainBatchSize samples; old log-probs, values and advantages
 * stay those of the rollout. The actor rests in the first freezingActorSteps rollouts. Not interruptible: it ends at a
 * boundary.
 * @throws {LimrError} LIMR_NUMERIC after maxSkippedSteps skipped steps of one model in a row, naming the first op
 */
export async function update(
  input: UpdateInput,
  models: Pick<Models, 'actor' | 'critic'>,
  state: { readonly actor: LearnerState; readonly critic: LearnerState },
): Promise<UpdateResult> {
  const { config, buffer, rollout } = input;
  const trainsActor = rollout > config.freezingActorSteps;
  const actor = trainsActor ? new Steps(input, actorLearner(input, models.actor), state.actor) : null;
  const critic = models.critic === null ? null : new Steps(input, criticLearner(input, models.critic), state.critic);
  for (let epoch = 0; epoch < config.maxEpochs; ++epoch) {
    for (const batch of trainBatches(numSamples(buffer), config.trainBatchSize, config.seed, rollout, epoch)) {
      const weights = tokenWeights(input, batch);
      const samples = batch.slice().sort();
      const { policy, counting } = policyShare(input, samples, weights);
      await actor?.take(counting, policy);
      await critic?.take(samples, weights);
    }
  }
  return {
    actor: actor?.state ?? state.actor,
    critic: critic?.state ?? state.critic,
    metrics: {
      ...actor?.tally.policyMetrics(),
      ...critic?.tally.criticMetrics(),
      ...(actor === null ? {} : { 'lr/actor': actor.learningRate }),
      ...(critic === null ? {} : { 'lr/critic': critic.learningRate }),
      'steps/skipped': (actor?.skipped ?? 0) + (critic?.skipped ?? 0),
    },
  };
}

/** The policy's weights, and the samples that have one: the critic learns from all of them alike. */
function policyShare({ sampleWeights }: UpdateInput, samples: Int32Array, weights: ReadonlyMap<number, number>) {
  if (sampleWeights === null) return { policy: weights, counting: samples };
  const policy = new Map(Array.from(weights, ([s, weight]) => [s, weight * sampleWeights[s]!]));
  return { policy, counting: samples.filter((s) => policy.get(s) !== 0) };
}

/** Weight of every action of a sample, by sample id. */
function tokenWeights({ config, buffer }: UpdateInput, batch: Int32Array): Map<number, number> {
  const weights = lossWeights(config.lossAgg, buffer, batch, config.generateMaxLen);
  return new Map(Array.from(batch, (s, i) => [s, weights[i]!]));
}

/** The optimizer steps of one learner in this rollout. */
class Steps {
  readonly tally = new Tally();
  skipped = 0;
  /** Of the last step. */
  learningRate = 0;
  private taken = 0;

  constructor(
    private readonly input: UpdateInput,
    private readonly learner: Learner,
    public state: LearnerState,
  ) {}

  /** One optimizer step over samples in canonical order. */
  async take(samples: Int32Array, weights: ReadonlyMap<number, number>): Promise<void> {
    const { config } = this.input;
    const { model, learningRate } = this.learner;
    this.taken += 1;
    this.learningRate = learningRate * lrFactor(scheduleOf(config), this.state.steps);
    const { loss, tally, nonFinite } = await this.accumulate(samples, weights);
    const result = await model.step(stepOptions(config, this.learningRate));
    const skippedInRow = result.skipped ? this.state.skippedInRow + 1 : 0;
    this.state = { steps: this.state.steps + 1, skippedInRow };
    if (result.skipped) this.skip(nonFinite === '' ? `the gradient of ${result.nonFinite}` : nonFinite);
    else this.tally.merge(tally, loss, result.gradNorm);
  }

  private skip(op: string): void {
    const { config, observe, rollout } = this.input;
    const { name } = this.learner;
    const inRow = this.state.skippedInRow;
    this.skipped += 1;
    observe({ type: 'skipped_step', rollout, model: name, op, inRow });
    if (inRow < config.maxSkippedSteps) return;
    throw new LimrError(
      'LIMR_NUMERIC',
      `${inRow} optimizer steps of the ${name} in a row were not finite, the last one first in ${op} (rollout ${rollout})`,
      `Resume from the last checkpoint with a lower --${name}-learning-rate, and look with LIMR_CHECK_NANS=1.`,
    );
  }

  /** Forward and backward of all micro-batches. Sums run in canonical order, whatever the cuts. */
  private async accumulate(samples: Int32Array, weights: ReadonlyMap<number, number>) {
    const { config, buffer, observe, rollout } = this.input;
    const { name, model } = this.learner;
    const parts = microBatches(samples, buffer.offsets, config.microTrainBatchSize, tokenBudgets(config).train);
    const tally = new Tally();
    let [total, nonFinite] = [0, ''];
    for (const [index, ids] of parts.entries()) {
      const part = select(buffer, ids);
      const steps = stepsPerRollout(config);
      const progress = { step: this.taken, steps, microBatch: index + 1, microBatches: parts.length };
      const { tokens } = part.packed;
      const actions = ids.reduce((sum, s) => sum + actionLength(buffer, s), 0);
      observe({ type: 'micro_batch', rollout, model: name, ...progress, tokens: tokens.length, actions });
      const loss = this.learner.loss(part, actionWeights(buffer, part, ids, weights));
      const terms = await model.accumulate(part.packed, loss);
      const headTokens = name === 'critic' ? 0 : actions;
      const work = { tokens: terms.computedTokens, headTokens, pairs: terms.computedPairs };
      observe({ type: 'computed', rollout, phase: 'update', model: name, work });
      if (nonFinite === '') nonFinite = terms.nonFinite;
      for (const [at, s] of ids.entries()) {
        const shift = part.packed.offsets[at]! - buffer.offsets[s]!;
        for (let i = buffer.starts[s]!; i < buffer.ends[s]!; ++i) {
          total += terms.losses[i + shift]!;
          this.learner.note(tally, terms, i, i + shift);
        }
      }
    }
    return { loss: total, tally, nonFinite };
  }
}

/** Weights of a micro-batch's tokens: those of their sample at its actions, 0 in its prompt. */
function actionWeights(
  buffer: RolloutBuffer,
  part: Selection,
  ids: Int32Array,
  weights: ReadonlyMap<number, number>,
): Float32Array {
  const out = new Float32Array(part.packed.tokens.length);
  for (const [at, s] of ids.entries()) {
    const shift = part.packed.offsets[at]! - buffer.offsets[s]!;
    out.fill(weights.get(s)!, buffer.starts[s]! + shift, buffer.ends[s]! + shift);
  }
  return out;
}

function actorLearner({ config, buffer, experience, klCoef }: UpdateInput, model: EngineModel): Learner {
  const { advantages, refLogprobs } = experience;
  const clip = [config.epsClipLow ?? config.epsClip, config.epsClipHigh ?? config.epsClip] as const;
  const reference = config.klInLoss ? refLogprobs : null;
  return {
    name: 'actor',
    model,
    learningRate: config.actorLearningRate,
    loss: (part, weights) => ({
      kind: 'policy',
      weights,
      advantages: part.gather(advantages),
      oldLogprobs: part.gather(buffer.oldLogprobs),
      refLogprobs: reference === null ? new Float32Array() : part.gather(reference),
      epsClipLow: clip[0],
      epsClipHigh: clip[1],
      klCoef: reference === null ? 0 : klCoef,
      klEstimator: config.klEstimator,
      entropyCoef: config.entropyCoef,
      temperature: logprobTemperature(config),
    }),
    note: (tally, terms, i, j) =>
      tally.observePolicy(terms.outputs[j]!, buffer.oldLogprobs[i]!, advantages[i]!, terms.entropy[j]!, clip),
  };
}

function criticLearner({ config, experience }: UpdateInput, model: EngineModel): Learner {
  const { values, returns } = experience;
  if (values === null) throw new LimrError('LIMR_INTERNAL', 'a critic is trained without values');
  return {
    name: 'critic',
    model,
    learningRate: config.criticLearningRate,
    loss: (part, weights) => ({
      kind: 'value',
      weights,
      oldValues: part.gather(values),
      returns: part.gather(returns),
      valueClip: config.valueClip,
    }),
    note: (tally, terms, i, j) => tally.observeValue(terms.outputs[j]!, values[i]!, config.valueClip),
  };
}
