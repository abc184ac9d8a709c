/**
 * Expressions as sympy 1.14's `parse_latex` reads them (sympy/parsing/latex/LaTeX.g4 and its conversion), which is what the
 * evaluation's grader compares. It reads as far as it can and ignores the rest: `3,-5` is 3, `12_5` is 12, `2(1,2)` is 2. Side
 * by side is a product, so `1\frac{1}{2}` is 1/2 and `\text{no}` is text*n*o; a letter before parentheses is a function, so
 * `2x(x+1)` is not 2x^2+2x; `\pi`, `e` and `i` are variables.
 *
 *   relation  sum {(= | < | <= | > | >= | !=) sum}
 *   sum       product {(+ | -) product}             product   signed {(* | \times | \cdot | / | \div | :) signed}
 *   signed    (+ | -) signed | postfix {postfix}    postfix   power {!}        power  primary {^ (atom | { sum })}
 *   primary   brackets | |sum| | function | atom | floor | ceiling
 *
 * ANTLR looks ahead without bound where a repetition may go on, and ends it when what follows does not fit; so here what fails
 * within a repetition ends it, except after a relation sign, where it fails the whole.
 */

import { variablesOf } from '../../maths/point.js';
import { type Node, negated, type RelationName } from '../../maths/tree.js';
import { SympyAtoms } from './sympy-atoms.js';
import { fail, unreadable } from './sympy-cursor.js';
import {
  applied,
  call,
  conjugated,
  decimalNumber,
  isConvertible,
  multiplied,
  raised,
  reciprocal,
  related,
  rooted,
  unknownFunction,
  wholeNumber,
} from './sympy-meaning.js';
import type { Token } from './sympy-tokens.js';

/**
 * The expression or relation that a text begins with; null where `parse_latex` raises, and for what is not read here:
 * integrals, limits, substitutions. Linear, but for numbers with stray points.
 */
export function readSympyLatex(text: string): Node | null {
  try {
    const node = new Reader(text).relation();
    return isConvertible(node) ? node : null;
  } catch (error) {
    if (error === unreadable) return null;
    throw error;
  }
}

interface Read {
  readonly node: Node;
  readonly end: number;
}

const closing = new Map([['(', ')'], ['[', ']'], ['{', '}'], ['\\{', '\\}']]); // biome-ignore format: a table

class Reader extends SympyAtoms {
  private readonly sums = new Map<number, Read | null>();

  relation(): Node {
    let left = this.sum() ?? fail();
    for (let token = this.peek(); token.type === 'relation'; token = this.peek()) {
      this.at += 1;
      const right = this.sum() ?? fail();
      left = related(left, token.text as RelationName, right) ?? fail();
    }
    return left;
  }

  // Sums and products

  /** Remembered by place, so that reading again after a failure costs nothing. */
  protected sum(): Node | null {
    if (!this.joining) return this.attempt(() => this.newSum());
    const begin = this.at;
    const known = this.sums.get(begin);
    if (known !== undefined) {
      this.at = known?.end ?? begin;
      return known?.node ?? null;
    }
    this.depth += 1;
    const node = this.attempt(() => this.newSum());
    this.depth -= 1;
    this.sums.set(begin, node && { node, end: this.at });
    return node;
  }

  private newSum(): Node | null {
    return this.deeper(() => this.terms());
  }

  private terms(): Node | null {
    const first = this.product(false);
    if (first === null) return null;
    const terms = [first];
    for (;;) {
      const minus = this.isSign('-');
      if (!minus && !this.isSign('+')) break;
      const term = this.operand(() => this.product(false));
      if (term === null) break;
      terms.push(minus ? negated(term) : term);
    }
    return terms.length === 1 ? first : { kind: 'add', terms };
  }

  /** `inFunction`: as the argument of a function without parentheses, where another function ends it. */
  private product(inFunction: boolean): Node | null {
    const first = this.signed(inFunction);
    if (first === null) return null;
    const factors = [first];
    for (;;) {
      const divide = this.isSign('/') || this.isSign(':') || this.isCommand('div');
      if (!divide && !this.isSign('*') && !this.isCommand('times') && !this.isCommand('cdot')) break;
      const factor = this.operand(() => this.signed(inFunction));
      if (factor === null) break;
      factors.push(divide ? reciprocal(factor) : factor);
    }
    return multiplied(factors);
  }

