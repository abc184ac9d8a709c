import { lastBoxedAnswer } from '../boxed.js';
import {
  type Candidate,
  candidateKey,
  type ExpressionCandidate,
  type LatexCandidate,
  type LatexPart,
  mathVerifyCandidates,
  type NumberCandidate,
} from '../extract/index.js';
import { pythonStrip } from '../python-text.js';
import type { Grader, Verdict } from './grader.js';
import { evaluate, type Unevaluated } from './math-verify/evaluate.js';
import { type Expression, parseExpression, parseNumber } from './math-verify/expression.js';
import { normaliseLatex } from './math-verify/normalise.js';
import {
  add,
  equalRounded,
  equalValues,
  floatOfDecimal,
  multiply,
  negate,
  rational,
  type SympyNumber,
} from './math-verify/sympy-number.js';

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

interface Plain {
  readonly tree: Expression;
  readonly percent: boolean;
  /** Sympy keeps it as one number, perhaps a percentage, instead of an expression. */
  readonly atomic: boolean;
}

interface Value<T> {
  readonly candidate: Candidate;
  /** What it is if it is arithmetic, else what the policy makes of it. */
  readonly plain: Plain | null;
  readonly other: T | null;
}

interface Reading<T> {
  /** Of the first candidate that parses. */
  readonly value: Value<T> | null;
  /** Of the first candidate that has one, without outer whitespace. */
  readonly text: string;
}

/** What `parse` returns, null for an empty list. */
function read<T>(text: string, policy: CandidatePolicy<T>): Reading<T> | null {
  let first = '';
  const failed = new Set<string>(); // the same formula often is a candidate of several patterns
  for (const candidate of mathVerifyCandidates(text)) {
    if (failed.size > 0 && failed.has(candidateKey(candidate))) continue;
    const plain = candidate.kind === 'latex' ? readFraction(candidate) : readArithmetic(candidate);
    if (plain === 'fatal') return null;
    const other = plain === null && candidate.kind === 'latex' ? policy.read(candidate) : null;
    first ||= other ? other.text : textOf(candidate);
    if (plain === 'unparsed' || (plain === null && (other?.value ?? null) === null))
      failed.add(candidateKey(candidate));
    else return { value: { candidate, plain, other: other?.value ?? null }, text: pythonStrip(first) };
  }
  return first === '' ? null : { value: null, text: pythonStrip(first) };
}

function textOf(candidate: Candidate): string {
  return candidate.kind === 'latex' ? normalised(candidate.parts[0]!) : candidate.text;
}

function normalised({ text, boxed }: LatexPart): string {
  return normaliseLatex(text, { boxed });
}

function readArithmetic(candidate: ExpressionCandidate | NumberCandidate): Plain | 'fatal' | null {
  if (candidate.kind === 'expression') {
    const parsed = parseExpression(candidate.text);
    return parsed.ok ? { tree: parsed.tree, percent: false, atomic: isAtomic(parsed.tree) } : null;
  }
  const parsed = parseNumber(candidate.text, candidate.percent);
  return parsed.ok ? { tree: parsed.tree, percent: parsed.percent, atomic: true } : 'fatal';
}

/** Math-Verify finds fractions with decimal commas and does not parse them. */
const commaFraction = /^-?\\frac\{(?:-?[0-9]+,[0-9]+\}\{[^{}]*|[^{}]*\}\{-?[0-9]+,[0-9]+)\}$/;
const fraction = /^(-?)\\frac\{(-?[0-9]+(?:\.[0-9]+)?)\}\{(-?[0-9]+(?:\.[0-9]+)?)\}$/;

/** A bare fraction of numbers; null for other LaTeX. Here, unlike in arithmetic, integers may begin with zeros. */
function readFraction(candidate: LatexCandidate): Plain | 'unparsed' | null {
  const [part, another] = candidate.parts;
  if (!part?.text.includes('\\frac{') || another) return null;
  const text = normalised(part);
  if (commaFraction.test(text)) return 'unparsed';
  const found = fraction.exec(text);
  if (!found) return null;
  const [, minus, numerator = '', denominator = ''] = found;
  const quotient = parseExpression(`(${unpadded(numerator)})/(${unpadded(denominator)})`);
  if (!quotient.ok) return null;
  const tree: Expression = minus === '' ? quotient.tree : { op: 'negate', of: quotient.tree };
  return { tree, percent: part.percent, atomic: quotient.exact };
}

