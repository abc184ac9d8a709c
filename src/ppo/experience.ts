/**
 * From graded samples to what the update trains on: reference log-probs, values, KL, advantages, returns. Old log-probs
 * are the sampler's: they equal the trainer's bit for bit (promise 1), so no forward pass computes them again.
 */
import type { EngineModel } from '../engine/port.js';
import { underSignal } from '../engine/stream.js';
import { LimrError } from '../errors.js';
import { clipScores, discountedReturns, gae, shapeScores, whiten, whitens } from './advantages.js';
import { type ActionSpans, numActions, numSamples, type RolloutBuffer } from './buffer.js';
import { logprobTemperature, type TrainConfig, tokenBudgets } from './config.js';
import type { Observer } from './events.js';
import { tokenKl } from './kl.js';
import type { Models } from './models.js';

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

export interface ExperienceInput {
  readonly config: TrainConfig;
  readonly buffer: RolloutBuffer;
  /** Coefficient of this rollout. */
  readonly klCoef: number;
  readonly rollout: number;
  readonly observe: Observer;
  readonly signal: AbortSignal | undefined;
}

/** @throws {LimrError} LIMR_ABORTED; LIMR_NUMERIC when a model's output is not finite */
export async function makeExperience(
  models: Pick<Models, 'reference' | 'critic'>,
  { config, buffer, klCoef, rollout, observe, signal }: ExperienceInput,
): Promise<Experience> {
  const actions = new Float32Array(buffer.tokens.length);
  for (let s = 0; s < numSamples(buffer); ++s) actions.fill(1, buffer.starts[s]!, buffer.ends[s]!);
  const score = async (name: 'reference' | 'critic', model: EngineModel): Promise<Float32Array> => {
    const { tokens, offsets } = buffer;
    const learned = numActions(buffer);
    observe({ type: 'score', rollout, model: name, tokens: tokens.length, actions: learned });
    const maxTokens = tokenBudgets(config).score;
    const request = { tokens, offsets, weights: actions, temperature: logprobTemperature(config), maxTokens };
    const scores = await underSignal(
      signal,
      () => model.abort(),
      () => model.score(request),
    );
    const headTokens = name === 'critic' ? 0 : learned;
    const work = { tokens: scores.computedTokens, headTokens, pairs: scores.computedPairs };
    observe({ type: 'computed', rollout, phase: 'scoring', model: name, work });
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
