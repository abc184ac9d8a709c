/** Scores that ask for a prompt's level and not for its course: pass rate and uncertainty. */
import type { Trajectories } from './trajectories.js';

/**
 * Mean of each trajectory over the epochs in which the prompt was seen; NaN when in none.
 *
 * - of accuracies it is the **pass rate** p_i: the share of correct samples. A group of samples that are all right or all wrong has no
 *   group-relative advantage, which is why DAPO leaves such groups out, rollout by rollout: 0 < correct < n (Yu et al. 2025,
 *   arXiv:2503.14476, section 3.2 and equation 11). The mean over epochs, and a band inside of (0, 1), are ours.
 * - of variances it is the **uncertainty** u_i = mean_k Var(r_i in epoch k), population variance. The gradient of a prompt's expected reward
 *   has at most the norm 6 L g sd(r)^(2/3), with L the response's length and g a bound of the logits' Jacobian: it vanishes with the reward's
 *   standard deviation, whatever its mean (Razin et al. 2024, arXiv:2310.20703, theorem 1). To rank prompts by it is ours.
 */
export function meanOverSeen(trajectories: Trajectories): Float64Array {
  return Float64Array.from({ length: trajectories.length }, (_, i) => {
    let [sum, seen] = [0, 0];
    for (const value of trajectories.row(i)) {
      if (Number.isNaN(value)) continue;
      sum += value;
      seen += 1;
    }
    return sum / seen;
  });
}

/** Closeness to the middle of a band of pass rates, -|p - (low + high) / 2|: which ones a count takes first. Ours. */
export function bandCloseness(passRates: Float64Array, low: number, high: number): Float64Array {
  return passRates.map((rate) => -Math.abs(rate - (low + high) / 2));
}
