/** Learning Impact Measurement. Li et al. 2025, "LIMR: Less is More for RL Scaling", arXiv:2502.11886, section 2. */
import { LimrError } from '../errors.js';
import type { Trajectories } from './trajectories.js';

/**
 * The average learning curve that trajectories are compared with:
 *   mean[k] = sum_i r_i[k] / N
 * @param trajectories complete ones (no NaN): the mean is over the prompts that were kept, as in lim_selection.py
 * @returns K numbers
 * @throws {LimrError} LIMR_SHAPE when there is no trajectory
 */
export function averageTrajectory(trajectories: Trajectories): Float64Array {
  const { epochs, length, values } = trajectories;
  if (length === 0) {
    throw new LimrError(
      'LIMR_SHAPE',
      'no prompt has a complete trajectory',
      'Fewer --epochs, or --missing interpolate, keep prompts that some epochs left out.',
    );
  }
  const average = new Float64Array(epochs);
  for (let at = 0; at < values.length; ++at) average[at % epochs]! += values[at]!;
  return average.map((sum) => sum / length);
}

/**
 * LIM alignment score of each prompt:
 *   s_i = 1 - sum_k (r_i[k] - mean[k])^2 / sum_k (1 - mean[k])^2
 * Paper: rewards, keep s > 0.6. Its code: accuracies, keep s >= threshold. Its published scores: rewards, rounded to 2 decimals,
 * >= 0.60. The score does not change under an affine rescaling of the signal that keeps 1 at 1.
 * @param trajectories N complete ones, each epoch's mean reward (or accuracy) with 1 as the best
 * @param mean K numbers; default: `averageTrajectory` of the same
 * @returns N scores in input order, each <= 1
 * @throws {LimrError} LIMR_NUMERIC when every prompt is always solved (0/0); LIMR_SHAPE
 */
export function limScores(trajectories: Trajectories, mean = averageTrajectory(trajectories)): Float64Array {
  if (mean.length !== trajectories.epochs) {
    throw new LimrError('LIMR_SHAPE', `the mean has ${mean.length} epochs, the trajectories ${trajectories.epochs}`);
  }
  let scale = 0;
  for (const value of mean) scale += (1 - value) ** 2;
  if (scale === 0) {
    throw new LimrError(
      'LIMR_NUMERIC',
      'every prompt has reward 1 in every epoch, so no trajectory differs from another',
      'These prompts teach the model nothing: take harder ones.',
    );
  }
  return Float64Array.from({ length: trajectories.length }, (_, i) => {
    let difference = 0;
    const row = trajectories.row(i);
    for (let k = 0; k < row.length; ++k) difference += (row[k]! - mean[k]!) ** 2;
    return 1 - difference / scale;
  });
}
