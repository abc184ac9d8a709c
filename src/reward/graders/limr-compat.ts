import { lastBoxedAnswer } from '../boxed.js';
import { answerCandidates, type Candidate, type LatexCandidate } from '../extract/index.js';
import { pythonStrip } from '../python-text.js';
import type { Grader, Verdict } from './grader.js';
import { evaluate } from './math-verify/evaluate.js';
import { type Expression, parseExpression, parseNumber } from './math-verify/expression.js';
import { normaliseLatex } from './math-verify/normalise.js';
import { add, equalRounded, equalValues, multiply, negate, rational, type SympyNumber } from './math-verify/sympy-number.js';

/** What Math-Verify's policy does with candidates that are more than plain arithmetic. */
export interface CandidatePolicy<T> {
  /** The value of a candidate of any kind, or null if it does not parse; `text` is what Math-Verify compares as a string. */
  read(candidate: Candidate): { readonly value: T | null; readonly text: string };
  equal(gold: T, answer: T): boolean;
}

export type LimrCompatReason =
  | 'same_value'
  /** Neither parsed as mathematics, or the values differ, but the strings that Math-Verify kept agree. */
  | 'same_text'
  | 'other_value'
  /** Nothing was found in the gold answer: no response can equal it. */
  | 'gold_empty'
  | 'answer_empty';

/**
 * LIMR's comparison bug for bug (openrlhf/cli/serve_rm.py, rule mode, with Math-Verify 0.8.0): gold and answer reach
 * `verify(parse(gold), parse(answer))` without delimiters. So LaTeX is read only where it is `\frac{n}{m}` or carries
 * delimiters of its own, and of the rest the number or arithmetic that ends last: `16\sqrt3` is 16, `9,\!000` is 9, and
 * `\sqrt{46}` or `(5,7)` equal nothing, not even themselves.
 *
 * It differs from Math-Verify where that runs into its time limit or Python into its recursion limit, in `()` as a number, and
 * in values beyond `maxBits` bits, all "not equal" here.
 */
export function limrCompatGrader<T>(policy: CandidatePolicy<T>): Grader {
  const compare = (gold: string, answer: string): Verdict => {
    const x = read(gold, policy);
    if (x === null) return verdict(false, 'gold_empty');
    const y = read(answer, policy);
    if (y === null) return verdict(false, 'answer_empty');
    if (x.value !== null && y.value !== null && equal(x.value, y.value, policy)) return verdict(true, 'same_value');
    return x.text !== '' && x.text === y.text ? verdict(true, 'same_text') : verdict(false, 'other_value');
  };
  return {
    name: 'limr-compat',
    compare,
    grade(gold, text) {
      const answer = lastBoxedAnswer(text) ?? null;
      return { ...(answer === null ? verdict(false, 'answer_empty') : compare(gold, answer)), answer };
    },
  };
}

function verdict(equal: boolean, reason: LimrCompatReason): Verdict {
  return { equal, reason };
}

/** Arithmetic, and whether sympy keeps it as a single number (perhaps a percentage) instead of an expression. */
interface Plain {
  readonly tree: Expression;
  readonly percent: boolean;
  readonly atomic: boolean;
}

type Value<T> = { readonly candidate: Candidate } & ({ readonly plain: Plain } | { readonly plain: null; readonly tree: T });

interface Reading<T> {
  /** Of the first candidate that parses. */
  readonly value: Value<T> | null;
  /** Of the first candidate that has a text at all, without outer whitespace. */
  readonly text: string;
}

/** What `parse` returns; null for an empty list. */
function read<T>(text: string, policy: CandidatePolicy<T>): Reading<T> | null {
  let fallback = '';
  for (const candidate of answerCandidates(text, { policy: 'math-verify' })) {
    const plain = readPlain(candidate);
    if (plain === 'fatal') return null;
    ...
  }
}
