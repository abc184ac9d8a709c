import { pythonStrip } from '../../python-text.js';
import { evaluate } from './evaluate.js';

/**
 * Plain arithmetic as Math-Verify reads it: by sympy's `parse_expr`, which is Python's grammar.
 *
 *   sum      product (('+' | '-') product)*              factor    ('+' | '-')* power
 *   product  factor (('*' | '/' | '//') factor)*         power     atom ['**' factor]           ('^' is '**')
 *   atom     digits | digits '.' [digits] | '.' digits | '(' sum ')'
 *
 * Nothing may stand directly before a parenthesis but an operator, integers do not begin with zeros, and × and ÷ are no
 * operators. Nothing is computed but floor division, as there.
 */
export type Expression =
  | { readonly op: 'integer'; readonly value: bigint }
  /** Digits as written, with a point. */
  | { readonly op: 'decimal'; readonly text: string }
  | { readonly op: 'negate'; readonly of: Expression }
  | { readonly op: BinaryOperator; readonly left: Expression; readonly right: Expression };

export type BinaryOperator = 'add' | 'subtract' | 'multiply' | 'divide' | 'floor-divide' | 'power';

export type ExpressionFailure =
  | 'syntax'
  /** A number or parenthesis before a parenthesis: in Python a call. */
  | 'call'
  | 'leading_zeros'
  | 'unknown_character'
  | 'zero_division'
  /** More digits than Python converts, or than are converted here. */
  | 'too_long'
  | 'too_deep';

export type ParsedExpression =
  /** `exact` when there are no decimals, so that the value is rational if all exponents are whole. */
  | { readonly ok: true; readonly tree: Expression; readonly exact: boolean }
  | { readonly ok: false; readonly reason: ExpressionFailure };

/** Python's limit on the digits of an integer. */
const maxDigits = 4300;
/** A decimal is kept to all its places; what has more than this is not worth the time. */
const maxDecimalDigits = 20_000;
/** Python's recursion ends the reading of deeper trees (at about 490), its tokenizer that of more parentheses. */
const maxDepth = 480;
const maxParentheses = 199;

export function parseExpression(text: string): ParsedExpression {
  const parser = new Parser(pythonStrip(text.replaceAll('\n', ' ').replaceAll('^', '**')));
  try {
    const tree = parser.parse();
    return { ok: true, tree, exact: parser.exact };
  } catch (error) {
    if (error instanceof Failure) return { ok: false, reason: error.reason };
    throw error;
  }
}

export interface ParsedNumber {
  readonly ok: true;
  /** An integer or a decimal, perhaps negated. */
  readonly tree: Expression;
  /** The value is a hundredth of the tree's. */
  readonly percent: boolean;
  readonly exact: boolean;
}

/**
 * The number of a candidate (Candidate of kind 'number'). Where this fails, Math-Verify raises an error that ends its search:
 * the whole text has no answer then, whatever else it holds.
 */
export function parseNumber(text: string, percent: boolean): ParsedNumber | { ok: false; reason: ExpressionFailure } {
  const parsed = parseExpression(text);
  return parsed.ok ? { ...parsed, percent } : parsed;
}

class Failure {
  constructor(readonly reason: ExpressionFailure) {}
}

interface Sized {
  readonly tree: Expression;
  readonly depth: number;
}

const sumOperators: ReadonlyMap<string, BinaryOperator> = new Map([
  ['+', 'add'],
  ['-', 'subtract'],
]);
const productOperators: ReadonlyMap<string, BinaryOperator> = new Map([
  ['*', 'multiply'],
  ['/', 'divide'],
  ['//', 'floor-divide'],
]);

