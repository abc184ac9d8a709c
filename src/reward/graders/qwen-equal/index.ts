/**
 * The grader of LIMR's training-time evaluations (openrlhf/utils/check/qwen_equal.py as openrlhf/trainer/ppo_trainer.py calls
 * it). It is the evaluation's ladder of rules with four differences:
 *
 *   - no normalisation: `50^\circ` is not 50, and `\text{cm}` stays
 *   - the gold answer takes the place of the prediction, so the rules run the other way round: the answer must be a bare letter
 *     for the rule `letter`, and an empty gold equals nothing but emptiness
 *   - `\pi` becomes 3.1415926 and every letter e 2.71828 in both, as text: `2\pi` is 23.1415926, and `\begin{pmatrix}` is a
 *     matrix no more
 *   - lists in brackets are also compared without them, so that `[(1),2]` may equal `1,2`
 *
 * The original first compares the rewritten texts by a call of itself and, when that says "not equal", goes on with the same
 * rewritten texts: one comparison says as much. Its limit of one second on the symbolic rule is our budget of work.
 */
import { lastBoxedAnswer } from '../../boxed.js';
import type { Grader } from '../grader.js';
import { mathEqual, type Rules, type Symbolic } from '../paper/math-equal.js';
import { sympySymbolic } from '../paper/sympy-symbolic.js';

export const qwenRules: Rules = {
  rewrite: (text) => text.replaceAll('\\pi', '3.1415926').replaceAll('e', '2.71828'),
  listsInBrackets: true,
  sameDecimal: true,
};

/** A response is its last complete box, or empty when there is none. */
export function qwenEqualGrader(symbolic: Symbolic = sympySymbolic): Grader {
  const compare = (gold: string, answer: string) => mathEqual(gold, answer, symbolic, qwenRules);
  return {
    name: 'qwen-equal',
    compare,
    grade(gold, text) {
      const answer = lastBoxedAnswer(text) ?? null;
      return { ...compare(gold, answer ?? ''), answer };
    },
  };
}
