import type { LatexCandidate, LatexPart } from './candidate.js';
import { anything, type Follows } from './follows.js';
import { lowerBound, positions } from './positions.js';
import type { SourceText } from './source-text.js';

/**
 * Delimited mathematics, each with at least one character inside:
 *
 *   $$ .. $$   \[ .. \]   may span lines           $ .. $   \( .. \)   in one line         ' [ .. ] '   between whitespace
 *   \frac{n}{m} of plain numbers, bare
 *
 * Each kind ends at its first closing delimiter, so an environment is fixed by where it starts. An opening `$` follows
 * neither a backslash nor a digit; inside `$ .. $`, `\$` is a character.
 */
interface Environments {
  /** Ascending; several may share an end: every opening delimiter counts, not only the outermost. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly contentStarts: readonly number[];
  readonly contentEnds: readonly number[];
}

export interface EnvironmentMatch {
  readonly start: number;
  readonly end: number;
  readonly parts: readonly LatexPart[];
}

const maxParts = 6;

export class EnvironmentFinder {
  private readonly found: Environments;
  private boxes: { readonly opens: readonly number[]; readonly closes: readonly number[] } | undefined;

  constructor(private readonly text: SourceText) {
    this.found = findEnvironments(text);
  }

  /** The first environment that starts at `from` or later (and holds a box, if `boxed`): its index, or -1. */
  next(from: number, boxed = false): number {
    const { starts } = this.found;
    for (let i = lowerBound(starts, from); i < starts.length; i += 1) if (!boxed || this.isBoxed(i)) return i;
    return -1;
  }

  /** Chains of environments, left to right, none inside another. */
  all(boxed = false): EnvironmentMatch[] {
    const matches: EnvironmentMatch[] = [];
    for (let first = this.next(0, boxed); first >= 0; ) {
      const match = this.chain(first, boxed)!;
      matches.push(match);
      first = this.next(match.end, boxed);
    }
    return matches;
  }

  startOf(index: number): number {
    return this.found.starts[index]!;
  }

  /** The environment after optional whitespace, whose last character may be part of ` [..] `. Index or -1. */
  afterSpace(from: number): number {
    const at = this.text.skipSpace(from);
    const index = this.at(at);
    return index < 0 && at > from ? this.at(at - 1) : index;
  }

  /**
   * The environment `first` with a percent sign or word and with up to five more, joined by `,`, `and` or `or`.
   * @param boxed only environments that hold a box join
   * @param follows where the match ends if all must end at a position, -1 if it cannot; then a longer word for percent is tried
   */
  chain(first: number, boxed = false, follows: Follows = anything): EnvironmentMatch | undefined {
    const link = this.link(first, 1, boxed, follows);
    return link && { start: this.startOf(first), ...link };
  }

  private link(
    index: number,
    count: number,
    boxed: boolean,
    follows: Follows,
  ): { end: number; parts: LatexPart[] } | undefined {
    const { text, found } = this;
    const space = text.skipSpace(found.ends[index]!);
    const part = (percent: boolean): LatexPart => ({
      text: text.slice(found.contentStarts[index]!, found.contentEnds[index]!),
      percent,
      boxed: 'all',
    });
    for (const end of [...percentEnds(text, space), space]) {
      const percent = end > space;
      const next = count < maxParts ? this.joined(end, boxed) : -1;
      if (next >= 0) {
        const rest = this.link(next, count + 1, boxed, follows);
        if (rest) return { end: rest.end, parts: [part(percent), ...rest.parts] };
      }
      const last = boxed && count < maxParts ? text.skipSpace(end) : end;
      const followed = follows(last);
      if (followed >= 0) return { end: followed, parts: [part(percent)] };
    }
    return undefined;
  }

  /** The environment that a separator at `from` joins, or -1. */
  private joined(from: number, boxed: boolean): number {
    const { text } = this;
    let at = text.skipSpace(from);
    const comma = text.startsWith(',', at);
    if (comma) at += 1;
    if (text.startsWith('and', at)) at += 3;
    else if (text.startsWith('or', at)) at += 2;
    else if (!comma) return -1;
    const index = this.afterSpace(at);
    return index >= 0 && boxed && !this.isBoxed(index) ? -1 : index;
  }

  private at(start: number): number {
    const index = lowerBound(this.found.starts, start);
    return this.found.starts[index] === start ? index : -1;
  }

  /** Whether the content holds `\boxed{`, something, and a brace that closes. */
  private isBoxed(index: number): boolean {
    const begin = this.found.contentStarts[index]!;
    const end = this.found.contentEnds[index]!;
    this.boxes ??= { opens: positions(this.text.chars, '\\boxed{'), closes: positions(this.text.chars, '}') };
    const { opens, closes } = this.boxes;
    const open = opens[lowerBound(opens, begin)];
    const close = closes[lowerBound(closes, end) - 1];
    return open !== undefined && close !== undefined && close >= open + '\\boxed{'.length + 1;
  }
}

export function candidateOfEnvironments(match: EnvironmentMatch, start = match.start): LatexCandidate {
  return { kind: 'latex', parts: match.parts, start, end: match.end };
}

