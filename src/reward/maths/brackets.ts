import { determinant, divided, listOf } from './build.js';
import { mathWords } from './commands.js';
import { type Token, unparsable } from './lex.js';
import { type Node, negated, numberNode } from './tree.js';
import { UnitReader } from './unit-reader.js';

/** What stands in brackets, braces, bars and environments. */
export abstract class Brackets extends UnitReader {
  protected abstract list(): Node;
  protected abstract relation(): Node;
  protected abstract sum(): Node;
  protected abstract primary(): Node;
  protected abstract letters(token: Token): Node;

  protected bracketed(opener: string): Node {
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

  protected inBrackets(opener: string): Node {
    if (opener === 'lbrace') return this.token?.type === 'begin' ? this.system(this.token.text) : this.set();
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

  protected absolute(close: string): Node {
    this.bars += close === '|' ? 1 : 0;
    const inner = this.sum();
    this.expect(close);
    this.bars -= close === '|' ? 1 : 0;
    return { kind: 'call', name: 'abs', args: [inner] };
  }

  /** A set in braces: its elements, or the condition after `|` or `:`. */
  protected set(): Node {
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
  protected conditionAhead(): boolean {
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

  /** `\left\{\begin{array}{l} .. \end{array}\right.`: a system, whose brace nothing closes. */
  private system(name: string): Node {
    this.at += 1;
    const node = this.environment(name);
    if (this.accept('rbrace')) return { kind: 'set', items: [node] };
    return node.kind === 'matrix' && node.rows.every(({ length }) => length === 1)
      ? listOf(node.rows.flat(), 'and')
      : node;
  }

  /** Whether `{x|x<1}` stands here, a set whose braces lost their backslashes. */
  private plainSetBuilder(): boolean {
    const [variable, bar] = [this.tokens[this.at + 1], this.tokens[this.at + 2]];
    if (!this.dialect.ratios || variable?.type !== 'letters' || bar?.type !== 'operator' || bar.text !== '|')
      return false;
    const again = this.tokens[this.at + 3];
    return (
      again !== undefined &&
      this.tokens.slice(this.at + 3).some(({ text }) => text === '<' || text === '>' || text === '<=' || text === '>=')
    );
  }

  protected group(): Node {
    if (this.plainSetBuilder()) {
      const begin = this.at;
      const end = this.tokens.findIndex(({ type, text }, at) => at > begin && type === 'operator' && text === '}');
      if (end < 0) throw unparsable;
      this.tokens[begin] = { type: 'operator', text: 'lbrace', space: false };
      this.tokens[end] = { type: 'operator', text: 'rbrace', space: false };
      return this.bracketed('lbrace');
    }
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

  /** `{1,234}` where one number must stand; null when that is not what stands here. */
  protected groupedNumber(): Node | null {
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

  /** What a command takes: a group, or one digit, letter or command. */
  protected argument(): Node {
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

  protected bracketArguments(): readonly Node[] {
    const inner = this.bracketed(this.token!.text);
    return inner.kind === 'tuple' || inner.kind === 'set' ? inner.items : [inner];
  }

  protected environment(name: string): Node {
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
}
