import { key } from '../../maths/key.js';
import { type Node, numberNode } from '../../maths/tree.js';
import { fail, SympyCursor } from './sympy-cursor.js';
import { decimalNumber, isConvertible, multiplied, reciprocal, wholeNumber } from './sympy-meaning.js';

/** Atoms, scripts and brackets of the grammar in sympy-latex.ts. */
export abstract class SympyAtoms extends SympyCursor {
  /** How many brackets are open, and one. */
  protected depth = 0;
  /** Whether commas group thousands here. */
  protected joining = true;

  protected abstract sum(): Node | null;

  /** What follows the operator here; null, and the place before the operator, when nothing fits. */
  protected operand(rule: () => Node | null): Node | null {
    return this.attempt(() => {
      const signs = this.isSign('^') ? [] : ['+', '-'];
      this.at += 1;
      let first = 0;
      while (signs.some((sign) => this.isSign(sign, first))) first += 1;
      const { type } = this.peek(first);
      const node = rule();
      return node === null && /^(?:digit|letter|symbol)$/.test(type) ? this.commit() : node;
    });
  }

  /**
   * Where ANTLR's lookahead has settled on going on before it meets what does not fit, everything fails: `x+5.` and `x+y_`,
   * unlike `x+(5.)` and `x5.`. Inside of brackets the lookahead of what is outside has not settled, so only the brackets do not fit.
   */
  protected commit(): null {
    return this.depth === 1 ? fail() : null;
  }

  /** `^` or `_` and an atom or a braced sum. */
  protected script(sign: '^' | '_'): Node | null {
    if (!this.isSign(sign)) return null;
    return sign === '^' ? this.operand(() => this.braced() ?? this.atom()) : this.attempt(() => this.subscript());
  }

  private subscript(): Node | null {
    this.at += 1;
    return this.braced() ?? this.deeper(() => this.atom());
  }

  protected braced(): Node | null {
    return this.bracketed('{', '}');
  }

  protected bracketed(open: string, close: string): Node | null {
    return this.attempt(() => {
      if (!this.takeSign(open)) return null;
      const node = this.withJoining(true, () => this.sum());
      return node && this.takeSign(close) ? node : null;
    });
  }

  protected withJoining<T>(joining: boolean, rule: () => T): T {
    const before = this.joining;
    this.joining = joining;
    const result = rule();
    this.joining = before;
    return result;
  }

  protected atom(): Node | null {
    const token = this.peek();
    switch (token.type) {
      case 'letter':
      case 'symbol': {
        const name = this.name();
        if (name === null) return null;
        return token.type === 'symbol' && token.text === 'infty'
          ? { kind: 'constant', name: 'infinity' }
          : { kind: 'symbol', name };
      }
      case 'digit':
        return this.number();
      case 'differential':
        this.at += 1;
        return { kind: 'symbol', name: `d${token.text}` };
      case 'command':
        if (token.text === 'frac') return this.attempt(() => this.fraction());
        if (token.text === 'binom') return this.attempt(() => this.binomial());
        if (token.text === 'mathit') return this.attempt(() => this.italic());
        return null;
      default:
        return null;
    }
  }

  /** A variable with its subscript and primes, which a command loses. */
  protected name(): string | null {
    return this.attempt(() => {
      const { type, text } = this.peek();
      this.at += 1;
      let primes = this.primes();
      const sub = this.script('_');
      if (sub === null && this.isSign('_')) return null;
      if (sub !== null && !isConvertible(sub)) return fail();
      if (primes === '') primes = this.primes();
      return `${text}${sub === null ? '' : `_{${key(sub)}}`}${type === 'letter' ? primes : ''}`;
    });
  }

  private primes(): string {
    const token = this.peek();
    if (token.type !== 'quotes') return '';
    this.at += 1;
    return token.text;
  }

  /**
   * Digits, perhaps spaced, with groups of three after commas, and decimals. Before a point that does not fit, ANTLR looks for
   * numbers that it might belong to: `1.25.5` is 1.2 times 5.5, `0.333...` is 0.33 and `125.` is 1 times 2.
   */
  private number(): Node | null {
    return this.attempt(() => {
      const begin = this.at;
      let digits = this.digits();
      const ungrouped = digits.length;
      while (this.joining && this.isSign(',') && [1, 2, 3].every((ahead) => this.peek(ahead).type === 'digit')) {
        digits += [1, 2, 3].map((ahead) => this.peek(ahead).text).join('');
        this.at += 4;
      }
      if (!this.isSign('.')) return wholeNumber(digits);
      if (this.peek(1).type === 'digit') return this.decimals(digits);
      if (digits.length > ungrouped) {
        this.at -= 4; // the last group
        return wholeNumber(digits.slice(0, -3));
      }
      this.at = begin + 1;
      return ungrouped > 1 ? wholeNumber(digits[0]!) : null;
    });
  }

  private decimals(digits: string): Node {
    this.at += 1;
    const decimals = this.digits();
    if (!this.isSign('.') || decimals.length === 1) return decimalNumber(digits, decimals);
    this.at -= 1;
    return decimalNumber(digits, decimals.slice(0, -1));
  }

  private digits(): string {
    let digits = '';
    for (let token = this.peek(); token.type === 'digit'; token = this.peek()) {
      digits += token.text;
      this.at += 1;
    }
    return digits;
  }

  private fraction(): Node | null {
    this.at += 1;
    const top = this.digitOrBraced();
    const bottom = top && this.digitOrBraced();
    if (top === null || bottom === null) return null;
    return multiplied([top, reciprocal(bottom)]);
  }

  private digitOrBraced(): Node | null {
    const token = this.peek();
    if (token.type !== 'digit') return this.braced();
    this.at += 1;
    return numberNode(BigInt(token.text));
  }

  private binomial(): Node | null {
    this.at += 1;
    const n = this.braced();
    const k = n && this.braced();
    return n && k && { kind: 'call', name: 'binomial', args: [n, k] };
  }

  private italic(): Node | null {
    this.at += 1;
    if (!this.takeSign('{')) return null;
    let name = '';
    for (let token = this.peek(); token.type === 'letter'; token = this.peek()) {
      name += token.text;
      this.at += 1;
    }
    return this.takeSign('}') ? { kind: 'symbol', name } : null;
  }
}
