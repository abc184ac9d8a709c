import type { Token } from './lex.js';
import { isSiSymbol, isUnitWord, isWordyUnit } from './units.js';

/** The tokens of an answer cut into a value and the unit behind it. */
export interface Measure {
  readonly value: readonly Token[];
  readonly unit: string;
  /** Every part of the unit was set as words, so that it can be no variable. */
  readonly certain: boolean;
}

/** Units of more tokens than this are none. */
const maxUnitTokens = 30;
const powerWords = new Map([['sq', 'square'], ['square', 'square'], ['cu', 'cubic'], ['cubic', 'cubic']]); // biome-ignore format: a table
const valueEnds = new Set([')', ']', '}', '°', '%', '!']);

/**
 * The longest unit at the end of an answer, by
 *
 *   unit   factor {['*' | '/'] factor}       factor  atom ['^' whole number]       atom  symbol | words | \frac{unit}{unit} | '(' unit ')'
 *
 * It begins with words, or behind a space, and behind a number, bracket or constant; else null. `5 m` may still be five times m:
 * the reader of the answer decides.
 */
export function measured(tokens: readonly Token[]): Measure | null {
  for (let begin = Math.max(1, tokens.length - maxUnitTokens); begin < tokens.length; begin += 1) {
    const first = tokens[begin]!;
    if (!first.space && first.type !== 'text') continue;
    const before = tokens[begin - 1]!;
    if ((first.text === 'C' || first.text === 'F') && [before.text, tokens[begin - 2]?.text].includes('°')) return null; // a scale
    const endsValue =
      before.type === 'number' ||
      before.type === 'constant' ||
      (before.type === 'operator' && valueEnds.has(before.text));
    if (!endsValue) continue;
    const reader = new UnitTokens(tokens, begin);
    const unit = reader.unit();
    if (unit !== null && reader.atEnd) return { value: tokens.slice(0, begin), unit, certain: reader.certain };
  }
  return null;
}

class UnitTokens {
  certain = true;

  constructor(
    private readonly tokens: readonly Token[],
    private at: number,
  ) {}

  get atEnd(): boolean {
    return this.at === this.tokens.length;
  }

  unit(): string | null {
    let unit = '';
    let sign = '';
    for (;;) {
      const factor = this.factor();
      if (factor === null) return null;
      unit += sign + factor;
      sign = '*';
      if (this.is('/')) sign = '/';
      if (this.is('/') || this.is('*')) this.at += 1;
      else if (this.atEnd || this.is('}') || this.is(')')) return unit;
    }
  }

  private is(operator: string, offset = 0): boolean {
    const token = this.tokens[this.at + offset];
    return token?.type === 'operator' && token.text === operator;
  }

  private factor(): string | null {
    const atom = this.atom();
    if (atom === null || !this.is('^')) return atom;
    this.at += 1;
    const braced = this.is('{');
    if (braced) this.at += 1;
    const minus = this.is('-') ? '-' : '';
    if (minus !== '') this.at += 1;
    const exponent = this.tokens[this.at];
    if (exponent?.type !== 'number' || !/^\d$/.test(exponent.text)) return null;
    this.at += 1;
    if (braced && !this.is('}')) return null;
    if (braced) this.at += 1;
    return `${atom}^${minus}${exponent.text}`;
  }

  private atom(): string | null {
    const token = this.tokens[this.at];
    if (token === undefined) return null;
    if (token.type === 'text') {
      this.at += 1;
      return isWordyUnit(token.text) ? token.text : null;
    }
    if (token.type === 'letters' && powerWords.has(token.text)) {
      this.at += this.is('.', 1) ? 2 : 1;
      const inner = this.atom();
      return inner && `${powerWords.get(token.text)!} ${inner}`;
    }
    if (token.type === 'letters') return this.symbol(token.text);
    if (token.type === 'symbol') {
      this.certain = false;
      const next = this.tokens[this.at + 1];
      if (token.text === 'Omega') return this.taken(1, 'ohm');
      if (token.text === 'mu' && next?.type === 'letters' && isSiSymbol(`u${next.text}`))
        return this.taken(2, `u${next.text}`);
      return null;
    }
    if (token.type === 'structure' && token.text === 'frac') {
      this.at += 1;
      const over = this.group('{', '}');
      const under = over === null ? null : this.group('{', '}');
      return under === null ? null : `${over}/${under}`;
    }
    return this.group('(', ')');
  }

  private symbol(text: string): string | null {
    this.certain = false;
    return isSiSymbol(text) || isUnitWord(text) ? this.taken(1, text) : null;
  }

  private taken(count: number, unit: string): string {
    this.at += count;
    return unit;
  }

  private group(open: string, close: string): string | null {
    if (!this.is(open)) return null;
    this.at += 1;
    const unit = this.unit();
    if (unit === null || !this.is(close)) return null;
    this.at += 1;
    return unit;
  }
}