function unpadded(number: string): string {
  return number.replace(/^(-?)0+(?=[0-9])/, '$1');
}

/** Whether sympy's unevaluated form is a number: signs and floor division are carried out, and minus before a sum of numbers. */
function isAtomic(tree: Expression): boolean {
  if (tree.op === 'integer' || tree.op === 'decimal' || tree.op === 'floor-divide') return true;
  if (tree.op !== 'negate') return false;
  const { of } = tree;
  return isAtomic(of) || ((of.op === 'add' || of.op === 'subtract') && isAtomic(of.left) && isAtomic(of.right));
}

function equal<T>(gold: Value<T>, answer: Value<T>, policy: CandidatePolicy<T>): boolean {
  if (gold.plain && answer.plain) {
    const decided = equalPlain(gold.plain, answer.plain);
    if (decided !== null) return decided;
  }
  const x = gold.other ?? policy.read(gold.candidate).value;
  const y = answer.other ?? policy.read(answer.candidate).value;
  return x !== null && y !== null && policy.equal(x, y);
}

/** Decimal places to which sides are rounded when one of them is a decimal. */
const places = 6;

/** null when a root that is not rational takes part. */
function equalPlain(gold: Plain, answer: Plain): boolean | null {
  const x = numberOf(gold);
  const y = numberOf(answer);
  if (typeof x === 'string' || typeof y === 'string') {
    // 1/0 is 1/0 as an expression; \frac{1}{0} is infinite at once and equals nothing.
    if (structure(gold) === structure(answer)) return !(gold.atomic && x === 'undefined');
    return (x === 'irrational' || typeof x !== 'string') && (y === 'irrational' || typeof y !== 'string')
      ? null
      : false;
  }
  return equalNumerically(x, gold.atomic, y, answer.atomic) || isZero(add(x, negate(y)));
}

/** `sympy_numeric_eq`: rounded if a number is a decimal, else exact if there is a number, else nearly. */
function equalNumerically(x: SympyNumber, xAtomic: boolean, y: SympyNumber, yAtomic: boolean): boolean {
  if ((xAtomic && x.kind === 'float') || (yAtomic && y.kind === 'float')) return equalRounded(x, y, places);
  if (xAtomic || yAtomic) return x.kind === y.kind && equalValues(x, y);
  const difference = add(rational(x.n, x.d), rational(-y.n, y.d));
  return difference !== null && (difference.n < 0n ? -difference.n : difference.n) << 54n < difference.d;
}

function isZero(x: SympyNumber | null): boolean {
  return x !== null && x.n === 0n;
}

function numberOf({ tree, percent }: Plain): SympyNumber | Unevaluated {
  const value = evaluate(tree);
  if (!percent || typeof value === 'string') return value;
  return multiply(value, rational(1n, 100n)) ?? 'too_big';
}

/** Equal for expressions that sympy builds alike: sums and products flattened, differences and quotients rewritten. */
function structure({ tree, percent }: Plain): string {
  return `${percent ? '%' : ''}${describe(tree).join(' ')}`;
}

function describe(tree: Expression): string[] {
  const group = (op: string, ...operands: string[][]) => [
    `(${op}`,
    ...operands.flatMap((operand) => (operand[0] === `(${op}` && op !== '^' ? operand.slice(1, -1) : operand)),
    ')',
  ];
  switch (tree.op) {
    case 'integer':
      return [`${tree.value}`];
    case 'decimal':
      return [`.${floatOfDecimal(tree.text).n}/${floatOfDecimal(tree.text).d}`];
    case 'negate':
      return group('*', ['-1'], describe(tree.of));
    case 'add':
      return group('+', describe(tree.left), describe(tree.right));
    case 'subtract':
      return group('+', describe(tree.left), group('*', ['-1'], describe(tree.right)));
    case 'multiply':
      return group('*', describe(tree.left), describe(tree.right));
    case 'divide':
      return group('*', describe(tree.left), group('^', describe(tree.right), ['-1']));
    default:
      return group(tree.op === 'power' ? '^' : tree.op, describe(tree.left), describe(tree.right));
  }
}
