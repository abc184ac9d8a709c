/**
 * `math_equal` of LIMR's evaluation (eval/utils/equal.py), and of its training-time evaluations
 * (openrlhf/utils/check/qwen_equal.py), both descended from QwenLM/Qwen2.5-Math's grader: a ladder of rules, the first that
 * says "equal" decides. Known for what it accepts: 10001 for 10000 (relative 1e-4), 5 for 500 (percent), `(0,1]` for `[0,1]`.
 *
 *   identical       the same but for case and outer whitespace
 *   letter          the gold is one of A..E, and the last A..E that stands alone in the prediction is that letter
 *   numeric         both are numbers, and the prediction is within 1e-4 of gold/100, gold or 100 gold; else other_number, final
 *   empty           an empty prediction equals nothing more
 *   brackets        the same but for case and braces, parentheses and (of intervals and tuples) square brackets
 *   list            (only `listsInBrackets`) what is in the brackets is equal, comma by comma
 *   elements        both begin in a bracket and are equal, comma by comma
 *   matrix          both are a pmatrix or bmatrix, equal cell by cell
 *   equation        both have one `=`, and left minus right is the same up to sign
 *   right_side      one has one `=` and at most two characters before it, and what follows equals the other
 *   symbolic        the same expression to a computer algebra system
 *   value           both have a value there, and they differ by at most 1e-8
 *   different       none of these
 *   budget          too much work: too deep, too long, too many comparisons; then nothing is equal
 */
import { Budget, exhausted } from '../../maths/budget.js';
import { pythonStrip } from '../../python-text.js';
import type { Verdict } from '../grader.js';
import { bracketItems, inBrackets, matrixCells, toPmatrix } from './brackets.js';
import { countOf, isClose, isShorterOrEqual, pythonFloat, reprHasPoint, stripCharacters } from './python.js';

export const equalReasons = [
  'identical',
  'letter',
  'numeric',
  'brackets',
  'list',
  'elements',
  'matrix',
  'equation',
  'right_side',
  'symbolic',
  'value',
] as const;
export const unequalReasons = ['other_number', 'empty', 'different', 'budget'] as const;
export type EqualReason = (typeof equalReasons)[number];
export type UnequalReason = (typeof unequalReasons)[number];

export interface MathVerdict extends Verdict {
  readonly reason: EqualReason | UnequalReason;
}

/** What the original asks of sympy. Deterministic, and bounded by the budget of the whole comparison. */
export interface Symbolic {
  /**
   * Whether both texts are the same expression, equation or matrix; numbers within a relative 1e-4.
   * @throws {exhausted} of the maths core
   */
  symbolicEqual(a: string, b: string, budget: Budget): boolean;
  /**
   * The value of a text that is a real constant, null for everything else.
   * @throws {exhausted} of the maths core
   */
  numericValue(text: string, budget: Budget): number | null;
}

/** Where the two graders differ. */
export interface Rules {
  /** What happens to both texts before they are compared, at every depth. */
  readonly rewrite: (text: string) => string;
  /** Whether the rule `list` exists. */
  readonly listsInBrackets: boolean;
  /** Whether the rule `value` also accepts a reference that is the very float of the prediction, both written with a point. */
  readonly sameDecimal: boolean;
}

export const paperRules: Rules = { rewrite: (text) => text, listsInBrackets: false, sameDecimal: false };

/** Python itself gives up below a depth of 500, with an exception that ends LIMR's evaluation. */
const maxDepth = 100;
/** Characters of all texts that are compared within a comparison, each comparison counting for some more. */
const maxWork = 8_000_000;
const workPerComparison = 64;
/** Of the maths core, for all symbolic comparisons within a comparison. */
const maxSteps = 400_000;

/**
 * Whether a prediction equals the reference (the gold answer), in this order: the rules are not symmetric.
 * Bounded in time for every input; see `budget`.
 */
export function mathEqual(prediction: string, reference: string, symbolic: Symbolic, rules = paperRules): MathVerdict {
  try {
    return new Comparison(symbolic, rules).compare(prediction, reference, 0);
  } catch (error) {
    if (error !== exhausted) throw error;
    return different('budget');
  }
}

class Comparison {
  private readonly budget = new Budget(maxSteps);
  private work = 0;

  constructor(
    private readonly symbolic: Symbolic,
    private readonly rules: Rules,
  ) {}

  compare(predicted: string, gold: string, depth: number): MathVerdict {
    const prediction = this.rules.rewrite(predicted);
    const reference = this.rules.rewrite(gold);
    this.work += prediction.length + reference.length + workPerComparison;
    if (depth > maxDepth || this.work > maxWork) throw exhausted;
    if (pythonStrip(prediction).toLowerCase() === pythonStrip(reference).toLowerCase()) return equal('identical');
    if (/^[A-E]$/.test(reference) && lastChoice(prediction) === reference) return equal('letter');
    const value = numberOf(prediction);
    const wanted = value === null ? null : numberOf(reference);
    if (value !== null && wanted !== null) {
      return [wanted / 100, wanted, wanted * 100].some((number) => isClose(number, value, relativeTolerance))
        ? equal('numeric')
        : different('other_number');
    }
    if (prediction === '') return different('empty');
    const x = pythonStrip(prediction);
    const stripped = pythonStrip(reference);
    return this.compareParts(
      x,
      x.includes('pmatrix') && !stripped.includes('pmatrix') ? toPmatrix(stripped) : stripped,
      depth,
    );
  }

