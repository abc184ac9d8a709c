/**
 * Supervised fine-tuning and pre-training: cross-entropy of the tokens that count, their mean over the optimizer step whatever
 * the micro-batches, AdamW, cosine schedule. Which examples a step has depends on the seed alone.
 */
import type { Model } from '../engine/model.js';
import { LimrError } from '../errors.js';
import { microBatches, select } from '../ppo/batches.js';
import { lrFactor, stepOptions } from '../ppo/schedule.js';
import { batchOrder } from '../random.js';
import type { SftConfig } from './config.js';
import type { ExampleSet } from './examples.js';

/** The verbs that fine-tuning needs. */
export type SftModel = Pick<Model, 'accumulatePacked' | 'step' | 'scorePacked'>;

/** What an observer of fine-tuning is told. */
export type SftEvent =
  | { readonly type: 'start'; readonly steps: number; readonly trainExamples: number; readonly heldoutExamples: number }
  | {
      readonly type: 'step';
      /** From 1. */
      readonly step: number;
      readonly steps: number;
      /** Mean over the step's tokens that count, in nats. */
      readonly loss: number;
      readonly gradNorm: number;
      readonly learningRate: number;
      /** All tokens of the step, and the seconds it took. */
      readonly tokens: number;
      readonly seconds: number;
    }
  | { readonly type: 'skipped_step'; readonly step: number; readonly op: string; readonly inRow: number }
  | { readonly type: 'evaluation'; readonly step: number; readonly heldoutLoss: number };

/** What fine-tuning came to; losses are means over tokens that count, in nats. */
export interface SftResult {
  /** Steps taken; fewer than planned when interrupted. */
  readonly steps: number;
  readonly plannedSteps: number;
  /** All tokens of these steps, prompts included. */
  readonly tokens: number;
  /** Loss of the last step. NaN when none was taken. */
  readonly trainLoss: number;
  /** Held-out loss by step: before, in between, after. Empty without held-out examples. */
  readonly heldoutLosses: readonly { readonly step: number; readonly loss: number }[];
}

/** What a caller of `finetune` is told, and how it ends it. */
export interface SftHooks {
  /** Told of every step and evaluation. */
  readonly observe?: (event: SftEvent) => void;
  /** Ends the run after the step that it interrupts. */
  readonly signal?: AbortSignal | undefined;
}

/** Epoch number that stands for the choice of held-out examples. */
const heldoutEpoch = 0xffffffff;
/** More of them would cost time and tell little more. */
const mostHeldout = 1000;

/** Number of optimizer steps over `numExamples` training examples. */
export function plannedSteps(config: SftConfig, numExamples: number): number {
  return config.maxSteps ?? Math.ceil((numExamples * config.maxEpochs) / config.trainBatchSize);
}

/** @returns ids of the examples to learn from, and of those kept for the held-out loss; both ascending */
export function splitExamples(count: number, config: SftConfig): { train: Int32Array; heldout: Int32Array } {
  const numHeldout = Math.min(count - 1, mostHeldout, Math.round(count * config.heldoutShare));
  const order = batchOrder(count, config.seed, 0, heldoutEpoch);
  return { train: order.slice(numHeldout).sort(), heldout: order.slice(0, numHeldout).sort() };
}

/**
 * @returns what was done; when `signal` ended it early, `steps` is less than `plannedSteps`
 * @throws {LimrError} LIMR_NUMERIC after `maxSkippedSteps` steps in a row without finite numbers; what the model throws
 */
