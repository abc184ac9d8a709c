/** What models in TypeScript say they computed: every token of every sequence. */
import type { NativePacked } from '../../src/native.js';
import { causalPairs } from '../../src/ppo/work.js';

export function computed({ tokens, offsets }: NativePacked): { computedTokens: number; computedPairs: number } {
  let computedPairs = 0;
  for (let s = 0; s + 1 < offsets.length; ++s) computedPairs += causalPairs(offsets[s + 1]! - offsets[s]!);
  return { computedTokens: tokens.length, computedPairs };
}
