import { functionNames, inverseFunctions, manyArguments, mathWords, relationOperators, wordSets } from './commands.js';
import type { Dialect } from './dialect.js';
import { maxDepth, type Token, unparsable } from './lex.js';
import { multiply, power, rational } from './rational.js';
import {
  type FunctionName,
  type Joint,
  minusOne,
  type Node,
  type NumberNode,
  negated,
  numberNode,
  type RelationName,
} from './tree.js';
import { isUnitWord, isWordyUnit } from './units.js';

const half = numberNode(1n, 2n);
const ten = numberNode(10n);
const functionLetters = new Set(['f', 'g', 'h', 'F', 'G', 'H', 'P']);
const angleFunctions = new Set<FunctionName>(['sin', 'cos', 'tan', 'cot', 'sec', 'csc']);
const ordinals = new Set(['th', 'st', 'nd', 'rd']);
const bracketOpeners = new Set(['(', '[', '{', 'lbrace', '||', 'lfloor', 'lceil']);
const operandTypes = new Set(['set', 'number', 'letters', 'symbol', 'constant', 'function', 'accent', 'face', 'begin']);

/** The recursive descent of parse.ts's grammar. Throws `unparsable`. */
export class ExpressionParser {
  /** The unit words met behind values, in lower case. */
  unit = '';
  private at = 0;
  private depth = 0;
  private bars = 0;
  private wraps = 0;
  /** Inside the first part of {x : ...}. */
  private colonEnds = false;
  private environments = 0;
  private readonly tokens: Token[];

  constructor(
    tokens: readonly Token[],
    private readonly dialect: Dialect,
  ) {
    this.tokens = [...tokens];
  }

  answer(): Node {
    const tree = this.list();
    if (this.at < this.tokens.length) throw unparsable;
    return tree;
  }

  // Reading tokens

  private get token(): Token | undefined {
    return this.tokens[this.at];
  }

  private isOperator(text: string, offset = 0): boolean {
    const token = this.tokens[this.at + offset];
    return token?.type === 'operator' && token.text === text;
  }

  private accept(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.at += 1;
    return true;
  }

  private expect(text: string): void {
    if (!this.accept(text)) throw unparsable;
  }

  private deeper<Result>(parse: () => Result): Result {
    if (this.depth >= maxDepth) throw unparsable;
    this.depth += 1;
    const result = parse();
    this.depth -= 1;
    return result;
  }

  // Lists, relations, sets

