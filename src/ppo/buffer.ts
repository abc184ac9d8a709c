/**
 * The rollout buffer: every sample of a rollout in canonical order (prompt key, sample), packed into typed arrays.
 * Dimensions: S samples, N tokens of all samples (prompts included). Per-token arrays have N entries aligned with
 * `tokens`; those of sample s that speak of its actions (generated tokens) are [starts[s], ends[s]), all others are 0.
 */
import { LimrError } from '../errors.js';
import type { NativePacked, StopReason } from '../native.js';

/** Where each sample's actions lie in the per-token arrays. */
export interface ActionSpans {
  /** [S] first action; at least one token of prompt lies before it. */
  readonly starts: Int32Array;
  /** [S] one past the last action. */
  readonly ends: Int32Array;
}

export interface RolloutBuffer extends NativePacked, ActionSpans {
  /** Samples of a prompt; samples g * groupSize .. (g + 1) * groupSize - 1 answer the same one. */
  readonly groupSize: number;
  /** [N] log-probs of the actions that the sampler reported. */
  readonly oldLogprobs: Float32Array;
  /** [S] reward of the whole sequence. */
  readonly scores: Float64Array;
  /** [S] 1 where the answer is right; where it could be read at all; where generateMaxLen ended it. */
  readonly correct: Uint8Array;
  readonly wellFormed: Uint8Array;
  readonly truncated: Uint8Array;
}

/** One finished and graded sample. */
export interface Episode {
  readonly prompt: Int32Array;
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly stopReason: StopReason;
  readonly reward: number;
  readonly correct: boolean;
  readonly wellFormed: boolean;
}

export const numSamples = (spans: ActionSpans): number => spans.starts.length;

/** Actions of all samples. */
export function numActions(spans: ActionSpans): number {
  let total = 0;
  for (let s = 0; s < numSamples(spans); ++s) total += actionLength(spans, s);
  return total;
}

export const actionLength = (spans: ActionSpans, sample: number): number => spans.ends[sample]! - spans.starts[sample]!;

/**
 * Packs episodes into a buffer.
 * @param episodes in canonical order, `groupSize` for each prompt
 * @throws {LimrError} LIMR_SHAPE when an episode has no prompt, no action, or not one log-prob an action
 */
export function packRollout(episodes: readonly Episode[], groupSize: number): RolloutBuffer {
  const count = episodes.length;
  if (count % groupSize !== 0)
    throw new LimrError('LIMR_SHAPE', `${count} samples are not a multiple of ${groupSize} samples a prompt`);
  const total = episodes.reduce((sum, episode) => sum + episode.prompt.length + episode.tokens.length, 0);
  const buffer = {
    groupSize,
    tokens: new Int32Array(total),
    offsets: new Int32Array(count + 1),
    starts: new Int32Array(count),
    ends: new Int32Array(count),
    oldLogprobs: new Float32Array(total),
    scores: new Float64Array(count),
    correct: new Uint8Array(count),
    wellFormed: new Uint8Array(count),
    truncated: new Uint8Array(count),
  };
  let at = 0;
  for (const [s, episode] of episodes.entries()) {
    const { prompt, tokens, logprobs } = episode;
    if (prompt.length === 0 || tokens.length === 0 || logprobs.length !== tokens.length)
      throw new LimrError(
        'LIMR_SHAPE',
        `sample ${s} has ${prompt.length} prompt tokens, ${tokens.length} actions and ${logprobs.length} log-probs`,
      );
    buffer.tokens.set(prompt, at);
    at += prompt.length;
    buffer.starts[s] = at;
    buffer.tokens.set(tokens, at);
    buffer.oldLogprobs.set(logprobs, at);
    at += tokens.length;
    buffer.ends[s] = at;
    buffer.offsets[s + 1] = at;
    buffer.scores[s] = episode.reward;
    buffer.correct[s] = Number(episode.correct);
    buffer.wellFormed[s] = Number(episode.wellFormed);
    buffer.truncated[s] = Number(episode.stopReason === 'length');
  }
  return buffer;
}
