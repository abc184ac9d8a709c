import { Brackets } from './brackets.js';
import { divided, isMinusOne, isNumber, productOf, radians, repeating } from './build.js';
import { functionNames, inverseFunctions, manyArguments, mathWords, wordSets } from './commands.js';
import { type Token, unparsable } from './lex.js';
import { multiply, power, rational } from './rational.js';
import { type FunctionName, type Node, type NumberNode, negated, numberNode } from './tree.js';

const half = numberNode(1n, 2n);
const ten = numberNode(10n);
const functionLetters = new Set(['f', 'g', 'h', 'F', 'G', 'H', 'P']);
const angleFunctions = new Set<FunctionName>(['sin', 'cos', 'tan', 'cot', 'sec', 'csc']);
const bracketOpeners = new Set(['(', '[', '{', 'lbrace', '||', 'lfloor', 'lceil']);
const faceName = /^(?:mathbf|boldsymbol|bm)\{?(?=[a-zA-Z]\}?$)|\}$/g;
const operandTypes = new Set(['set', 'number', 'letters', 'symbol', 'constant', 'function', 'accent', 'face', 'begin']);

/** What arithmetic is made of: numbers, symbols, words, functions, roots, fractions, sums with bounds. */
export abstract class Operands extends Brackets {
  protected abstract product(): Node;
  protected abstract unary(): Node;
  protected abstract sideBySide(functionsToo?: boolean): Node;
  protected abstract postfix(): Node;
  protected abstract exponent(): Node;

  protected startsOperand(offset = 0): boolean {
    const token = this.tokens[this.at + offset];
    if (token === undefined) return false;
    if (operandTypes.has(token.type) || token.type === 'text') return true;
    if (token.type === 'structure') return token.text !== 'pmod' && token.text !== 'not';
    return token.type === 'operator' && (bracketOpeners.has(token.text) || (token.text === '|' && this.bars === 0));
  }

  protected primary(): Node {
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
        return { kind: 'symbol', name: `${token.text}(${this.subscriptText().replace(faceName, '')})` };
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

  protected words(text: string): Node {
    const lower = text.toLowerCase();
    const set = wordSets.get(lower);
    if (set !== undefined) return { kind: 'named-set', name: set };
    if (lower === 'infinity') return { kind: 'constant', name: 'infinity' };
    return { kind: 'text', text };
  }

  /** cis x = e^(ix). */
  protected cis(): Node {
    const begin = this.at;
    const [bare] = this.isOperator('(') ? this.bracketArguments() : [this.functionArgument()];
    const degrees = this.tokens.slice(begin, this.at).some(({ type, text }) => type === 'operator' && text === '°');
    const angle = degrees ? radians(bare!) : bare!;
    const exponent = productOf([{ kind: 'constant', name: 'i' }, angle]);
    return { kind: 'power', base: { kind: 'constant', name: 'e' }, exponent };
  }

  protected number(literal: string): Node {
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
      return repeating(whole, decimals, token.text === 'dot' ? this.dotted() : this.subscriptText());
    }
    const period = this.dialect.units && this.isOperator('...') ? /(?:(\d)\1{2,}|(\d{2,9}?)\2+)$/.exec(decimals) : null;
    if (period !== null) {
      this.at += 1;
      return repeating(whole, decimals.slice(0, period.index), period[1] ?? period[2]!);
    }
    const value = rational(BigInt(whole + decimals), 10n ** BigInt(decimals.length));
    if (value === null) throw unparsable;
    return { kind: 'number', value, decimal: decimals !== '' };
  }

  /** The digits that repeat, from one dot to the other: `\dot{1}4285\dot{7}`, or one dotted digit alone. */
  private dotted(): string {
    const first = this.subscriptText();
    const begin = this.at;
    const between = this.token?.type === 'number' && !this.token.space ? this.tokens[this.at++]!.text : '';
    if (this.token?.type === 'accent' && this.token.text === 'dot') {
      this.at += 1;
      return first + between + this.subscriptText();
    }
    this.at = begin;
    return first;
  }

  /** One letter of the run, or all of it where it is a word of mathematics. */
  protected letters(token: Token): Node {
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
  protected applied(symbol: Node): Node {
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

  protected isAtom(offset: number): boolean {
    const token = this.tokens[this.at + offset];
    return (
      token?.type === 'number' || token?.type === 'symbol' || (token?.type === 'letters' && token.text.length === 1)
    );
  }

  protected primed(name: string): Node {
    let primes = '';
    while (this.accept("'")) primes += "'";
    while (this.isOperator('^') && this.isOperator("'", 1)) {
      this.at += 2;
      primes += "'";
    }
    return { kind: 'symbol', name: (this.dialect.foldCase ? name.toLowerCase() : name) + primes };
  }

  protected call(name: FunctionName): Node {
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
  protected inDegrees(name: FunctionName, begin: number): boolean {
    if (!this.dialect.degrees || !angleFunctions.has(name)) return false;
    return this.tokens.slice(begin, this.at).some(({ type, text }) => type === 'operator' && text === '°');
  }

  protected callArguments(name: FunctionName): readonly Node[] {
    if (this.isOperator('(') || this.isOperator('[') || this.isOperator('lbrace')) {
      const args = this.bracketArguments();
      if (args.length === 1 || manyArguments.has(name)) return args;
      throw unparsable;
    }
    if (this.isOperator('{')) return [this.argument()];
    if (manyArguments.has(name)) throw unparsable;
    return [this.deeper(() => this.functionArgument())];
  }

  protected functionArgument(): Node {
    if (this.accept('-')) return negated(this.functionArgument());
    let left = this.sideBySide(this.token?.type === 'function');
    while (this.dialect.productArguments && (this.isOperator('*') || this.isOperator('/'))) {
      const times = this.tokens[this.at++]!.text === '*';
      const right = this.unary();
      left = times ? productOf([left, right]) : divided(left, right);
    }
    return left;
  }

  protected structure(name: string): Node {
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

  protected squareRoot(): Node {
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

  protected bigOperator(name: 'sum' | 'prod'): Node {
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
  protected opaque(name: string): Node {
    const begin = this.at;
    let level = 0;
    while (this.token) {
      const { type, text } = this.token;
      if (type === 'operator' && ['(', '[', '{', 'lbrace'].includes(text)) level += 1;
      else if (type === 'operator' && [')', ']', '}', 'rbrace'].includes(text)) level -= 1;
      if (level < 0 || (level === 0 && type === 'operator' && (text === ',' || text === '='))) break;
      this.at += 1;
    }
    return { kind: 'opaque', text: [name, ...spelledAlike(this.tokens.slice(begin, this.at))].join(' ') };
  }
}

/** The texts of tokens, letters one by one and without braces around one letter or digit, so that spacing and needless braces do not count. */
function spelledAlike(tokens: readonly Token[]): readonly string[] {
  const isBrace = (index: number, text: string) => tokens[index]?.type === 'operator' && tokens[index]!.text === text;
  const isSingle = (index: number) => tokens[index]?.text.length === 1 || tokens[index]?.type === 'constant';
  const needless = (index: number) =>
    (isBrace(index, '{') && isSingle(index + 1) && isBrace(index + 2, '}')) ||
    (isBrace(index, '}') && isSingle(index - 1) && isBrace(index - 2, '{'));
  return tokens.flatMap((token, index) => {
    if (needless(index)) return [];
    return token.type === 'letters' ? [...token.text] : [token.text];
  });
}
