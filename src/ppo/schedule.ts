/** Optimizer steps: how many, their learning rate and their settings. */
import type { NativeStepOptions } from '../native.js';
import type { OptionValues } from '../option.js';
import type { optimizerOptions } from '../shared-options.js';
import type { TrainConfig } from './config.js';

export interface Schedule {
  readonly lrWarmupSteps: number;
  readonly lrWarmupFromZero: boolean;
  readonly minLrRatio: number;
  /** Step at which the cosine reaches its floor, where it stays. */
  readonly maxSteps: number;
}

/**
 * Share of the peak learning rate at an optimizer step: transformers' cosine_with_min_lr, W = lrWarmupSteps, m =
 * minLrRatio.
 *   k <  W:   (k + 1) / W, or k / W with lrWarmupFromZero: transformers' and LIMR's first step then changes no weight
 *   k >= W:   m + (1 - m) (1 + cos(pi p)) / 2,   p = (k - W) / (maxSteps - W), at most 1
 * @param step k, optimizer steps that this model has already taken
 */
export function lrFactor(schedule: Schedule, step: number): number {
  const { lrWarmupSteps, minLrRatio, maxSteps } = schedule;
  if (step < lrWarmupSteps) return (step + (schedule.lrWarmupFromZero ? 0 : 1)) / lrWarmupSteps;
  const progress = Math.min(1, (step - lrWarmupSteps) / Math.max(1, maxSteps - lrWarmupSteps));
  return minLrRatio + (1 - minLrRatio) * 0.5 * (1 + Math.cos(Math.PI * progress));
}

/** Optimizer steps of one rollout. */
export function stepsPerRollout(config: TrainConfig): number {
  return config.maxEpochs * Math.ceil((config.rolloutBatchSize * config.nSamplesPerPrompt) / config.trainBatchSize);
}

/** The schedule of a run; without maxSteps the cosine spans its rollouts. */
export function scheduleOf(config: TrainConfig): Schedule {
  return { ...config, maxSteps: config.maxSteps ?? Math.max(1, config.rollouts * stepsPerRollout(config)) };
}

/** One AdamW step at a learning rate. */
export function stepOptions(config: OptionValues<typeof optimizerOptions>, learningRate: number): NativeStepOptions {
  return {
    learningRate,
    beta1: config.adamBeta1,
    beta2: config.adamBeta2,
    eps: config.adamEps,
    weightDecay: config.l2,
    maxGradNorm: config.maxNorm,
  };
}