  /** The rules that look into the texts; `x` and `y` are stripped. */
  private compareParts(x: string, y: string, depth: number): MathVerdict {
    const bracketed =
      (inBrackets(x, '[', ']') && !y.startsWith('(')) || (inBrackets(x, '(', ')') && !y.startsWith('['));
    let xCore = bracketed ? stripCharacters(x, '[]()') : x;
    let yCore = bracketed ? stripCharacters(y, '[]()') : y;
    const lists = this.rules.listsInBrackets && bracketed;
    if (lists && this.allEqual(xCore.split(','), yCore.split(','), depth)) return equal('list');
    xCore = xCore.replace(/[{}()]/g, '');
    yCore = yCore.replace(/[{}()]/g, '');
    if (xCore.toLowerCase() === yCore.toLowerCase()) return equal('brackets');
    if (lists && this.allEqual(xCore.slice(1, -1).split(','), yCore.slice(1, -1).split(','), depth))
      return equal('list');
    const xItems = bracketItems(x);
    const yItems = bracketItems(y);
    if (xItems && yItems && this.allEqual(xItems, yItems, depth)) return equal('elements');
    if (this.equalMatrices(matrixCells(x), matrixCells(y), depth)) return equal('matrix');
    return this.equalSides(x, y, depth) ?? this.equalToAlgebra(x, y);
  }

  private allEqual(xs: readonly string[], ys: readonly string[], depth: number): boolean {
    return xs.length === ys.length && xs.every((x, i) => this.compare(x, ys[i]!, depth + 1).equal);
  }

  private equalMatrices(x: readonly string[][] | null, y: readonly string[][] | null, depth: number): boolean {
    return x !== null && y !== null && x.length === y.length && x.every((row, i) => this.allEqual(row, y[i]!, depth));
  }

  /** The rules about equations; null when they do not say "equal". */
  private equalSides(x: string, y: string, depth: number): MathVerdict | null {
    const xSigns = countOf(x, '=');
    const ySigns = countOf(y, '=');
    if (xSigns === 1 && ySigns === 1) {
      const xZero = leftMinusRight(x);
      const yZero = leftMinusRight(y);
      const same = this.symbolicEqual(xZero, yZero) || this.symbolicEqual(`-(${xZero})`, yZero);
      return same ? equal('equation') : null;
    }
    let same = false;
    if (ySigns === 0 && xSigns === 1 && hasShortLeftSide(x)) same = this.compare(rightSide(x), y, depth + 1).equal;
    else if (xSigns === 0 && ySigns === 1 && hasShortLeftSide(y)) same = this.compare(x, rightSide(y), depth + 1).equal;
    return same ? equal('right_side') : null;
  }

  private equalToAlgebra(x: string, y: string): MathVerdict {
    if (this.symbolicEqual(x, y)) return equal('symbolic');
    const value = this.symbolic.numericValue(x, this.budget);
    if (value === null) return different('different');
    const wanted = this.symbolic.numericValue(y, this.budget);
    const close = wanted !== null && Math.abs(value - wanted) <= absoluteTolerance;
    return close || (this.rules.sameDecimal && isSameDecimal(value, y)) ? equal('value') : different('different');
  }

  private symbolicEqual(x: string, y: string): boolean {
    return this.symbolic.symbolicEqual(x, y, this.budget);
  }
}

const relativeTolerance = 1e-4;
const absoluteTolerance = 1e-8;

function equal(reason: EqualReason): MathVerdict {
  return { equal: true, reason };
}

function different(reason: UnequalReason): MathVerdict {
  return { equal: false, reason };
}

/** The last of A..E, in either case, with no letter, digit or underscore beside it. */
function lastChoice(text: string): string | undefined {
  return text
    .toUpperCase()
    .match(/(?<![\p{L}\p{N}_])[A-E](?![\p{L}\p{N}_])/gu)
    ?.at(-1);
}

/** A number as Python reads it, commas gone wherever they stand; a hundredth of it when `%` or `\%` follows. */
function numberOf(text: string): number | null {
  const bare = text.replaceAll(',', '');
  const value = pythonFloat(bare);
  if (value !== null || !bare.endsWith('%')) return value;
  const hundredths = pythonFloat(bare.slice(0, bare.endsWith('\\%') ? -2 : -1));
  return hundredths === null ? null : hundredths / 100;
}

function leftMinusRight(equation: string): string {
  const at = equation.indexOf('=');
  return `${pythonStrip(equation.slice(0, at))} - (${pythonStrip(equation.slice(at + 1))})`;
}

function hasShortLeftSide(equation: string): boolean {
  return isShorterOrEqual(pythonStrip(equation.slice(0, equation.indexOf('='))), 2);
}

function rightSide(equation: string): string {
  return equation.slice(equation.indexOf('=') + 1);
}

/** Whether a text is the number to Python, and both it and the number as Python prints it have a point. */
function isSameDecimal(value: number, text: string): boolean {
  return text.includes('.') && pythonFloat(text) === value && reprHasPoint(value);
}
