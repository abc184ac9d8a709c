/**
 * The grader of LIMR's published scores (eval/eval.py, eval/utils/equal.py): the last complete box of a response, or nothing;
 * both sides normalised; then the ladder of rules of math-equal.ts. It accepts much that is wrong (5 for 500, `(0,1]` for
 * `[0,1]`), so it is for numbers that compare with the paper's, not for truth.
 */
import { lastBoxedAnswer } from '../../boxed.js';
import type { Grader } from '../grader.js';
import { mathEqual, type Symbolic } from './math-equal.js';
import { normalizeFinalAnswer } from './normalize.js';
import { sympySymbolic } from './sympy-symbolic.js';

export {
  type EqualReason,
  equalReasons,
  mathEqual,
  type Symbolic,
  type UnequalReason,
  unequalReasons,
} from './math-equal.js';
export { normalizeFinalAnswer } from './normalize.js';
export { sympySymbolic } from './sympy-symbolic.js';

/** @param symbolic what is asked in place of sympy */
export function paperGrader(symbolic: Symbolic = sympySymbolic): Grader {
  const compare = (gold: string, answer: string) =>
    mathEqual(normalizeFinalAnswer(answer), normalizeFinalAnswer(gold), symbolic);
  return {
    name: 'paper',
    compare,
    grade(gold, text) {
      const answer = lastBoxedAnswer(text) ?? null;
      return { ...compare(gold, answer ?? ''), answer };
    },
  };
}
