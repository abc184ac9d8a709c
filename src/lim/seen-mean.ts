/** Scores that ask for a prompt's level and not for its course: pass rate and uncertainty. */
import type { Trajectories } from './trajectories.js';

/**
 * Mean of each trajectory over the epochs in which the prompt was seen; NaN when in none.
 *
 * - of accuracies it is the **pass rate** p_i: the share of correct samples. Prompts with p near 0 or 1 bring no gradient to a
 *   group-relative advantage, which is why DAPO drops them (Yu et al. 2025, arXiv:2503.14476, section 3.2).
 * - of variances it is the **uncertainty** u_i = mean_k Var(r_i in epoch k), population variance: the gradient of the expected reward
 *   vanishes with the reward's standard deviation, whatever its mean (Razin et al. 2024, arXiv:2310.20703, theorem 1).
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

/** Closeness to the middle of a band of pass rates, -|p - (low + high) / 2|: which ones a count takes first. */
export function bandCloseness(passRates: Float64Array, low: number, high: number): Float64Array {
  return passRates.map((rate) => -Math.abs(rate - (low + high) / 2));
}
