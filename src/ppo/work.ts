/** What passes over a transformer compute, counted without its shape. */
import type { GradedSample } from '../eval/graded-samples.js';

export interface Work {
  /** Tokens that go through the layers; those that go through the head, too. */
  readonly tokens: number;
  readonly headTokens: number;
  /** Pairs of a token and one that it may look at, itself included. */
  readonly pairs: number;
}

/** Pairs within a sequence of so many tokens. */
export const causalPairs = (length: number): number => (length * (length + 1)) / 2;

/**
 * Of sampling: each prompt once for all its samples, then every token but a sample's last. What preemption computes again is not
 * counted: nobody asked for it.
 * @param samples those of a prompt one after the other
 */
export function samplingWork(samples: readonly GradedSample[]): Work {
  let [tokens, headTokens, pairs] = [0, 0, 0];
  for (const [i, { prompt, tokens: drawn }] of samples.entries()) {
    const known = prompt.tokens.length;
    if (i === 0 || samples[i - 1]!.prompt !== prompt) {
      tokens += known;
      pairs += causalPairs(known);
    }
    const further = drawn.length - 1;
    tokens += further;
    headTokens += drawn.length;
    pairs += causalPairs(known + further) - causalPairs(known);
  }
  return { tokens, headTokens, pairs };
}
