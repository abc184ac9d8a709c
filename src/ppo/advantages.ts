/**
 * Advantage estimators: pure functions over a rollout. The reward of an action is
 *   r_t = -klCoef * kl_t + [t is the last action] * score
 * where `score` is the sequence's reward, shaped within its group by the estimators that need no critic.
 * Sums are f64, results f32, token-aligned, 0 outside of actions.
 */
import type { ActionSpans } from './buffer.js';
import { numActions, numSamples } from './buffer.js';
import type { AdvantageEstimator, TrainConfig } from './config.js';

export interface RewardSignal {
  /** [S] */
  readonly scores: Float64Array;
  /** [N], or null when no KL is in the reward */
  readonly kl: Float32Array | null;
  readonly klCoef: number;
}

export interface Advantages {
  readonly advantages: Float32Array;
  readonly returns: Float32Array;
}

/**
 * Rewards of a prompt's n samples, relative to each other (r̄ and σ of the group, σ with n - 1 as torch has it):
 *   rloo                 r_i - mean of the other n - 1      Ahmadian et al. 2024, arXiv:2402.14740
 *   reinforce_baseline   r_i - r̄                           OpenRLHF's REINFORCE++-baseline, arXiv:2501.03262
 *   dr_grpo              r_i - r̄                           Liu et al. 2025, arXiv:2503.20783
 *   group_norm           (r_i - r̄) / (σ + 1e-9)            GRPO, Shao et al. 2024, arXiv:2402.03300
 * gae and reinforce leave them as they are.
 */
export function shapeScores(estimator: AdvantageEstimator, scores: Float64Array, groupSize: number): Float64Array {
  if (estimator === 'gae' || estimator === 'reinforce') return scores;
  const shaped = new Float64Array(scores.length);
  for (let first = 0; first < scores.length; first += groupSize) {
    const group = scores.subarray(first, first + groupSize);
    const sum = group.reduce((a, b) => a + b, 0);
    const mean = sum / groupSize;
    const spread = Math.sqrt(group.reduce((a, r) => a + (r - mean) ** 2, 0) / (groupSize - 1));
    for (const [i, r] of group.entries()) {
      if (estimator === 'rloo') shaped[first + i] = r - (sum - r) / (groupSize - 1);
      else shaped[first + i] = estimator === 'group_norm' ? (r - mean) / (spread + 1e-9) : r - mean;
    }
  }
  return shaped;
}

/**
 * Scores clamped into [-bound, bound]; null = none. OpenRLHF's reward_clip_range, which comes after the shaping too.
 */
export function clipScores(scores: Float64Array, bound: number | null): Float64Array {
  return bound === null ? scores : scores.map((score) => Math.min(bound, Math.max(-bound, score)));
}

/**
 * Generalised advantage estimation. Schulman et al. 2015, arXiv:1506.02438, eq. 16; V = 0 past the last action, also of
 * samples that generateMaxLen cut:
 *   delta_t = r_t + gamma V_{t+1} - V_t     A_t = delta_t + gamma lambd A_{t+1}     R_t = A_t + V_t
 * @param values [N] V at the position before each action
 */
export function gae(
  spans: ActionSpans,
  signal: RewardSignal,
  values: Float32Array,
  gamma: number,
  lambd: number,
): Advantages {
  const advantages = new Float32Array(values.length);
  const returns = new Float32Array(values.length);
  for (let s = 0; s < numSamples(spans); ++s) {
    let [next, advantage] = [0, 0];
    for (let i = spans.ends[s]! - 1; i >= spans.starts[s]!; --i) {
      const value = values[i]!;
      advantage = rewardAt(spans, signal, s, i) + gamma * next - value + gamma * lambd * advantage;
      advantages[i] = advantage;
      returns[i] = advantage + value;
      next = value;
    }
  }
  return { advantages, returns };
}

/** R_t = r_t + gamma R_{t+1}; the advantage of every estimator without a critic. [numTokens] */
export function discountedReturns(
  spans: ActionSpans,
  signal: RewardSignal,
  gamma: number,
  numTokens: number,
): Float32Array {
  const returns = new Float32Array(numTokens);
  for (let s = 0; s < numSamples(spans); ++s) {
    let sum = 0;
    for (let i = spans.ends[s]! - 1; i >= spans.starts[s]!; --i) {
      sum = rewardAt(spans, signal, s, i) + gamma * sum;
      returns[i] = sum;
    }
  }
  return returns;
}

function rewardAt(spans: ActionSpans, signal: RewardSignal, sample: number, token: number): number {
  const penalty = signal.kl === null ? 0 : -signal.klCoef * signal.kl[token]!;
  return token === spans.ends[sample]! - 1 ? penalty + signal.scores[sample]! : penalty;
}

/**
 * (a - mean) / sqrt(max(var, 1e-8)) over all actions of the rollout, population variance (OpenRLHF's
 * replay_buffer.normalize).
 * @param values [N]
 */
export function whiten(spans: ActionSpans, values: Float32Array): Float32Array {
  const count = numActions(spans);
  let sum = 0;
  for (let s = 0; s < numSamples(spans); ++s) for (let i = spans.starts[s]!; i < spans.ends[s]!; ++i) sum += values[i]!;
  const mean = sum / count;
  let squares = 0;
  for (let s = 0; s < numSamples(spans); ++s)
    for (let i = spans.starts[s]!; i < spans.ends[s]!; ++i) squares += (values[i]! - mean) ** 2;
  const scale = 1 / Math.sqrt(Math.max(squares / count, 1e-8));
  const out = new Float32Array(values.length);
  for (let s = 0; s < numSamples(spans); ++s)
    for (let i = spans.starts[s]!; i < spans.ends[s]!; ++i) out[i] = (values[i]! - mean) * scale;
  return out;
}

/**
 * Whether advantages are whitened; "auto" does as OpenRLHF: all but the estimators that already compare within a group
 * of n.
 */
export function whitens(config: Pick<TrainConfig, 'normalizeAdvantages' | 'advantageEstimator'>): boolean {
  if (config.normalizeAdvantages !== 'auto') return config.normalizeAdvantages === 'on';
  return ['gae', 'reinforce', 'reinforce_baseline'].includes(config.advantageEstimator);
}
