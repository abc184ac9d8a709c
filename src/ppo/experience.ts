/**
 * From graded samples to what the update trains on: reference log-probs, values, KL, advantages, returns. Old log-probs
 * are the sampler's: they equal the trainer's bit for bit (promise 1), so no forward pass computes them again.
 */
import { underSignal } from '../engine/stream.js';
import { LimrError } from '../errors.js';
import { clipScores, discountedReturns, gae, shapeScores, whiten, whitens } from './advantages.js';
import { type ActionSpans, numSamples, type RolloutBuffer } from './buffer.js';
import type { TrainConfig } from './config.js';
import type { EngineModel } from './engine-port.js';
import type { Observer } from './events.js';
import { tokenKl } from './kl.js';

/** [N] each, 0 outside of actions. */
export interface Experience {
  /** null without a reference model */
  readonly refLogprobs: Float32Array | null;
  readonly kl: Float32Array | null;
  /** null without a critic */
  readonly values: Float32Array | null;
  /** Whitened where the estimator asks for it. */
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

export interface ScoringModels {
  readonly reference: EngineModel | null;
  readonly critic: EngineModel | null;
}

/** Packed tokens of the largest pass, for training and for scoring. */
export function tokenBudgets(config: TrainConfig): { readonly train: number; readonly score: number } {
  const train = config.microTrainMaxTokens ?? config.promptMaxLen + config.generateMaxLen;
  return { train, score: config.microRolloutMaxTokens ?? train };
}

/** T of log-probs, entropy and KL. */
export const logprobTemperature = (config: TrainConfig): number => config.logprobTemperature ?? config.temperature;

/**
 * @param klCoef coefficient of this rollout
 * @throws {LimrError} LIMR_ABORTED; LIMR_NUMERIC when a model's output is not finite
 */
export async function makeExperience(
  models: ScoringModels,
  buffer: RolloutBuffer,
  config: TrainConfig,
  klCoef: number,
  rollout: number,
  observe: Observer,
  signal: AbortSignal | undefined,
): Promise<Experience> {
  const score = async (name: 'reference' | 'critic', model: EngineModel): Promise<Float32Array> => {
    observe({ type: 'score', rollout, model: name, tokens: buffer.tokens.length });
    const { tokens, offsets } = buffer;
    const request = { tokens, offsets, temperature: logprobTemperature(config), maxTokens: tokenBudgets(config).score };
    const scores = await underSignal(
      signal,
      () => model.abort(),
      () => model.score(request),
    );
    return actionsOf(buffer, name === 'critic' ? scores.values : scores.logprobs, name);
  };
  const refLogprobs = models.reference === null ? null : await score('reference', models.reference);
  const values = models.critic === null ? null : await score('critic', models.critic);
  const kl = refLogprobs === null ? null : tokenKl(buffer, config.klEstimator, buffer.oldLogprobs, refLogprobs);
  return { refLogprobs, kl, values, ...estimate(buffer, config, config.klInLoss ? null : kl, values, klCoef) };
}

/** Advantages and returns of a rollout, by the configured estimator. */
export function estimate(
  buffer: RolloutBuffer,
  config: TrainConfig,
  kl: Float32Array | null,
  values: Float32Array | null,
  klCoef: number,
): { readonly advantages: Float32Array; readonly returns: Float32Array } {
  const shaped = shapeScores(config.advantageEstimator, buffer.scores, buffer.groupSize);
  const signal = { scores: clipScores(shaped, config.rewardClip), kl, klCoef };
  const raw = (): { advantages: Float32Array; returns: Float32Array } => {
    if (values !== null) return gae(buffer, signal, values, config.gamma, config.lambd);
    const returns = discountedReturns(buffer, signal, config.gamma, buffer.tokens.length);
    return { advantages: returns, returns };
  };
  const { advantages, returns } = raw();
  return { advantages: whitens(config) ? whiten(buffer, advantages) : advantages, returns };
}

/** A model's output at the actions, 0 elsewhere. */
function actionsOf(spans: ActionSpans, output: Float32Array, name: string): Float32Array {
  const kept = new Float32Array(output.length);
  for (let s = 0; s < numSamples(spans); ++s)
    for (let i = spans.starts[s]!; i < spans.ends[s]!; ++i) {
      kept[i] = output[i]!;
      if (!Number.isFinite(output[i]))
        throw new LimrError('LIMR_NUMERIC', `the ${name} model's output is ${output[i]} at token ${i} of the rollout`);
    }
  return kept;
}
