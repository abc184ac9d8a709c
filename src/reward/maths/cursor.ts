import type { Dialect } from './dialect.js';
import { maxDepth, type Token, unparsable } from './lex.js';

/** A place in an answer's tokens, and what every part of the parser asks of it. */
export class Cursor {
  /** The unit words met behind values, in lower case. */
  unit = '';

  protected at = 0;

  protected depth = 0;

  protected bars = 0;

  protected wraps = 0;

  /** Inside the first part of {x : ...}. */
  protected colonEnds = false;

  protected environments = 0;

  protected readonly tokens: Token[];

  constructor(
    tokens: readonly Token[],
    protected readonly dialect: Dialect,
  ) {
    this.tokens = [...tokens];
  }

  protected get token(): Token | undefined {
    return this.tokens[this.at];
  }

  protected isOperator(text: string, offset = 0): boolean {
    const token = this.tokens[this.at + offset];
    return token?.type === 'operator' && token.text === text;
  }

  protected accept(text: string): boolean {
    if (!this.isOperator(text)) return false;
    this.at += 1;
    return true;
  }

  protected expect(text: string): void {
    if (!this.accept(text)) throw unparsable;
  }

  protected deeper<Result>(parse: () => Result): Result {
    if (this.depth >= maxDepth) throw unparsable;
    this.depth += 1;
    const result = parse();
    this.depth -= 1;
    return result;
  }

  /** Counts what makes a tree deeper without making the parser's recursion deeper. */
  protected wrap(): void {
    this.wraps += 1;
    if (this.wraps > maxDepth) throw unparsable;
  }

  /** A subscript's tokens, put together. */
  protected subscriptText(): string {
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

  protected skipGroup(): void {
    let level = 0;
    do {
      if (this.token === undefined) throw unparsable;
      if (this.isOperator('{')) level += 1;
      else if (this.isOperator('}')) level -= 1;
      this.at += 1;
    } while (level > 0);
  }
}