/** Ends of the words and signs for percent that may stand at `at`, in the order of preference. */
function percentEnds(text: SourceText, at: number): number[] {
  if (text.startsWith('%', at)) return [at + 1];
  if (text.startsWith('\\%', at)) return [at + 2];
  if (!text.startsWith('P', at) && !text.startsWith('p', at)) return [];
  if (text.startsWith('ercent', at + 1)) {
    return text.startsWith('age', at + 7) ? [at + 7, at + 10] : [at + 7];
  }
  return text.startsWith('ct', at + 1) ? [at + 3] : [];
}

/** All environments of a text. Linear: the closing delimiters are looked up by cursors that only move right. */
function findEnvironments(text: SourceText): Environments {
  const { chars } = text;
  const starts: number[] = [];
  const ends: number[] = [];
  const contentStarts: number[] = [];
  const contentEnds: number[] = [];
  const add = (start: number, open: number, close: number, end: number) => {
    starts.push(start);
    contentStarts.push(open);
    contentEnds.push(close);
    ends.push(end);
  };
  const doubleDollar = cursor(chars, (from) => chars.indexOf('$$', from));
  const dollar = cursor(chars, (from) => indexOfUnescaped(chars, '$', from));
  const squareClose = cursor(chars, (from) => chars.indexOf('\\]', from));
  const roundClose = cursor(chars, (from) => chars.indexOf('\\)', from));
  const newline = cursor(chars, (from) => chars.indexOf('\n', from));
  const bracket = cursor(chars, (from) => indexOfAny(chars, '[]\n', from));
  const escaped = (at: number) => at > 0 && chars[at - 1] === '\\';

  const opener = /[$[\\(-]/g;
  for (let hit = opener.exec(chars); hit; hit = opener.exec(chars)) {
    const i = hit.index;
    switch (chars[i]) {
      case '$': {
        if (escaped(i)) break;
        if (chars[i + 1] === '$') {
          const close = doubleDollar(i + 2);
          if (close > i + 2 && close < chars.length && !escaped(close)) add(i, i + 2, close, close + 2);
        } else if (i === 0 || !text.isDigit(i - 1)) {
          const close = dollar(i + 1);
          if (close > i + 1 && close < newline(i + 1)) add(i, i + 1, close, close + 1);
        }
        break;
      }
      case '[': {
        if (!(i > 0 && text.isSpace(i - 1))) break;
        const close = bracket(i + 1);
        if (close > i + 1 && chars[close] === ']' && text.isSpace(close + 1)) add(i - 1, i + 1, close, close + 2);
        break;
      }
      case '\\': {
        const next = chars[i + 1];
        if (next === '[' && !escaped(i)) {
          const close = squareClose(i + 2);
          if (close > i + 2 && close < chars.length && !escaped(close)) add(i, i + 2, close, close + 2);
        } else if (next === '(' && !escaped(i)) {
          const close = roundClose(i + 2);
          if (close > i + 2 && close < newline(i + 2) && !escaped(close)) add(i, i + 2, close, close + 2);
        } else if (next === 'f') {
          const end = fractionEnd(text, i);
          if (end > 0) add(i, i, end, end);
        }
        break;
      }
      case '-': {
        const end = chars[i + 1] === '\\' ? fractionEnd(text, i + 1) : -1;
        if (end > 0) add(i, i, end, end);
        break;
      }
    }
  }
  return { starts, ends, contentStarts, contentEnds };
}

/** Where `\frac{n}{m}` at `at` ends, n and m integers or decimals; -1 if it is not one. */
function fractionEnd(text: SourceText, at: number): number {
  if (!text.startsWith('\\frac{', at)) return -1;
  const numerator = simpleNumberEnd(text, at + '\\frac{'.length);
  if (numerator < 0 || !text.startsWith('}{', numerator)) return -1;
  const denominator = simpleNumberEnd(text, numerator + 2);
  return denominator >= 0 && text.startsWith('}', denominator) ? denominator + 1 : -1;
}

function simpleNumberEnd(text: SourceText, at: number): number {
  const begin = text.startsWith('-', at) ? at + 1 : at;
  const integer = text.skipDigits(begin);
  if (integer === begin) return -1;
  if (!text.startsWith('.', integer) && !text.startsWith(',', integer)) return integer;
  const decimal = text.skipDigits(integer + 1);
  return decimal > integer + 1 ? decimal : -1;
}

/** `find` for arguments that grow: the last result is reused while it lies ahead. Not found is the text's length. */
function cursor(chars: string, find: (from: number) => number): (from: number) => number {
  let result = -1;
  return (from) => {
    if (result < from) {
      const found = find(from);
      result = found < 0 ? chars.length : found;
    }
    return result;
  };
}

function indexOfUnescaped(chars: string, char: string, from: number): number {
  let at = chars.indexOf(char, from);
  while (at > 0 && chars[at - 1] === '\\') at = chars.indexOf(char, at + 1);
  return at;
}

function indexOfAny(chars: string, set: string, from: number): number {
  for (let at = from; at < chars.length; at += 1) if (set.includes(chars[at]!)) return at;
  return -1;
}
