/** What every token of a rollout was trained on, for --save-token-stats. */
import type { RolloutBuffer } from './buffer.js';
import type { Experience } from './experience.js';
import type { GradedSample } from './rollout.js';

/** One object a sample, in canonical order; arrays are over its actions. */
export function tokenStats(
  samples: readonly GradedSample[],
  buffer: RolloutBuffer,
  experience: Experience,
): readonly object[] {
  return samples.map(({ prompt, sample, tokens }, s) => {
    const cut = (values: Float32Array | null): readonly number[] | undefined =>
      values === null ? undefined : Array.from(values.subarray(buffer.starts[s]!, buffer.ends[s]!));
    return {
      id: prompt.id,
      sample,
      tokens: Array.from(tokens),
      logprobs: cut(buffer.oldLogprobs),
      ref_logprobs: cut(experience.refLogprobs),
      values: cut(experience.values),
      advantages: cut(experience.advantages),
      returns: cut(experience.returns),
    };
  });
}
