import { isPythonSpace } from '../python-text.js';

/** Python's `\s`, as the inside of a character class. */
export const spaceClass = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';

/**
 * A text indexed by code points, as the patterns of extraction count them ("at most 50 characters"). `chars` has one UTF-16
 * unit for each code point: those above U+FFFF are represented by a digit if they are one, else by a private-use character.
 */
export class SourceText {
  readonly chars: string;
  readonly length: number;
  /** Code points of the original, only where a character lies above U+FFFF. */
  private readonly points: readonly string[] | undefined;
  private offsets: Int32Array | undefined;
  private spaces: Int32Array | undefined;

  constructor(text: string) {
    if (/[\ud800-\udbff][\udc00-\udfff]/.test(text)) {
      this.points = Array.from(text);
      this.chars = this.points.map((point) => (point.length === 1 ? point : standIn(point))).join('');
    } else {
      this.chars = text;
    }
    this.length = this.chars.length;
  }

  /** Whether every code point is one UTF-16 unit, so that both count alike. */
  get isBmp(): boolean {
    return this.points === undefined;
  }

  slice(begin: number, end: number): string {
    return this.points ? this.points.slice(begin, end).join('') : this.chars.slice(begin, end);
  }

  /** UTF-16 offset of a code point. */
  offset(at: number): number {
    if (!this.points) return at;
    if (!this.offsets) {
      this.offsets = new Int32Array(this.length + 1);
      for (const [i, point] of this.points.entries()) this.offsets[i + 1] = this.offsets[i]! + point.length;
    }
    return this.offsets[at]!;
  }

  isSpace(at: number): boolean {
    return at < this.length && isPythonSpace(this.chars.charCodeAt(at));
  }

  isDigit(at: number): boolean {
    return at < this.length && isDigitUnit(this.chars.charCodeAt(at));
  }

  startsWith(word: string, at: number): boolean {
    return this.chars.startsWith(word, at);
  }

  /** The first position from `at` on that is not whitespace: where `\s*` ends. Constant time after one pass. */
  skipSpace(at: number): number {
    this.spaces ??= spaceEnds(this.chars);
    return this.spaces[at]!;
  }

  /** The first position from `at` on that is not a decimal digit. */
  skipDigits(at: number, limit = this.length): number {
    let end = at;
    while (end < limit && isDigitUnit(this.chars.charCodeAt(end))) end += 1;
    return end;
  }
}

/** For each position, and the end, the first one from there on that is not whitespace: where `\s*` ends. */
export function spaceEnds(text: string): Int32Array {
  const ends = new Int32Array(text.length + 1);
  ends[text.length] = text.length;
  for (let i = text.length - 1; i >= 0; i -= 1) ends[i] = isPythonSpace(text.charCodeAt(i)) ? ends[i + 1]! : i;
  return ends;
}

const digit = /^\p{Nd}$/u;
const digitStandIn = '\u0660';
const otherStandIn = '\ue000';

function standIn(point: string): string {
  return digit.test(point) ? digitStandIn : otherStandIn;
}

/** Python's `\d`: the decimal digits of every script. */
function isDigitUnit(unit: number): boolean {
  return unit < 0x80 ? unit >= 0x30 && unit <= 0x39 : unit >= 0x660 && digit.test(String.fromCharCode(unit));
}
