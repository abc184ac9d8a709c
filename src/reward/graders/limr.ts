import { lastBoxedAnswer } from '../boxed.js';
import type { Comparator, Grader } from './grader.js';
import { standardCompare } from './standard.js';

/** `limr`: the last box as LIMR's reward finds it, compared as `standard` compares; both sides count as delimited. */
export const limrGrader: Grader = boxGrader('limr', standardCompare);

/** A grader whose answer is a response's last complete box; a text without any is its own answer, for bare answers. */
export function boxGrader(name: string, compare: Comparator): Grader {
  return {
    name,
    compare,
    grade(gold, text) {
      const answer = lastBoxedAnswer(text) ?? (text.includes('\\boxed') ? null : text);
      if (answer === null) return { equal: false, reason: 'no_answer', answer };
      return { ...compare(gold, answer), answer };
    },
  };
}