  /** Elements up to a closing bracket or the end. One element is itself. */
  private list(): Node {
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

  private startsElement(): boolean {
    return this.token !== undefined && !this.closes() && !this.isOperator(',') && !this.isOperator(';');
  }

  private closes(): boolean {
    const token = this.token;
    if (token?.type === 'end') return true;
    if (token?.type !== 'operator') return false;
    const { text } = token;
    return (
      [')', ']', '}', 'rbrace', 'rfloor', 'rceil', '&', '\\\\', 'over', 'choose'].includes(text) ||
      (text === '|' && this.bars > 0)
    );
  }

  private relation(): Node {
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
  private isBraced(begin: number): boolean {
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

  private relationName(): RelationName | null {
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
  private side(): Node {
    let left = this.union();
    while (this.accept('setminus')) {
      this.wrap();
      left = { kind: 'set-operation', name: 'difference', items: [left, this.union()] };
    }
    return left;
  }

  private union(): Node {
    const items = [this.intersection()];
    while (this.accept('cup')) items.push(this.intersection());
    return items.length === 1 ? items[0]! : { kind: 'set-operation', name: 'union', items };
  }

  private intersection(): Node {
    const items = [this.sum()];
    while (this.accept('cap')) items.push(this.sum());
    return items.length === 1 ? items[0]! : { kind: 'set-operation', name: 'intersection', items };
  }

  // Arithmetic

  private sum(): Node {
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

  private product(): Node {
    let factors: Node[] = [this.unary()];
    for (;;) {
      if (this.accept('*')) factors.push(this.unary());
      else if (this.isOperator('/') || (this.isOperator(':') && !this.colonEnds && this.startsOperand(1))) {
        this.at += 1;
        this.divide(factors);
      } else if (this.accept('mod')) {
        factors = [{ kind: 'call', name: 'mod', args: [productOf(factors), this.unary()] }];
        this.wrap();
      } else return productOf(factors);
    }
  }

  private divide(factors: Node[]): void {
    const left = factors.at(-1)!;
    if (!this.dialect.ratioFirst || !isWhole(left) || this.token?.type !== 'number') {
      factors.splice(-1, 1, ...quotient(left, this.unary()));
      return;
    }
    factors.splice(-1, 1, ...quotient(left, this.postfix()));
    if (this.startsOperand() && !this.isNumber()) factors.push(this.sideBySide());
  }

  private isNumber(): boolean {
    return this.token?.type === 'number';
  }

  /** Counts what makes a tree deeper without making the parser's recursion deeper. */
  private wrap(): void {
    this.wraps += 1;
    if (this.wraps > maxDepth) throw unparsable;
  }

  private unary(): Node {
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
  private sideBySide(functionsToo = true): Node {
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
    if (factors.length === 1) return factors[0]!;
    return word === null ? { kind: 'multiply', factors } : { kind: 'multiply', factors, word };
  }

  /** `3\frac{1}{2}` and `3 1/2`: a whole number followed by a fraction. False when `factor` is an ordinary factor. */
  private joinMixed(factors: Node[], factor: Node, begin: number): boolean {
    const whole = factors.at(-1) as NumberNode;
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

  private startsOperand(offset = 0): boolean {
    const token = this.tokens[this.at + offset];
    if (token === undefined) return false;
    if (operandTypes.has(token.type) || token.type === 'text') return true;
    if (token.type === 'structure') return token.text !== 'pmod' && token.text !== 'not';
    return token.type === 'operator' && (bracketOpeners.has(token.text) || (token.text === '|' && this.bars === 0));
  }

  private postfix(): Node {
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

  private raised(base: Node): Node {
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
    return { kind: 'power', base, exponent: this.exponent() };
  }

  /** The C or F behind degrees. */
  private acceptScale(): void {
    const token = this.token;
    if (!this.dialect.units || token?.type !== 'letters' || (token.text !== 'C' && token.text !== 'F')) return;
    this.at += 1;
    this.unit = `${this.unit} °${token.text.toLowerCase()}`.trim();
  }

  private exponent(): Node {
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

  private subscripted(node: Node): Node {
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

  /** A subscript's tokens, put together. */
  private subscriptText(): string {
    if (!this.isOperator('{')) {
      const token = this.token;
      if (token === undefined || token.type === 'end') throw unparsable;
      this.at += 1;
      if (token.type !== 'letters' || token.text.length === 1) return token.text;
      this.tokens[--this.at] = { ...token, text: token.text.slice(1), space: false };
      return token.text[0]!;
    }
    const begin = this.at + 1;
    this.skipGroup();
    return this.tokens
      .slice(begin, this.at - 1)
      .map(({ text }) => text)
      .join('');
  }

  private skipGroup(): void {
    let level = 0;
    do {
      if (this.token === undefined) throw unparsable;
      if (this.isOperator('{')) level += 1;
      else if (this.isOperator('}')) level -= 1;
      this.at += 1;
    } while (level > 0);
  }

  // Operands

  private primary(): Node {
    const token = this.token;
    if (token === undefined) throw unparsable;
    switch (token.type) {
      case 'number':
        this.at += 1;
        return this.number(token.text);
      case 'letters':
        return this.letters(token);
      case 'symbol':
        this.at += 1;
        return this.dialect.anyFunction ? this.applied(this.primed(token.text)) : this.primed(token.text);
      case 'constant':
        this.at += 1;
        return { kind: 'constant', name: token.text as 'pi' | 'infinity' | 'i' };
      case 'text':
        this.at += 1;
        return this.words(token.text);
      case 'function':
        this.at += 1;
        return this.call(token.text as FunctionName);
      case 'structure':
        this.at += 1;
        return this.structure(token.text);
      case 'set':
        this.at += 1;
        return { kind: 'named-set', name: token.text as 'N' };
      case 'accent':
        this.at += 1;
        return { kind: 'symbol', name: `${token.text}(${this.subscriptText()})` };
      case 'face':
        this.at += 1;
        return this.argument();
      case 'begin':
        this.at += 1;
        return this.environment(token.text);
      case 'operator':
        return this.bracketed(token.text);
      default:
        throw unparsable;
    }
  }

  private words(text: string): Node {
    const lower = text.toLowerCase();
    const set = wordSets.get(lower);
    if (set !== undefined) return { kind: 'named-set', name: set };
    if (lower === 'infinity') return { kind: 'constant', name: 'infinity' };
    return { kind: 'text', text };
  }

  /** cis x = e^(ix). */
  private cis(): Node {
    const begin = this.at;
    const [bare] = this.isOperator('(') ? this.bracketArguments() : [this.functionArgument()];
    const degrees = this.tokens.slice(begin, this.at).some(({ type, text }) => type === 'operator' && text === '°');
    const angle = degrees ? radians(bare!) : bare!;
    const exponent = productOf([{ kind: 'constant', name: 'i' }, angle]);
    return { kind: 'power', base: { kind: 'constant', name: 'e' }, exponent };
  }

  private number(literal: string): Node {
    const [text = '', exponent] = literal.toLowerCase().split('e');
    if (exponent !== undefined) {
      const mantissa = this.number(text) as NumberNode;
      const scale = power({ n: 10n, d: 1n }, BigInt(exponent));
      const value = scale && multiply(mantissa.value, scale);
      if (!value) throw unparsable;
      return { kind: 'number', value, decimal: value.d !== 1n };
    }
    const [whole = '', decimals] = text.split('.');
    if (decimals === undefined) return numberNode(BigInt(whole));
    const token = this.token;
    if (token?.type === 'accent' && ['bar', 'dot'].includes(token.text) && !token.space) {
      this.at += 1;
      return repeating(whole, decimals, this.subscriptText());
    }
    const value = rational(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
    if (value === null) throw unparsable;
    return { kind: 'number', value, decimal: decimals !== '' };
  }

  /** One letter of the run, or all of it where it is a word of mathematics. */
  private letters(token: Token): Node {
    const run = token.text;
    if (run === 'cis' && this.dialect.plainNames) {
      this.at += 1;
      return this.cis();
    }
    const bracket = this.isOperator('(', 1);
    if (run.length > 1 && this.dialect.plainNames) {
      const word = mathWords.get(run);
      const name = functionNames.get(run);
      if (word !== undefined) {
        this.at += 1;
        if (word === 'sqrt') return this.squareRoot();
        if (word === 'pi') return { kind: 'constant', name: 'pi' };
        return word === 'infty' ? { kind: 'constant', name: 'infinity' } : this.primed(word);
      }
      if (name !== undefined && (bracket || run.length === 3 || run === 'ln' || run.startsWith('arc'))) {
        this.at += 1;
        return this.call(name);
      }
      const prefix = /^(?:sqrt|pi(?=[a-z]$))/.exec(run)?.[0];
      this.tokens[this.at] = { ...token, text: run.slice(prefix?.length ?? 1), space: false };
      if (prefix === 'pi') return { kind: 'constant', name: 'pi' };
      if (prefix === 'sqrt') return this.squareRoot();
    } else {
      this.at += 1;
    }
    const letter = run[0]!;
    if (letter === 'e') return { kind: 'constant', name: 'e' };
    if (letter === 'i' && this.dialect.imaginaryUnit && !this.isOperator('_')) return { kind: 'constant', name: 'i' };
    if (letter === 'I' && !this.dialect.imaginaryUnit) return { kind: 'constant', name: 'i' };
    const symbol = this.primed(letter);
    if (this.dialect.anyFunction) return this.applied(symbol);
    if (!bracket || run.length > 1 || !functionLetters.has(letter) || this.tokens[this.at]!.space) return symbol;
    const name = (symbol as { name: string }).name;
    return { kind: 'apply', name, args: this.bracketArguments() };
  }

  /** A symbol before a bracket that holds symbols and numbers only is applied to them. */
  private applied(symbol: Node): Node {
    if (symbol.kind !== 'symbol') return symbol;
    let name = symbol.name;
    const begin = this.at;
    if (this.accept('_')) name += `_{${this.subscriptText()}}`;
    let end = this.at + 1;
    while (this.isAtom(end - this.at) && this.isOperator(',', end - this.at + 1)) end += 2;
    if (!this.isOperator('(') || !this.isAtom(end - this.at) || !this.isOperator(')', end - this.at + 1)) {
      this.at = begin;
      return symbol;
    }
    return { kind: 'apply', name, args: this.bracketArguments() };
  }

  private isAtom(offset: number): boolean {
    const token = this.tokens[this.at + offset];
    return (
      token?.type === 'number' || token?.type === 'symbol' || (token?.type === 'letters' && token.text.length === 1)
    );
  }

  private primed(name: string): Node {
    let primes = '';
    while (this.accept("'")) primes += "'";
    while (this.isOperator('^') && this.isOperator("'", 1)) {
      this.at += 2;
      primes += "'";
    }
    return { kind: 'symbol', name: (this.dialect.foldCase ? name.toLowerCase() : name) + primes };
  }

  private call(name: FunctionName): Node {
    let base: Node | null = null;
    let exponent: Node | null = null;
    for (;;) {
      if (base === null && this.accept('_')) base = this.argument();
      else if (exponent === null && this.accept('^')) exponent = this.isOperator('{') ? this.group() : this.exponent();
      else break;
    }
    const inverse = exponent !== null && isMinusOne(exponent) ? inverseFunctions.get(name) : undefined;
    const begin = this.at;
    const bare = this.callArguments(name);
    const args = this.inDegrees(name, begin) ? bare.map(radians) : bare;
    if (inverse !== undefined) return { kind: 'call', name: inverse, args };
    const node: Node = { kind: 'call', name, args: name === 'log' ? [args[0]!, base ?? ten] : args };
    if (base !== null && name !== 'log') throw unparsable;
    return exponent === null ? node : { kind: 'power', base: node, exponent };
  }

  /** Whether an angle was given in degrees, where that changes its sine. */
  private inDegrees(name: FunctionName, begin: number): boolean {
    if (!this.dialect.degrees || !angleFunctions.has(name)) return false;
    return this.tokens.slice(begin, this.at).some(({ type, text }) => type === 'operator' && text === '°');
  }

  private callArguments(name: FunctionName): readonly Node[] {
    if (this.isOperator('(') || this.isOperator('[') || this.isOperator('lbrace')) {
      const args = this.bracketArguments();
      if (args.length === 1 || manyArguments.has(name)) return args;
      throw unparsable;
    }
    if (this.isOperator('{')) return [this.argument()];
    if (manyArguments.has(name)) throw unparsable;
    return [this.deeper(() => this.functionArgument())];
  }

  private functionArgument(): Node {
    if (this.accept('-')) return negated(this.functionArgument());
    let left = this.sideBySide(this.token?.type === 'function');
    while (this.dialect.productArguments && (this.isOperator('*') || this.isOperator('/'))) {
      const times = this.tokens[this.at++]!.text === '*';
      const right = this.unary();
      left = times ? productOf([left, right]) : divided(left, right);
    }
    return left;
  }

  private bracketArguments(): readonly Node[] {
    const inner = this.bracketed(this.token!.text);
    return inner.kind === 'tuple' || inner.kind === 'set' ? inner.items : [inner];
  }

  private structure(name: string): Node {
    switch (name) {
      case 'frac':
        return divided(this.argument(), this.argument());
      case 'binom':
        return { kind: 'call', name: 'binomial', args: [this.argument(), this.argument()] };
      case 'sqrt':
        return this.squareRoot();
      case 'sum':
      case 'prod':
        return this.bigOperator(name);
      case 'int':
      case 'lim':
        return this.opaque(name);
      case 'mathbb': {
        const set = /^[NZQRC]$/.exec(this.subscriptText())?.[0];
        if (set === undefined) throw unparsable;
        return { kind: 'named-set', name: set as 'N' };
      }
      case 'emptyset':
        return { kind: 'named-set', name: 'empty' };
      case 'set':
        this.argument();
        return this.argument();
      default:
        throw unparsable;
    }
  }

  private squareRoot(): Node {
    let index: Node | null = null;
    if (this.accept('[')) {
      index = this.sum();
      this.expect(']');
    }
    const inner = this.isOperator('(') ? this.bracketed('(') : this.argument();
    if (index === null || isNumber(index, 2n)) return { kind: 'power', base: inner, exponent: half };
    if (this.dialect.realRoots) return { kind: 'call', name: 'root', args: [inner, index] };
    return { kind: 'power', base: inner, exponent: divided(numberNode(1n), index) };
  }

  /** What a command takes: a group, or one digit, letter or command. */
  private argument(): Node {
    return this.deeper(() => {
      if (this.isOperator('{')) return this.groupedNumber() ?? this.group();
      const token = this.token;
      if (
        (token?.type === 'number' || token?.type === 'letters') &&
        token.text.length > 1 &&
        !mathWords.has(token.text)
      ) {
        if (token.type === 'number' && !/^\d(?![eE])/.test(token.text)) throw unparsable;
        this.tokens[this.at] = { ...token, text: token.text.slice(1), space: false };
        const first = { ...token, text: token.text[0]! };
        if (token.type === 'number') return numberNode(BigInt(first.text));
        this.tokens.splice(this.at, 0, first);
        return this.letters(first);
      }
      if (token?.type === 'operator' && token.text === '-') {
        this.at += 1;
        return negated(this.argument());
      }
      return this.primary();
    });
  }

  /** `{1,234}` where one number must stand; null when that is not what stands here. */
  private groupedNumber(): Node | null {
    const first = this.tokens[this.at + 1];
    if (first?.type !== 'number' || !/^[1-9]\d{0,2}$/.test(first.text)) return null;
    let digits = first.text;
    let offset = 2;
    for (; this.isOperator(',', offset) && !this.tokens[this.at + offset]!.space; offset += 2) {
      const group = this.tokens[this.at + offset + 1];
      if (group?.type !== 'number' || group.space || !/^\d{3}$/.test(group.text)) return null;
      digits += group.text;
    }
    if (offset === 2 || !this.isOperator('}', offset)) return null;
    this.at += offset + 1;
    return numberNode(BigInt(digits));
  }

  private group(): Node {
    this.expect('{');
    const bars = this.bars;
    this.bars = 0;
    const node = this.deeper(() => this.list());
    const rest = this.accept('over') ? 'over' : this.accept('choose') ? 'choose' : null;
    let result = node;
    if (rest !== null) {
      const lower = this.deeper(() => this.list());
      result = rest === 'over' ? divided(node, lower) : { kind: 'call', name: 'binomial', args: [node, lower] };
    }
    this.expect('}');
    this.bars = bars;
    if (result.kind === 'list') return { kind: 'set', items: result.items };
    return result;
  }

  private bracketed(opener: string): Node {
    return this.deeper(() => {
      if (opener === '{') return this.group();
      this.at += 1;
      if (opener === '|') return this.absolute('|');
      if (opener === '||') return this.absolute('||');
      if (opener === '...') return { kind: 'symbol', name: '...' };
      const bars = this.bars;
      this.bars = 0;
      const node = this.inBrackets(opener);
      this.bars = bars;
      return node;
    });
  }

  private inBrackets(opener: string): Node {
    if (opener === 'lbrace') return this.set();
    if (opener === 'lfloor' || opener === 'lceil') {
      const inner = this.sum();
      this.expect(opener === 'lfloor' ? 'rfloor' : 'rceil');
      return { kind: 'call', name: opener === 'lfloor' ? 'floor' : 'ceil', args: [inner] };
    }
    if (opener !== '(' && opener !== '[') throw unparsable;
    const begin = this.at;
    const node = this.list();
    const close = this.accept(')') ? ')' : this.accept(']') ? ']' : null;
    if (close === null) throw unparsable;
    if (node.kind === 'list') {
      const semicolons =
        this.dialect.semicolonsMakeTuples && this.tokens.slice(begin, this.at).some(({ text }) => text === ';');
      return semicolons
        ? { kind: 'tuple', items: node.items, open: '(', close: ')' }
        : { kind: 'tuple', items: node.items, open: opener, close };
    }
    if ((opener === '(') !== (close === ')')) throw unparsable;
    return node;
  }

  private absolute(close: string): Node {
    this.bars += close === '|' ? 1 : 0;
    const inner = this.sum();
    this.expect(close);
    this.bars -= close === '|' ? 1 : 0;
    return { kind: 'call', name: 'abs', args: [inner] };
  }

  /** A set in braces: its elements, or the condition after `|` or `:`. */
  private set(): Node {
    if (this.accept('rbrace')) return { kind: 'named-set', name: 'empty' };
    this.bars = 1; // so that a bar ends the first part instead of beginning an absolute value
    const begin = this.at;
    const barAhead = this.conditionAhead();
    this.bars = barAhead ? 1 : 0;
    if (barAhead) {
      this.colonEnds = true;
      this.relation();
      this.colonEnds = false;
      this.bars = 0;
      if (!this.accept('|')) this.expect(':');
      const condition = this.list();
      this.expect('rbrace');
      return condition;
    }
    this.at = begin;
    const items = this.list();
    this.expect('rbrace');
    return { kind: 'set', items: items.kind === 'list' ? items.items : [items] };
  }

  /** Whether a `|` or `:` stands before the first comma of the set: {x | ...}, {x : ...}, {x in R | ...}. */
  private conditionAhead(): boolean {
    let level = 0;
    for (let at = this.at; at < this.tokens.length; at += 1) {
      const { type, text } = this.tokens[at]!;
      if (type !== 'operator') continue;
      if (text === '{' || text === '(' || text === '[' || text === 'lbrace') level += 1;
      else if (text === '}' || text === ')' || text === ']' || text === 'rbrace') level -= 1;
      if (level < 0 || (level === 0 && text === ',')) return false;
      if (level === 0 && (text === '|' || text === ':')) return at > this.at;
    }
    return false;
  }

  private environment(name: string): Node {
    const rows: Node[][] = [[]];
    this.environments += 1;
    for (;;) {
      const token = this.token;
      if (token === undefined) throw unparsable;
      if (token.type === 'end') break;
      if (this.accept('\\\\')) rows.push([]);
      else if (this.accept('&')) continue;
      else rows.at(-1)!.push(this.deeper(() => this.list()));
    }
    this.environments -= 1;
    if (this.token!.text !== name) throw unparsable;
    this.at += 1;
    const filled = rows.filter(({ length }) => length > 0);
    if (filled.length === 0) throw unparsable;
    if (name === 'cases' && filled.every(({ length }) => length === 1)) return listOf(filled.flat(), 'and');
    if (name === 'cases') return { kind: 'cases', rows: filled };
    if (['aligned', 'align', 'gathered', 'split', 'gather'].includes(name)) return listOf(filled.flat(), 'and');
    if (!/^(?:[pbvBV]?matrix|smallmatrix|array|tabular)$/.test(name)) throw unparsable;
    return name === 'vmatrix' ? determinant(filled) : { kind: 'matrix', rows: filled };
  }

  private bigOperator(name: 'sum' | 'prod'): Node {
    const begin = this.at;
    try {
      this.expect('_');
      this.expect('{');
      const variable = this.postfix();
      this.expect('=');
      const low = this.sum();
      this.expect('}');
      this.expect('^');
      const high = this.exponent();
      const body = this.product();
      if (variable.kind !== 'symbol' && !(variable.kind === 'constant' && variable.name === 'i')) throw unparsable;
      return { kind: name === 'sum' ? 'sum' : 'product', variable: variable.name, low, high, body };
    } catch (error) {
      if (error !== unparsable) throw error;
      this.at = begin;
      return this.opaque(name);
    }
  }

  /** All that is left of the element, as text. */
  private opaque(name: string): Node {
    const begin = this.at;
    let level = 0;
    while (this.token) {
      const { type, text } = this.token;
      if (type === 'operator' && ['(', '[', '{', 'lbrace'].includes(text)) level += 1;
      else if (type === 'operator' && [')', ']', '}', 'rbrace'].includes(text)) level -= 1;
      if (level < 0 || (level === 0 && type === 'operator' && (text === ',' || text === '='))) break;
      this.at += 1;
    }
    const text = this.tokens.slice(begin, this.at).map((token) => token.text);
    return { kind: 'opaque', text: [name, ...text].join(' ') };
  }

  // Units

  /** Words behind a value: `\text{ cm}^2`, `square units`, `km/h`. False when none stand here. */
  private acceptUnit(): boolean {
    if (!this.dialect.units) return false;
    const token = this.token!;
    const isUnit =
      token.type === 'text'
        ? isWordyUnit(token.text)
        : token.type === 'letters' && this.previousIsValue() && this.isPlainUnit(token);
    if (!isUnit) return false;
    this.at += 1;
    this.unit = `${this.unit} ${token.text.toLowerCase()}`.trim();
    if (this.isOperator('^') && !this.isOperator('°', 1)) {
      this.at += 1;
      this.unit += `^${this.isOperator('{') || this.token?.type === 'number' ? this.subscriptText() : unreadable()}`;
    }
    const divided = (this.isOperator('/') || this.isOperator('*')) && this.tokens[this.at + 1];
    if (divided && (divided.type === 'text' || (divided.type === 'letters' && isUnitWord(divided.text)))) {
      this.unit += this.tokens[this.at]!.text;
      this.at += 1;
      return this.acceptUnit() || unreadable();
    }
    return true;
  }

  private previousIsValue(): boolean {
    const previous = this.tokens[this.at - 1];
    if (previous === undefined) return false;
    return (
      ['number', 'letters', 'constant'].includes(previous.type) || [')', '}', '°', '%', '!'].includes(previous.text)
    );
  }

  /** A run of letters that is a unit: a known one, or a word of some length set apart, with nothing but words behind it. */
  private isPlainUnit(token: Token): boolean {
    if (this.tokens[this.at - 1]!.type === 'letters' && this.unit === '') return false;
    if (isUnitWord(token.text)) return token.text.length > 1;
    if (!token.space || token.text.length < 4 || functionNames.has(token.text) || mathWords.has(token.text))
      return false;
    const next = this.tokens[this.at + 1];
    return (
      next === undefined ||
      next.type === 'letters' ||
      next.type === 'text' ||
      this.isOperator(',', 1) ||
      this.isOperator('and', 1)
    );
  }
}

function radians(angle: Node): Node {
  return { kind: 'multiply', factors: [angle, { kind: 'constant', name: 'pi' }, numberNode(1n, 180n)] };
}

/** Laplace's expansion along the first row, up to 5 x 5. */
function determinant(rows: readonly (readonly Node[])[]): Node {
  if (rows.length > 5 || rows.some((row) => row.length !== rows.length)) throw unparsable;
  const [first, ...others] = rows;
  if (others.length === 0) return first![0]!;
  const terms = first!.map((entry, column): Node => {
    const minor = determinant(others.map((row) => row.filter((_, index) => index !== column)));
    const term: Node = { kind: 'multiply', factors: [entry, minor] };
    return column % 2 === 0 ? term : negated(term);
  });
  return { kind: 'add', terms };
}

function unreadable(): never {
  throw unparsable;
}

/** a.bc(def) with the last digits repeating: (abcdef - abc) / (10^places * (10^period - 1)). */
function repeating(whole: string, decimals: string, period: string): Node {
  if (!/^\d{1,100}$/.test(period)) throw unparsable;
  const before = BigInt(whole + decimals || '0');
  const all = BigInt(whole + decimals + period);
  const value = rational(all - before, 10n ** BigInt(decimals.length) * (10n ** BigInt(period.length) - 1n));
  if (value === null) throw unparsable;
  return { kind: 'number', value, decimal: false };
}

/** From the right: a whole number before a positive number, and nothing else, is added to it. */
function addAdjacent(factors: Node[]): void {
  while (factors.length > 1) {
    const right = factors.at(-1)!;
    const left = factors.at(-2)!;
    if (right.kind !== 'number' || right.decimal || right.value.n <= 0n || left.kind !== 'number' || !isWhole(left))
      return;
    const { n, d } = right.value;
    const sum = rational(left.value.n * d + (left.value.n < 0n ? -n : n), d);
    if (sum === null) return;
    factors.splice(-2, 2, { kind: 'number', value: sum, decimal: false });
  }
}

function listOf(items: readonly Node[], joint: Joint): Node {
  const [first, ...others] = items;
  if (others.length === 0) return first!;
  if (
    first!.kind === 'relation' &&
    first!.names.length === 1 &&
    (first!.names[0] === '=' || first!.names[0] === 'in') &&
    others.every(({ kind }) => kind !== 'relation')
  ) {
    const [left, right] = first!.sides;
    return { ...first!, sides: [left!, { kind: 'list', items: [right!, ...others], joint }] };
  }
  return { kind: 'list', items, joint };
}

function sumOf(terms: readonly Node[]): Node {
  return terms.length === 1 ? terms[0]! : { kind: 'add', terms };
}

function productOf(factors: readonly Node[]): Node {
  return factors.length === 1 ? factors[0]! : { kind: 'multiply', factors };
}

function divided(numerator: Node, denominator: Node): Node {
  return productOf(quotient(numerator, denominator));
}

/** The factors of a quotient; of whole numbers, the number that it is. */
function quotient(numerator: Node, denominator: Node): Node[] {
  if (isWhole(numerator) && isWhole(denominator)) {
    const value = rational((numerator as NumberNode).value.n, (denominator as NumberNode).value.n);
    if (value !== null) return [{ kind: 'number', value, decimal: false }];
  }
  return [numerator, { kind: 'power', base: denominator, exponent: minusOne }];
}

function isWhole(node: Node): boolean {
  return node.kind === 'number' && !node.decimal && node.value.d === 1n;
}

function isNumber(node: Node, n: bigint): boolean {
  return node.kind === 'number' && node.value.n === n && node.value.d === 1n;
}

function isMinusOne(node: Node): boolean {
  return isNumber(node, -1n);
}

function isBareSymbol(node: Node): boolean {
  return (
    node.kind === 'symbol' || node.kind === 'text' || (node.kind === 'multiply' && node.factors.every(isBareSymbol))
  );
}

function isLetter(node: Node): boolean {
  return (
    (node.kind === 'symbol' && node.name.length === 1) ||
    (node.kind === 'constant' && (node.name === 'e' || node.name === 'i'))
  );
}

function letterOf(node: Node): string {
  return (node as { name: string }).name;
}

function isSet(node: Node): boolean {
  return ['set', 'named-set', 'set-operation', 'tuple'].includes(node.kind);
}
