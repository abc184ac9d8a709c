/** KL to the reference model: estimators a token, and the coefficient's controllers. */
import type { ActionSpans } from './buffer.js';
import { numSamples } from './buffer.js';
import type { KlEstimator, TrainConfig } from './config.js';

/**
 * Schulman 2020, "Approximating KL divergence", of d = logprob - refLogprob:
 *   k1 = d      k2 = d^2 / 2      k3 = exp(-d) - 1 + d
 */
export function klOf(estimator: KlEstimator, logprob: number, refLogprob: number): number {
  const d = logprob - refLogprob;
  if (estimator === 'k1') return d;
  return estimator === 'k2' ? (d * d) / 2 : Math.expm1(-d) + d;
}

/** @returns [N] KL of each action, 0 elsewhere */
export function tokenKl(
  spans: ActionSpans,
  estimator: KlEstimator,
  logprobs: Float32Array,
  refLogprobs: Float32Array,
): Float32Array {
  const kl = new Float32Array(logprobs.length);
  for (let s = 0; s < numSamples(spans); ++s)
    for (let i = spans.starts[s]!; i < spans.ends[s]!; ++i) kl[i] = klOf(estimator, logprobs[i]!, refLogprobs[i]!);
  return kl;
}

/**
 * The coefficient of the next rollout. Fixed without klTarget; else Ziegler et al. 2019, arXiv:1909.08593, section 2.2:
 *   coef * (1 + clip(kl / target - 1, -0.2, 0.2) * samples / horizon)
 * @param kl mean over the actions of this rollout, as OpenRLHF has it
 */
export function nextKlCoef(
  config: Pick<TrainConfig, 'klTarget' | 'klHorizon'>,
  coef: number,
  kl: number,
  samples: number,
): number {
  if (config.klTarget === null) return coef;
  const error = Math.min(0.2, Math.max(-0.2, kl / config.klTarget - 1));
  return coef * (1 + (error * samples) / config.klHorizon);
}
