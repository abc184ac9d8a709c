/**
 * Reward shaping: numbers that are added to what a sample's answer earned. Pure functions, each with its source; `shapeReward`
 * adds them up under weights.
 */
import { boxedAnswers } from './boxed.js';
import { pythonSplit } from './python-text.js';

/**
 * Soft overlong punishment. Yu et al. 2025 (DAPO), arXiv:2503.14476, eq. 13, with L_max and L_cache in tokens:
 *   0                                     |y| <= L_max - L_cache
 *   ((L_max - L_cache) - |y|) / L_cache   L_max - L_cache < |y| <= L_max
 *   -1                                    L_max < |y|
 * @returns a number in [-1, 0]
 */
export function overlongPenalty(length: number, maxLength: number, cacheLength: number): number {
  const over = length - (maxLength - cacheLength);
  if (over <= 0) return 0;
  return length > maxLength ? -1 : -over / cacheLength;
}

/**
 * Share of n-grams that occurred before, over lower-cased words: 1 - distinct / all. Yeo et al. 2025 (Demystifying Long CoT),
 * arXiv:2502.03373, appendix C.2, as Open-R1 has it: times `repetition_max_penalty` it is that function's reward.
 * @returns a number in [0, 1); 0 for fewer than n words
 */
export function repeatedShare(text: string, n: number): number {
  const words = pythonSplit(text.toLowerCase());
  const all = words.length - n + 1;
  if (all <= 0) return 0;
  const distinct = new Set<string>();
  for (let i = 0; i < all; ++i) distinct.add(words.slice(i, i + n).join(' '));
  return 1 - distinct.size / all;
}

/** Forms of a response that can be asked for. */
export const responseForms = ['boxed', 'think-answer'] as const;
/** A form that a response may be rewarded for; see `hasForm`. */
export type ResponseForm = (typeof responseForms)[number];

/**
 * Whether a response has a form:
 * - `boxed`: at least one complete `\boxed{}`;
 * - `think-answer`: begins as `<think>`, thoughts, `</think>`, `<answer>`, an answer, `</answer>`, every tag on a line of its own:
 *   DeepSeek-R1's, arXiv:2501.12948, by Open-R1's pattern `^<think>\n.*?\n</think>\n<answer>\n.*?\n</answer>$`.
 */
export function hasForm(response: string, form: ResponseForm): boolean {
  if (form === 'boxed') return boxedAnswers(response).length > 0;
  const [opening, turn, closing] = ['<think>\n', '\n</think>\n<answer>\n', '\n</answer>'];
  const turned = response.startsWith(opening) ? response.indexOf(turn, opening.length) : -1;
  if (turned < 0) return false;
  for (let at = response.indexOf(closing, turned + turn.length); at >= 0; at = response.indexOf(closing, at + 1)) {
    const after = at + closing.length;
    if (after === response.length || response[after] === '\n') return true;
  }
  return false;
}

/** Rewards of the shortest and of the longest response, for right and for wrong answers. */
export interface CosineRange {
  readonly correct: readonly [shortest: number, longest: number];
  readonly wrong: readonly [shortest: number, longest: number];
}

/** Open-R1's: a right answer earns less the longer it is, a wrong one loses less. */
export const cosineRange: CosineRange = { correct: [1, 0.5], wrong: [-1, -0.5] };

/**
 * Cosine length reward. Yeo et al. 2025, arXiv:2502.03373, with T = `maxLength` tokens:
 *   CosFn(t, T, shortest, longest) = longest + (shortest - longest) / 2 * (1 + cos(pi t / T))
 * A length above `maxLength` counts as `maxLength`.
 */
export function cosineLengthReward(
  length: number,
  maxLength: number,
  correct: boolean,
  range: CosineRange = cosineRange,
): number {
  const [shortest, longest] = correct ? range.correct : range.wrong;
  const progress = Math.min(length, maxLength) / maxLength;
  return longest + ((shortest - longest) / 2) * (1 + Math.cos(Math.PI * progress));
}

/**
 * Length rewards within the samples of one prompt. Kimi k1.5, arXiv:2501.12599, section 2.3.3:
 *   lambda = 0.5 - (len - min_len) / (max_len - min_len);  a right answer gets lambda, a wrong one min(0, lambda);
 * all 0 when the lengths are equal.
 * @param lengths of the prompt's samples, in tokens
 * @returns one number a sample, in [-0.5, 0.5]
 */
export function groupLengthRewards(lengths: readonly number[], correct: readonly boolean[]): number[] {
  const shortest = lengths.reduce((least, length) => Math.min(least, length), Number.POSITIVE_INFINITY);
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  return lengths.map((length, i) => {
    if (longest === shortest) return 0;
    const lambda = 0.5 - (length - shortest) / (longest - shortest);
    return correct[i] === true ? lambda : Math.min(0, lambda);
  });
}