export async function finetune(
  model: SftModel,
  examples: ExampleSet,
  config: SftConfig,
  { observe = () => {}, signal }: SftHooks = {},
): Promise<SftResult> {
  const { train, heldout } = splitExamples(examples.lossStarts.length, config);
  const steps = plannedSteps(config, train.length);
  const schedule = { ...config, maxSteps: steps, lrWarmupFromZero: false };
  const order = new ExampleOrder(train, config.seed);
  const heldoutLosses: { step: number; loss: number }[] = [];
  const measure = async (step: number) => {
    if (heldout.length === 0) return;
    const loss = await heldoutLoss(model, examples, heldout, config);
    heldoutLosses.push({ step, loss });
    observe({ type: 'evaluation', step, heldoutLoss: loss });
  };

  observe({ type: 'start', steps, trainExamples: train.length, heldoutExamples: heldout.length });
  await measure(0);
  let [done, tokens, trainLoss, skippedInRow] = [0, 0, Number.NaN, 0];
  while (done < steps && signal?.aborted !== true) {
    const started = performance.now();
    const begin = done * config.trainBatchSize;
    const last = config.maxSteps === null ? train.length * config.maxEpochs : Number.POSITIVE_INFINITY;
    const end = Math.min(last, begin + config.trainBatchSize);
    const batch = order.between(begin, end);
    const { loss, nonFinite, numTokens } = await accumulateStep(model, examples, batch, config);
    const learningRate = config.learningRate * lrFactor(schedule, done);
    const result = await model.step(stepOptions(config, learningRate));
    done += 1;
    tokens += numTokens;
    trainLoss = loss;
    skippedInRow = result.skipped ? skippedInRow + 1 : 0;
    if (result.skipped) {
      const op = [nonFinite, result.nonFinite].find((name) => name !== '') ?? 'gradient norm';
      observe({ type: 'skipped_step', step: done, op, inRow: skippedInRow });
      if (skippedInRow >= config.maxSkippedSteps) throw diverged(done, skippedInRow, op);
    } else {
      const seconds = (performance.now() - started) / 1000;
      const { gradNorm } = result;
      observe({ type: 'step', step: done, steps, loss, gradNorm, learningRate, tokens: numTokens, seconds });
    }
    const isDue = config.evalSteps > 0 && done % config.evalSteps === 0;
    if (done === steps || isDue) await measure(done);
  }
  return { steps: done, plannedSteps: steps, tokens, trainLoss, heldoutLosses };
}

/** The endless order of training examples: epoch after epoch, each permuted anew. */
class ExampleOrder {
  private epoch = -1;
  private permutation: Int32Array = new Int32Array();

  constructor(
    private readonly ids: Int32Array,
    private readonly seed: number,
  ) {}

  /** Ids at positions [begin, end). */
  between(begin: number, end: number): Int32Array {
    const count = this.ids.length;
    return Int32Array.from({ length: end - begin }, (_, i) => {
      const epoch = Math.floor((begin + i) / count);
      if (epoch !== this.epoch) {
        this.permutation = batchOrder(count, this.seed, 0, epoch);
        this.epoch = epoch;
      }
      return this.ids[this.permutation[(begin + i) % count]!]!;
    });
  }
}

/** Forward and backward of an optimizer step. The loss is summed in f64, in the order of the batch. */
async function accumulateStep(model: SftModel, examples: ExampleSet, batch: Int32Array, config: SftConfig) {
  const { offsets, lossStarts } = examples;
  const counted = batch.reduce((sum, id) => sum + offsets[id + 1]! - lossStarts[id]!, 0);
  let [loss, numTokens, nonFinite] = [0, 0, ''];
  for (const ids of microBatches(batch, offsets, config.microTrainBatchSize, config.microTrainMaxTokens)) {
    const { packed } = select(examples, ids);
    const weights = new Float32Array(packed.tokens.length);
    for (const [i, id] of ids.entries()) {
      weights.fill(1 / counted, packed.offsets[i]! + lossStarts[id]! - offsets[id]!, packed.offsets[i + 1]!);
    }
    const terms = await model.accumulatePacked(packed, { kind: 'cross_entropy', weights, temperature: 1 });
    for (const value of terms.losses) loss += value;
    if (nonFinite === '') nonFinite = terms.nonFinite;
    numTokens += packed.tokens.length;
  }
  return { loss, nonFinite, numTokens };
}

/** Mean cross-entropy of the held-out tokens that count, in nats. */
async function heldoutLoss(
  model: SftModel,
  examples: ExampleSet,
  heldout: Int32Array,
  config: SftConfig,
): Promise<number> {
  const { offsets, lossStarts } = examples;
  let [sum, count] = [0, 0];
  for (const ids of microBatches(heldout, offsets, config.microTrainBatchSize, config.microTrainMaxTokens)) {
    const { packed } = select(examples, ids);
    const { logprobs } = await model.scorePacked({ ...packed, temperature: 1, maxTokens: config.microTrainMaxTokens });
    for (const [i, id] of ids.entries()) {
      const begin = packed.offsets[i]! + lossStarts[id]! - offsets[id]!;
      for (let at = begin; at < packed.offsets[i + 1]!; ++at) sum -= logprobs[at]!;
      count += packed.offsets[i + 1]! - begin;
    }
  }
  return sum / count;
}

function diverged(step: number, inRow: number, op: string): LimrError {
  return new LimrError(
    'LIMR_NUMERIC',
    `${inRow} optimizer steps in a row had numbers that are not finite, the last one first in ${op} (step ${step})`,
    'Lower --learning-rate, and look with LIMR_CHECK_NANS=1.',
  );
}
