import {
  addAdjacent,
  divided,
  isBareSymbol,
  isLetter,
  isSet,
  isWhole,
  letterOf,
  listOf,
  productOf,
  quotient,
  sumOf,
} from './build.js';
import { relationOperators } from './commands.js';
import { unparsable } from './lex.js';
import { Operands } from './operands.js';
import { rational } from './rational.js';
import { type Joint, type Node, type NumberNode, negated, type RelationName } from './tree.js';

const ordinals = new Set(['th', 'st', 'nd', 'rd']);

/** The recursive descent of parse.ts's grammar, from lists down to factors. Throws `unparsable`. */
export class ExpressionParser extends Operands {
  answer(): Node {
    const tree = this.list();
    if (this.at < this.tokens.length) throw unparsable;
    return tree;
  }

  /** Elements up to a closing bracket or the end. One element is itself. */
  protected list(): Node {
    const groups: Node[][] = [[]];
    let joint: Joint = ',';
    while (this.token && !this.closes()) {
      if (this.accept(';')) groups.push([]);
      else if (this.accept(',')) {
        if (!this.dialect.emptyElements && (groups.at(-1)!.length === 0 || !this.startsElement())) throw unparsable;
      } else if (this.accept('and')) joint = 'and';
      else if (this.accept('or')) joint = 'or';
      else {
        groups.at(-1)!.push(this.relation());
        const next = this.token;
        if (next && !this.closes() && !(next.type === 'operator' && [',', ';', 'and', 'or'].includes(next.text)))
          throw unparsable;
      }
    }
    const filled = groups.filter((items) => items.length > 0);
    const [items] = filled;
    if (items === undefined) throw unparsable;
    if (filled.length === 1) return listOf(items, joint);
    if (filled.every(({ length }) => length === 1)) return { kind: 'list', items: filled.flat(), joint };
    return {
      kind: 'list',
      items: filled.map((group) => ({ kind: 'tuple', items: group, open: '(', close: ')' })),
      joint,
    };
  }

  protected startsElement(): boolean {
    return this.token !== undefined && !this.closes() && !this.isOperator(',') && !this.isOperator(';');
  }

  protected closes(): boolean {
    const token = this.token;
    if (token?.type === 'end') return true;
    if (token?.type !== 'operator') return false;
    const { text } = token;
    return (
      [')', ']', '}', 'rbrace', 'rfloor', 'rceil', '&', '\\\\', 'over', 'choose'].includes(text) ||
      (text === '|' && this.bars > 0)
    );
  }

  protected relation(): Node {
    const begin = this.at;
    const sides: Node[] = [this.side()];
    const names: RelationName[] = [];
    for (let name = this.relationName(); name !== null; name = this.relationName()) {
      const side = this.side();
      const left = sides.at(-1)!;
      if (name !== 'approx') {
        names.push(name);
        sides.push(side);
      } else if (names.length === 0 && isBareSymbol(left)) {
        sides[0] = side;
      }
    }
    if (names.length > 0) return { kind: 'relation', names, sides };
    return this.isBraced(begin) && sides[0]!.kind !== 'set' ? { kind: 'set', items: sides } : sides[0]!;
  }

  /** Whether what was read since `begin` is one pair of braces that make a set of what they hold. */
  protected isBraced(begin: number): boolean {
    if (!this.dialect.bracesAreSets || this.environments > 0 || this.tokens[begin]?.text !== '{') return false;
    let level = 0;
    for (let at = begin; at < this.at; at += 1) {
      const { type, text } = this.tokens[at]!;
      if (type !== 'operator') continue;
      if (text === '{') level += 1;
      else if (text === '}') level -= 1;
      if (level === 0) return at === this.at - 1;
    }
    return false;
  }

  protected relationName(): RelationName | null {
    const token = this.token;
    if (token?.type === 'structure' && token.text === 'not') {
      this.at += 1;
      const name = this.relationName();
      if (name === '=') return '!=';
      if (name === 'in') return 'notin';
      throw unparsable;
    }
    if (token?.type !== 'operator') return null;
    const name = relationOperators.get(token.text);
    if (name === undefined) return null;
    this.at += 1;
    return name;
  }

  /** Difference binds loosest, then union, then intersection. */
  protected side(): Node {
    let left = this.union();
    while (this.accept('setminus')) {
      this.wrap();
      left = { kind: 'set-operation', name: 'difference', items: [left, this.union()] };
    }
    return left;
  }

  protected union(): Node {
    const items = [this.intersection()];
    while (this.accept('cup')) items.push(this.intersection());
    return items.length === 1 ? items[0]! : { kind: 'set-operation', name: 'union', items };
  }

