/** LINEAR, a rival of LIM in the paper, which prefers steady progress. */
import type { Trajectories } from './trajectories.js';

/**
 * How much of a trajectory is a straight rise. Li et al. 2025 (arXiv:2502.11886, section 3) select by steady progress over the epochs; the
 * equation is ours, and so is the threshold: the least-squares line's share of the variance, with the sign of its slope:
 *   s_i = sign(c) c^2 / (sum_k (k - mean k)^2 * sum_k (r_i[k] - mean r_i)^2),   c = sum_k (k - mean k)(r_i[k] - mean r_i)
 * @param trajectories N complete ones
 * @returns N scores in [-1, 1]; 0 for a trajectory that never changes
 */
export function linearScores(trajectories: Trajectories): Float64Array {
  const { epochs, length } = trajectories;
  const middle = (epochs - 1) / 2;
  return Float64Array.from({ length }, (_, i) => {
    const row = trajectories.row(i);
    if (row.every((value) => value === row[0])) return 0;
    const mean = row.reduce((sum, value) => sum + value, 0) / epochs;
    let [covariance, times, rewards] = [0, 0, 0];
    for (let k = 0; k < epochs; ++k) {
      covariance += (k - middle) * (row[k]! - mean);
      times += (k - middle) ** 2;
      rewards += (row[k]! - mean) ** 2;
    }
    return (Math.sign(covariance) * covariance ** 2) / (times * rewards);
  });
}
