import { type Token, tokens } from './sympy-tokens.js';

/** Thrown to leave from any depth when a text cannot be read; carries nothing, so it costs no stack trace. */
export const unreadable = Symbol('unreadable');
/** A rule costs a dozen frames of the stack, and twice as much of it before it is compiled. */
const maxLevel = 100;

/** A place in the tokens of a text, for rules that return null, and leave the place unchanged, when they do not fit. */
export class SympyCursor {
  protected at = 0;
  /** The last place whose token was looked at. */
  protected furthest = 0;
  protected readonly tokens: readonly Token[];
  private level = 0;

  constructor(text: string) {
    this.tokens = tokens(text);
  }

  protected peek(ahead = 0): Token {
    if (ahead === 0 && this.at > this.furthest) this.furthest = this.at;
    const token = this.tokens[Math.min(this.at + ahead, this.tokens.length - 1)]!;
    return token.type === 'error' ? fail() : token;
  }

  protected isSign(text: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.type === 'sign' && token.text === text;
  }

  protected isCommand(text: string): boolean {
    const token = this.peek();
    return token.type === 'command' && token.text === text;
  }

  protected takeSign(text: string): boolean {
    if (!this.isSign(text)) return false;
    this.at += 1;
    return true;
  }

  /** The result of a rule; when it is null, the place is what it was. */
  protected attempt<T>(rule: () => T | null): T | null {
    const begin = this.at;
    const result = rule();
    if (result === null) this.at = begin;
    return result;
  }

  /** A node that holds so many others, one in another. @throws {unreadable} when it is too many */
  protected within<T>(nested: number, node: T): T {
    return nested > maxLevel ? fail() : node;
  }

  /** @throws {unreadable} when rules are nested too deep */
  protected deeper<T>(rule: () => T): T {
    this.level += 1;
    if (this.level > maxLevel) fail();
    const result = rule();
    this.level -= 1;
    return result;
  }
}

export function fail(): never {
  throw unreadable;
}