  protected intersection(): Node {
    const items = [this.sum()];
    while (this.accept('cap')) items.push(this.sum());
    return items.length === 1 ? items[0]! : { kind: 'set-operation', name: 'intersection', items };
  }

  protected sum(): Node {
    return this.deeper(() => {
      let terms: Node[] = [this.product()];
      for (;;) {
        if (this.accept('+')) terms.push(this.product());
        else if (this.accept('-')) {
          const right = this.product();
          const left = terms[0]!;
          if (terms.length === 1 && isSet(left) && isSet(right)) {
            terms = [{ kind: 'set-operation', name: 'difference', items: [left, right] }];
          } else {
            terms.push(negated(right));
          }
        } else if (this.isOperator('±') || this.isOperator('∓')) {
          const flipped = this.tokens[this.at++]!.text === '∓';
          this.wrap();
          terms = [
            {
              kind: 'plus-minus',
              left: sumOf(terms),
              right: this.dialect.plusMinusTakesSum ? this.sum() : this.product(),
              flipped,
            },
          ];
        } else break;
      }
      const total = sumOf(terms);
      const token = this.token;
      if (token?.type !== 'structure' || token.text !== 'pmod') return total;
      this.at += 1;
      return { kind: 'apply', name: 'pmod', args: [total, this.argument()] };
    });
  }

  protected product(): Node {
    if (!this.dialect.ratios) return this.quotients();
    const parts = [this.quotients()];
    while (this.isRatioSign()) {
      this.at += 1;
      parts.push(this.quotients());
    }
    if (parts.length === 1) return parts[0]!;
    return parts.length === 2 ? divided(parts[0]!, parts[1]!) : { kind: 'ratio', items: parts };
  }

  protected isRatioSign(): boolean {
    return this.isOperator(':') && !this.colonEnds && this.startsOperand(1);
  }

  protected quotients(): Node {
    let factors: Node[] = [this.unary()];
    for (;;) {
      if (this.accept('*')) factors.push(this.unary());
      else if (this.isOperator('/') || (!this.dialect.ratios && this.isRatioSign())) {
        this.at += 1;
        this.divide(factors);
      } else if (this.accept('mod')) {
        factors = [{ kind: 'call', name: 'mod', args: [productOf(factors), this.unary()] }];
        this.wrap();
      } else return productOf(factors);
    }
  }

  protected divide(factors: Node[]): void {
    const left = factors.at(-1)!;
    if (!this.dialect.ratioFirst || !isWhole(left) || this.token?.type !== 'number') {
      factors.splice(-1, 1, ...quotient(left, this.unary()));
      return;
    }
    factors.splice(-1, 1, ...quotient(left, this.postfix()));
    if (this.startsOperand() && !this.isNumber()) factors.push(this.sideBySide());
  }

  protected isNumber(): boolean {
    return this.token?.type === 'number';
  }

  protected unary(): Node {
    return this.deeper(() => {
      if (this.accept('-')) return negated(this.unary());
      if (this.accept('+')) return this.unary();
      if (this.isOperator('±') || this.isOperator('∓')) {
        const flipped = this.tokens[this.at++]!.text === '∓';
        return { kind: 'plus-minus', left: null, right: this.unary(), flipped };
      }
      return this.sideBySide();
    });
  }

  /** Factors without a sign between them, mixed numbers among them. */
  protected sideBySide(functionsToo = true): Node {
    const factors: Node[] = [];
    let word: string | null = '';
    while (factors.length === 0 || this.startsOperand()) {
      const token = this.token!;
      if (factors.length > 0 && token.type === 'function' && !functionsToo) break;
      if (factors.length > 0 && token.type === 'text' && this.acceptUnit()) continue;
      const begin = this.at;
      const factor = this.postfix();
      const previous = factors.at(-1);
      word = word !== null && token.type === 'letters' && isLetter(factor) ? word + letterOf(factor) : null;
      if (previous && isWhole(previous) && !this.dialect.adjacentNumbersAdd && this.joinMixed(factors, factor, begin))
        continue;
      if (previous?.kind === 'text' && factor.kind === 'text') {
        factors[factors.length - 1] = { kind: 'text', text: `${previous.text} ${factor.text}` };
      } else {
        factors.push(factor);
      }
    }
    if (this.dialect.adjacentNumbersAdd) addAdjacent(factors);
    // digits above nine: A6_{16} is no product, and compared as it is written
    if (factors.some(({ kind }) => kind === 'based') && factors.some(({ kind }) => kind === 'symbol')) throw unparsable;
    if (factors.length === 1) return factors[0]!;
    return word === null ? { kind: 'multiply', factors } : { kind: 'multiply', factors, word };
  }