  private signed(inFunction: boolean): Node | null {
    return this.attempt(() => {
      let minus = false;
      while (this.isSign('+') || this.isSign('-')) {
        if (this.isSign('-')) minus = !minus;
        this.at += 1;
      }
      const node = this.adjacent(inFunction);
      return node && minus ? negated(node) : node;
    });
  }

  /** Factors side by side. An `x` between two that have no variables is a multiplication sign: `2x3` is 6. */
  private adjacent(inFunction: boolean): Node | null {
    const first = this.postfix(false);
    if (first === null) return null;
    const factors = [first];
    for (let next = this.postfix(inFunction); next !== null; next = this.postfix(inFunction)) factors.push(next);
    if (inFunction && this.peek().type === 'digit') return this.commit();
    const isConstant = (node: Node | undefined) => node !== undefined && variablesOf(node).names.size === 0;
    const isTimes = (node: Node, index: number) =>
      node.kind === 'symbol' && node.name === 'x' && isConstant(factors[index - 1]) && isConstant(factors[index + 1]);
    return multiplied(factors.filter((node, index) => !isTimes(node, index)));
  }

  private postfix(noFunction: boolean): Node | null {
    return this.attempt(() => {
      let node = this.power(noFunction);
      for (let nested = 1; node !== null && this.takeSign('!'); nested += 1)
        node = this.within(nested, call('factorial', node));
      return node !== null && this.isSubstitution() ? (this.commit() ?? node) : node;
    });
  }

  /** `x|_{x=2}`, which is not read. */
  private isSubstitution(): boolean {
    return this.isSign('|') && (this.isSign('^', 1) || this.isSign('_', 1)) && this.isSign('{', 2);
  }

  private power(noFunction: boolean): Node | null {
    let node = this.primary(noFunction);
    for (let nested = 1; node !== null && this.isSign('^'); nested += 1) {
      const exponent = this.script('^');
      if (exponent === null) break;
      node = this.within(nested, raised(node, exponent));
      if (this.isSign('_') && this.script('_') === null) return this.commit();
    }
    return node;
  }

  private primary(noFunction: boolean): Node | null {
    return this.deeper(() => this.primaryAt(this.peek(), noFunction));
  }

  private primaryAt(token: Token, noFunction: boolean): Node | null {
    if (token.type === 'sign') {
      const close = closing.get(token.text);
      if (close !== undefined) return this.bracketed(token.text, close);
      const inner = token.text === '|' ? this.bracketed('|', '|') : null;
      return inner && call('abs', inner);
    }
    if (token.type === 'command' && (token.text === 'lfloor' || token.text === 'lceil'))
      return this.rounded(token.text);
    return (noFunction ? null : this.func(token)) ?? this.atom();
  }

  private rounded(open: 'lfloor' | 'lceil'): Node | null {
    return this.attempt(() => {
      this.at += 1;
      const node = this.withJoining(true, () => this.sum());
      if (node === null || !this.isCommand(open.replace('l', 'r'))) return null;
      this.at += 1;
      return call(open === 'lfloor' ? 'floor' : 'ceil', node);
    });
  }

  // Functions

  private func(token: Token): Node | null {
    if (token.type === 'function') return this.attempt(() => this.namedFunction(token.text));
    if (token.type === 'letter' || token.type === 'symbol') return this.attempt(() => this.unknownFunction());
    if (token.type !== 'command') return null;
    switch (token.text) {
      case 'sqrt':
        return this.attempt(() => this.root());
      case 'overline':
        return this.attempt(() => {
          this.at += 1;
          const inner = this.braced();
          return inner && conjugated(inner);
        });
      case 'sum':
      case 'prod':
        return this.attempt(() => this.repeated(token.text === 'sum' ? 'sum' : 'product'));
      default:
        return token.text === 'int' || token.text === 'lim' ? fail() : null;
    }
  }

  /** `\sin^2 x`, `\log_2(8)`: the argument is in parentheses, or a product without functions but for the first factor. */
  private namedFunction(name: string): Node | null {
    this.at += 1;
    const scripts = new Map<'^' | '_', Node>();
    let last: { sign: '^' | '_'; begin: number } | null = null;
    for (const sign of ['_', '^', '_'] as const) {
      const begin = this.at + 1;
      const script = scripts.has(sign) ? null : this.script(sign);
      if (script !== null) {
        scripts.set(sign, script);
        last = { sign, begin };
      }
    }
    const argument = this.argument();
    if (argument !== null) return applied(name, argument, scripts.get('_'), scripts.get('^'));
    return last && this.divided(name, scripts, last.sign, last.begin);
  }

