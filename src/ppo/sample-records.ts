/** Samples as the run folder keeps them. */
import type { GradedSample } from '../eval/graded-samples.js';
import type { RolloutBuffer } from './buffer.js';
import type { Experience } from './experience.js';
import type { DrawnPrompt } from './prompt-order.js';

/**
 * A sample in the form of LIMR's own files, which its lim_selection.py reads, and a few fields more. `prompt` is
 * stripped, since that script looks prompts up stripped.
 * @param gradedBy the reward's name
 * @param drawn of a training sample: the epoch that its prompt was drawn in, by which LIM tells epochs apart
 */
export function sampleRecord(
  { prompt, response, grade, tokens, sample, stopReason }: GradedSample,
  gradedBy: string,
  drawn?: DrawnPrompt,
): object {
  return {
    id: prompt.id,
    prompt: prompt.prompt.trim(),
    response,
    reward: grade.reward,
    response_length: tokens.length,
    sample,
    ...(drawn === undefined ? {} : { epoch: drawn.epoch, epoch_size: drawn.epochSize }),
    correct: grade.correct,
    reason: grade.reason,
    detail: grade.detail,
    ...(grade.parts === undefined ? {} : { parts: grade.parts }),
    answer: grade.answer,
    gold: prompt.answer,
    stop_reason: stopReason,
    graded_by: gradedBy,
  };
}

/** Milliseconds that grading each sample took. A clock's word: it has a file of its own, the samples repeat to the byte. */
export function gradingTimes(samples: readonly GradedSample[]): readonly object[] {
  return samples.flatMap(({ prompt, sample, grade: { ms } }) =>
    ms === undefined ? [] : [{ id: prompt.id, sample, ms: Number(ms.toFixed(3)) }],
  );
}

/**
 * What every token was trained on, for --save-token-stats.
 * @returns one object a sample, in canonical order; arrays are over its actions
 */
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