  /** `3\frac{1}{2}` and `3 1/2`: a whole number followed by a fraction. False when `factor` is an ordinary factor. */
  protected joinMixed(factors: Node[], factor: Node, begin: number): boolean {
    const whole = factors.at(-1) as NumberNode;
    if (factor.kind === 'percent') {
      if (!this.joinMixed(factors, factor.inner, begin)) return false;
      factors[factors.length - 1] = { kind: 'percent', inner: factors.at(-1)! };
      return true;
    }
    if (factor.kind !== 'number') return false;
    const literal = this.tokens[begin]!.type === 'number';
    let { value } = factor;
    if (literal) {
      const divisor = this.tokens[this.at + 1];
      if (!isWhole(factor) || !this.isOperator('/') || divisor?.type !== 'number' || !/^\d+$/.test(divisor.text))
        throw unparsable;
      const fraction = rational(value.n, BigInt(divisor.text));
      if (fraction === null) throw unparsable;
      this.at += 2;
      value = fraction;
    } else if (factor.decimal || value.n <= 0n || (!literal && this.tokens[begin]!.type !== 'structure')) {
      return false;
    }
    const { n, d } = value;
    const sum = rational(whole.value.n * d + (whole.value.n < 0n ? -n : n), d);
    if (sum === null) throw unparsable;
    factors[factors.length - 1] = { kind: 'number', value: sum, decimal: false };
    return true;
  }

  protected postfix(): Node {
    let node = this.primary();
    for (;;) {
      if (node.kind !== 'number' && node.kind !== 'symbol') this.wrap();
      if (this.accept('^')) node = this.raised(node);
      else if (this.accept('!')) node = { kind: 'call', name: 'factorial', args: [node] };
      else if (this.accept('%')) node = { kind: 'percent', inner: node };
      else if (this.accept('°')) this.acceptScale();
      else if (this.isOperator('_')) {
        this.at += 1;
        node = this.subscripted(node);
      } else if (this.token && node.kind !== 'text' && this.acceptUnit()) continue;
      else return node;
    }
  }

  protected raised(base: Node): Node {
    if (this.accept('°')) {
      this.acceptScale();
      return base;
    }
    if (this.accept("'")) return base;
    if (this.isOperator('{') && (this.isOperator('°', 1) || this.isOperator("'", 1)) && this.isOperator('}', 2)) {
      this.at += 3;
      this.acceptScale();
      return base;
    }
    const ordinal = this.isOperator('{') ? this.tokens[this.at + 1] : this.token;
    if (
      (ordinal?.type === 'text' || ordinal?.type === 'letters') &&
      ordinals.has(ordinal.text) &&
      base.kind === 'number'
    ) {
      this.argument();
      return base;
    }
    if (base.kind === 'number' && this.dialect.units && this.acceptRaisedO()) return base;
    return { kind: 'power', base, exponent: this.exponent() };
  }

  /** `60^o`, `60^{o}`: degrees, by the letter. */
  private acceptRaisedO(): boolean {
    const braced = this.isOperator('{');
    const letter = this.tokens[this.at + (braced ? 1 : 0)];
    const isO = letter?.text === 'o' && (letter.type === 'letters' || letter.type === 'text');
    if (!isO || (braced && !this.isOperator('}', 2))) return false;
    this.at += braced ? 3 : 1;
    this.acceptScale();
    return true;
  }

  protected exponent(): Node {
    return this.deeper(() => {
      if (this.accept('-')) return negated(this.exponent());
      if (this.accept('+')) return this.exponent();
      if (this.isOperator('{')) return this.group();
      const token = this.token;
      const node = this.primary();
      // 2^3^2 is 2^(3^2) in plain text
      return token?.type !== 'function' && this.accept('^')
        ? { kind: 'power', base: node, exponent: this.exponent() }
        : node;
    });
  }

  protected subscripted(node: Node): Node {
    const subscript = this.subscriptText();
    if (node.kind === 'number') {
      const base = Number(subscript);
      const readable = /^\d+$/.test(subscript) && base >= 2 && base <= 36 && node.value.d === 1n;
      if (!this.dialect.bases || !readable) return node;
      return { kind: 'based', digits: String(node.value.n), base };
    }
    if (node.kind === 'symbol') return { kind: 'symbol', name: `${node.name}_{${subscript}}` };
    if (node.kind === 'text') return { kind: 'text', text: `${node.text}_${subscript}` };
    throw unparsable;
  }
}