  /** `\log_28` is the logarithm of 8 to base 2: the argument is the end of the number that stands as the last script. */
  private divided(name: string, scripts: Map<'^' | '_', Node>, sign: '^' | '_', begin: number): Node | null {
    const texts = this.tokens.slice(begin, this.at).map(({ text }) => text);
    for (let length = texts.length - 1; length > 0; length -= 1) {
      const [, digits, decimals] = /^(\d+(?:,\d{3})*)(?:\.(\d+))?$/.exec(texts.slice(0, length).join('')) ?? [];
      if (digits === undefined) continue;
      const whole = digits.replaceAll(',', '');
      scripts.set(sign, decimals === undefined ? wholeNumber(whole) : decimalNumber(whole, decimals));
      this.at = begin + length;
      const argument = this.argument();
      if (argument !== null) return applied(name, argument, scripts.get('_'), scripts.get('^'));
    }
    return null;
  }

  private argument(): Node | null {
    return this.attempt(() => this.parenthesised(() => this.wholeArgument())?.[0] ?? null) ?? this.product(true);
  }

  /** `( sum {, sum} )`. */
  private parenthesised(argument: () => Node | null): Node[] | null {
    if (!this.isSign('(')) return null;
    const before = this.furthest;
    this.furthest = this.at;
    const [args, comma] = this.parenthesisedArgs(argument);
    const commits = args === null && comma !== null && this.isFunctionBy(comma);
    this.furthest = Math.max(before, this.furthest);
    return commits ? this.commit() : args;
  }

  /** The arguments, null when they do not fit; and the place of the first comma. */
  private parenthesisedArgs(argument: () => Node | null): readonly [args: Node[] | null, comma: number | null] {
    this.at += 1;
    const args: Node[] = [];
    let comma: number | null = null;
    for (let arg = argument(); arg !== null; arg = argument()) {
      args.push(arg);
      if (this.takeSign(')')) return [args, comma];
      if (!this.takeSign(',')) break;
      comma ??= this.at - 1;
    }
    return [null, comma];
  }

  private wholeArgument(): Node | null {
    return this.withJoining(true, () => this.sum());
  }

  /** Of an unknown function, which has as many arguments as fit: `f(1,234)` has two. */
  private firstArgument(): Node | null {
    const begin = this.at;
    const whole = this.wholeArgument();
    if (whole === null || !this.isSign(')') || !this.tokens.slice(begin, this.at).some(({ text }) => text === ','))
      return whole;
    const end = this.at;
    this.at = begin;
    const part = this.withJoining(false, () => this.sum());
    if (part !== null && this.isSign(',')) return part;
    this.at = end;
    return whole;
  }

  /**
   * Whether the tokens that were looked at show that the comma is one of arguments, not of thousands: up to there brackets
   * around a number would fit as well, and would end what is read before them.
   */
  private isFunctionBy(comma: number): boolean {
    const isDigit = (at: number) => this.tokens[at]?.type === 'digit';
    let begin = comma;
    while (isDigit(begin - 1)) begin -= 1;
    if (begin === comma || this.tokens[begin - 1]?.text === '.') return true;
    let end = comma + 1;
    while (isDigit(end)) end += 1;
    return this.furthest > end;
  }

  private unknownFunction(): Node | null {
    const name = this.name();
    const args = name === null ? null : this.parenthesised(() => this.firstArgument());
    return name === null || args === null ? null : unknownFunction(name, args);
  }

  private root(): Node | null {
    this.at += 1;
    const index = this.isSign('[') ? this.bracketed('[', ']') : null;
    const inner = this.braced();
    return inner && rooted(inner, index);
  }

  /** `\sum_{n=1}^{3} n^2`, the limits in either order. */
  private repeated(kind: 'sum' | 'product'): Node | null {
    this.at += 1;
    const above = this.script('^');
    const below = this.startOf();
    const high = above ?? this.script('^');
    const body = below && high && this.product(false);
    if (below === null || high === null || body === null) return null;
    if (below.variable.kind !== 'symbol') return fail();
    return { kind, variable: below.variable.name, low: below.low, high, body };
  }

  private startOf(): { variable: Node; low: Node } | null {
    return this.attempt(() => {
      if (!this.takeSign('_') || !this.takeSign('{')) return null;
      const variable = this.sum();
      const sign = this.peek();
      if (variable === null || sign.type !== 'relation' || sign.text !== '=') return null;
      this.at += 1;
      const low = this.sum();
      return low && this.takeSign('}') ? { variable, low } : null;
    });
  }
}