const token = /\*\*|\/\/|[-+*/()]|[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+/y;

class Parser {
  exact = true;
  private at = 0;
  private parentheses = 0;
  /** Exponents that are being read, one in another. */
  private exponents = 0;
  private next = '';

  constructor(private readonly text: string) {}

  parse(): Expression {
    this.advance();
    const { tree } = this.binary(sumOperators, () => this.product());
    if (this.next !== '') throw new Failure(this.next === '(' ? 'call' : 'syntax');
    return tree;
  }

  /** Moves to the next token; '' at the end. */
  private advance(): void {
    const { text } = this;
    // A carriage return ends a line, which only goes on inside of parentheses.
    while (' \t\f'.includes(text[this.at] ?? '.') || (text[this.at] === '\r' && this.parentheses > 0)) this.at += 1;
    if (this.at === text.length) {
      this.next = '';
      return;
    }
    token.lastIndex = this.at;
    const found = token.exec(text);
    if (!found) throw new Failure(text[this.at] === '.' ? 'syntax' : 'unknown_character');
    this.next = found[0];
    this.at = token.lastIndex;
  }

  private binary(operators: ReadonlyMap<string, BinaryOperator>, operand: () => Sized): Sized {
    let left = operand();
    for (let op = operators.get(this.next); op; op = operators.get(this.next)) {
      this.advance();
      left = join(op, left, operand());
      if (op === 'floor-divide') left = { ...left, tree: floorDivided(left.tree) };
    }
    return left;
  }

  private product(): Sized {
    return this.binary(productOperators, () => this.factor());
  }

  private factor(): Sized {
    const signs: boolean[] = [];
    for (; this.next === '-' || this.next === '+'; this.advance()) {
      signs.push(this.next === '-');
      if (signs.length > maxDepth) throw new Failure('too_deep');
    }
    let { tree, depth } = this.power();
    for (const negative of signs.reverse()) {
      if (negative) tree = { op: 'negate', of: tree };
      depth += 1;
    }
    return limited({ tree, depth });
  }

  private power(): Sized {
    const base = this.atom();
    if (this.next !== '**') return base;
    this.advance();
    this.exponents += 1;
    if (this.exponents > maxDepth) throw new Failure('too_deep');
    const power = join('power', base, this.factor());
    this.exponents -= 1;
    return power;
  }

  private atom(): Sized {
    const word = this.next;
    if (word === '(') {
      this.parentheses += 1;
      if (this.parentheses > maxParentheses) throw new Failure('too_deep');
      this.advance();
      const inner = this.binary(sumOperators, () => this.product());
      if ((this.next as string) !== ')') throw new Failure('syntax');
      this.parentheses -= 1;
      this.advance();
      if ((this.next as string) === '(') throw new Failure('call');
      return inner;
    }
    if (!/^[.0-9]/.test(word)) throw new Failure('syntax');
    this.advance();
    if (this.next === '(') throw new Failure('call');
    return { tree: this.number(word), depth: 0 };
  }

  private number(word: string): Expression {
    if (word.includes('.')) {
      if (word.length > maxDecimalDigits) throw new Failure('too_long');
      this.exact = false;
      return { op: 'decimal', text: word };
    }
    if (/^0+[1-9]/.test(word)) throw new Failure('leading_zeros');
    if (word.length > maxDigits) throw new Failure('too_long');
    return { op: 'integer', value: BigInt(word) };
  }
}

/** The integer, where there is one; dividing a number by zero fails. */
function floorDivided(tree: Expression): Expression {
  const value = evaluate(tree);
  if (typeof value !== 'string') return { op: 'integer', value: value.n };
  if (value === 'undefined' && tree.op === 'floor-divide' && typeof evaluate(tree.left) !== 'string') {
    throw new Failure('zero_division');
  }
  return tree;
}

function join(op: BinaryOperator, left: Sized, right: Sized): Sized {
  return limited({ tree: { op, left: left.tree, right: right.tree }, depth: 1 + Math.max(left.depth, right.depth) });
}

function limited(sized: Sized): Sized {
  if (sized.depth > maxDepth) throw new Failure('too_deep');
  return sized;
}
