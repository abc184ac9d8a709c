/**
 * Exact rationals out of plain or LaTeX spelling. Grammar, whitespace (also `\,`, `\!`, `\;`, `\:`, `\ `, `~`) allowed between
 * its parts but never inside a number:
 *
 *   text      ['\$'] signed ['%' | '\%']
 *   signed    {'+' | '-' | U+2212} (mixed | ratio)          an even number of minus signs is none
 *   mixed     integer proper | integer space integer '/' integer    in both the fraction is of integers, in (0, 1)
 *   ratio     atom ['/' sign* atom]
 *   atom      decimal | fraction | '(' signed ')' | '\text' '{' signed '}'     (`{1,234}` may mean a set)
 *   fraction  ('\frac' | '\dfrac' | '\tfrac' | '\cfrac') argument argument
 *   argument  digit | '{' signed '}'
 *   decimal   digits ['.' [digits]] | '.' digits;  digits may be grouped by thousands with `,`, `{,}`, `,\!` or `\,`
 *
 * A bare comma groups only when the number is all there is up to the end, a closing brace or a percent sign: `(1,234)` is a
 * pair and `1,234/5` could be a list. `0,123` groups nothing.
 */

/** numerator / denominator, the denominator positive, not in lowest terms. */
export interface Rational {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Longer texts are not parsed: what bounds every integer below, since there are no powers. */
export const maxRationalLength = 4096;

const maxDepth = 32;
const fractions = ['\\frac', '\\dfrac', '\\tfrac', '\\cfrac'];
const space = /(?:\s|\\[,!;: ]|~)+/y;
const grouping = /[1-9]\d{0,2}(?:(?:,\s*\\!\s*|\{,\}|\\,)\d{3})+(?!\d)/y;
const commaGrouping = /[1-9]\d{0,2}(?:,\d{3})+(?=(?:\.\d*)?(?:\s|\\[,!;: ]|~)*(?:\\?%|\}|$))/y;
const properFraction =
  /\s*\\[dtc]?frac\s*(?:(\d)|\{\s*(\d+)\s*\})\s*(?:(\d)|\{\s*(\d+)\s*\})|(?:\s|\\[,!;: ]|~)+(\d+)\s*\/\s*(\d+)/y;
const wrappers = ['\\text', '\\mathrm', '\\mbox', '\\textbf', '\\mathbf'];

/** The text's value, or undefined when it is not a rational in this grammar, divides by zero or is too long or deep. */
export function parseRational(text: string): Rational | undefined {
  if (text.length > maxRationalLength) return undefined;
  const parser = new Parser(text);
  try {
    return parser.parse();
  } catch (error) {
    if (error === mismatch) return undefined;
    throw error;
  }
}

export function equalRationals(a: Rational, b: Rational): boolean {
  return a.numerator * b.denominator === b.numerator * a.denominator;
}

/** Thrown to leave the parser from any depth; carries nothing, so it costs no stack trace. */
const mismatch = Symbol('not a rational');

class Parser {
  private at = 0;
  private depth = 0;

  constructor(private readonly text: string) {}

  parse(): Rational {
    this.space();
    this.take('\\$');
    const value = this.signed();
    const percent = this.take('\\%') || this.take('%');
    this.space();
    if (this.at < this.text.length) throw mismatch;
    return percent ? { numerator: value.numerator, denominator: value.denominator * 100n } : value;
  }

  private signed(): Rational {
    const negative = this.sign();
    const value = this.mixedOrRatio();
    return negative ? { numerator: -value.numerator, denominator: value.denominator } : value;
  }

  /** Signs and the whitespace around them; whether they negate. */
  private sign(): boolean {
    let negative = false;
    for (;;) {
      this.space();
      if (this.take('-') || this.take('\u2212')) negative = !negative;
      else if (!this.take('+')) return negative;
    }
  }

  private mixedOrRatio(): Rational {
    const begin = this.at;
    const first = this.atom();
    if (/^\d+$/.test(this.text.slice(begin, this.at))) {
      const part = this.properFraction();
      if (part) return mixed(first, part);
    }
    this.space();
    if (!this.take('/')) return first;
    const negative = this.sign();
    const value = divide(first, this.atom());
    this.space();
    return negative ? { numerator: -value.numerator, denominator: value.denominator } : value;
  }

  /** What follows the integer of a mixed number: a fraction of two integers. */
  private properFraction(): Rational | undefined {
    const found = this.exec(properFraction);
    if (!found) return undefined;
    this.space();
    const [, a, b, c, d, e, f] = found;
    return { numerator: BigInt(a ?? b ?? e ?? fail()), denominator: BigInt(c ?? d ?? f ?? fail()) };
  }

  private atom(): Rational {
    for (const command of fractions) {
      if (this.takeCommand(command)) return divide(this.argument(), this.argument());
    }
    for (const command of wrappers) {
      if (!this.takeCommand(command)) continue;
      this.space();
      if (!this.take('{')) throw mismatch;
      return this.enclosed('}');
    }
    if (this.take('(')) return this.enclosed(')');
    return this.decimal();
  }

  private argument(): Rational {
    this.space();
    if (this.take('{')) return this.enclosed('}');
    return { numerator: BigInt(this.match(/\d/y) ?? fail()), denominator: 1n };
  }

  private enclosed(closing: string): Rational {
    this.depth += 1;
    if (this.depth > maxDepth) throw mismatch;
    const value = this.signed();
    this.space();
    if (!this.take(closing)) throw mismatch;
    this.depth -= 1;
    return value;
  }

  private decimal(): Rational {
    const grouped = this.match(grouping) ?? this.match(commaGrouping);
    const whole = grouped === undefined ? (this.match(/\d+/y) ?? '') : grouped.replace(/\D/g, '');
    const digits = this.take('.') ? (this.match(/\d+/y) ?? '') : '';
    if (whole === '' && digits === '') throw mismatch;
    return { numerator: BigInt(whole + digits), denominator: 10n ** BigInt(digits.length) };
  }

  private take(token: string): boolean {
    if (!this.text.startsWith(token, this.at)) return false;
    this.at += token.length;
    return true;
  }

  /** A command ends where its letters end: `\text` is not the beginning of `\textbf`. */
  private takeCommand(command: string): boolean {
    return !/[a-zA-Z]/.test(this.text[this.at + command.length] ?? '') && this.take(command);
  }

  private space(): void {
    this.match(space);
  }

  private match(sticky: RegExp): string | undefined {
    return this.exec(sticky)?.[0];
  }

  private exec(sticky: RegExp): RegExpExecArray | null {
    sticky.lastIndex = this.at;
    const found = sticky.exec(this.text);
    if (found) this.at = sticky.lastIndex;
    return found;
  }
}

function fail(): never {
  throw mismatch;
}

function divide(a: Rational, b: Rational): Rational {
  if (b.numerator === 0n) throw mismatch;
  const sign = b.numerator < 0n ? -1n : 1n;
  return { numerator: sign * a.numerator * b.denominator, denominator: sign * a.denominator * b.numerator };
}

function mixed(whole: Rational, part: Rational): Rational {
  if (part.numerator <= 0n || part.numerator >= part.denominator) throw mismatch;
  return { numerator: whole.numerator * part.denominator + part.numerator, denominator: part.denominator };
}
