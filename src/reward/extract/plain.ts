import type { ExpressionCandidate, NumberCandidate } from './candidate.js';
import { anything, type Follows } from './follows.js';
import { lowerBound } from './positions.js';
import { type SourceText, spaceClass } from './source-text.js';

/**
 * Numbers and arithmetic in prose. Both stand at the text's begin or after whitespace or `=`, perhaps behind `**`:
 *
 *   number      [currency] (1,234[.5] | 12.5 | 12,5 | .5 | 12) [percent]       thousands are set apart by `,` or a space
 *   expression  -(-d R op R) suffix    R of digits . whitespace + - * × / ^ ( ) ÷ ;  the suffix is ** . , : whitespace ) $
 *
 * An expression has an operator after its first digit and reaches as far as a suffix can follow. What `follows` asks
 * for must come next: until it does, shorter matches are tried in the order of a backtracking matcher, so `12 =` yields 1
 * where no `=` may follow.
 */
export interface PlainMatch {
  readonly kind: 'expression' | 'number';
  /** The expression as it stands, or the number without separators and leading zeros. */
  readonly text: string;
  readonly percent: boolean;
  /** Of the prefix. */
  readonly start: number;
  readonly end: number;
}

const currencies = '$€£¥₹₽₪₩₫฿₡₢₣₤₥₦₧₨₭₮₯₰₱₲₳₴₵₶₷₸₺₻₼₾₿';
const spotPattern = new RegExp(`(?:^|[${spaceClass}=])(?:\\*\\*)?(?=[-(.\\p{Nd}${currencies}])`, 'gu');

export class PlainFinder {
  /** Where a prefix stands with something behind it that a number or expression can begin with, and where that is. */
  private readonly prefixes: number[] = [];
  private readonly begins: number[] = [];
  private readonly runs: ExpressionRuns;
  /** For each condition and spot: the match, null if there is none, undefined if nobody asked. */
  private readonly known = new Map<Follows, (PlainMatch | null | undefined)[]>();

  constructor(private readonly text: SourceText) {
    this.runs = new ExpressionRuns(text);
    for (const { 0: prefix, index } of text.chars.matchAll(spotPattern)) {
      this.prefixes.push(index);
      this.begins.push(index + prefix.length);
    }
  }

  /** The first position from `from` on at which a match is possible, or Infinity. */
  next(from: number): number {
    return this.prefixes[lowerBound(this.prefixes, from)] ?? Number.POSITIVE_INFINITY;
  }

  /** A match whose prefix stands at `at`; an expression is preferred. Answers are kept. */
  match(at: number, follows: Follows): PlainMatch | undefined {
    const spot = this.spotAt(at);
    if (spot < 0) return undefined;
    let known = this.known.get(follows);
    if (!known) {
      known = [];
      this.known.set(follows, known);
    }
    known[spot] ??= this.expressionAt(spot, follows) ?? this.numberAt(spot, follows) ?? null;
    return known[spot] ?? undefined;
  }

  /** Expressions, or numbers, left to right, none inside another. */
  all(kind: PlainMatch['kind']): PlainMatch[] {
    const matches: PlainMatch[] = [];
    let from = 0;
    for (const spot of this.prefixes.keys()) {
      if (this.prefixes[spot]! < from) continue;
      const match = kind === 'number' ? this.numberAt(spot, anything) : this.expressionAt(spot, anything);
      if (!match) continue;
      matches.push(match);
      from = match.end;
    }
    return matches;
  }

  private spotAt(prefix: number): number {
    const spot = lowerBound(this.prefixes, prefix);
    return this.prefixes[spot] === prefix ? spot : -1;
  }

  private expressionAt(spot: number, follows: Follows): PlainMatch | undefined {
    const { text } = this;
    const begin = this.begins[spot]!;
    let at = begin;
    if (text.chars[at] === '-') at += 1;
    if (text.chars[at] === '(') at += 1;
    if (text.chars[at] === '-') at += 1;
    const found = text.isDigit(at) ? this.runs.longest(at + 1, follows) : undefined;
    if (!found) return undefined;
    const start = this.prefixes[spot]!;
    return { kind: 'expression', text: text.slice(begin, found.expression), percent: false, start, end: found.end };
  }

  private numberAt(spot: number, follows: Follows): PlainMatch | undefined {
    const { text } = this;
    const prefixEnd = this.begins[spot]!;
    const begin = currencies.includes(text.chars[prefixEnd]!) ? prefixEnd + 1 : prefixEnd;
    const sign = text.chars[begin] === '-' ? begin + 1 : begin;
    const integer = text.skipDigits(sign);
    const made = (integerEnd: number, end: number): PlainMatch | undefined => {
      const percentEnd = this.percentEnd(end, follows);
      const last = percentEnd < 0 ? follows(end) : percentEnd;
      if (last < 0) return undefined;
      const number = numberText(text.slice(begin, integerEnd), text.slice(integerEnd, end));
      return { kind: 'number', text: number, percent: percentEnd >= 0, start: this.prefixes[spot]!, end: last };
    };
    if (integer > sign) {
      for (const end of this.thousandsEnds(sign, integer)) {
        if (text.chars[end] === '.') {
          for (let d = text.skipDigits(end + 1); d > end + 1; d -= 1) {
            const found = made(end, d);
            if (found) return found;
          }
        }
        const found = made(end, end);
        if (found) return found;
      }
      if (text.chars[integer] === '.' || text.chars[integer] === ',') {
        for (let d = text.skipDigits(integer + 1); d > integer + 1; d -= 1) {
          const found = made(integer, d);
          if (found) return found;
        }
      }
    } else if (text.chars[begin] === '.') {
      for (let d = text.skipDigits(begin + 1); d > begin + 1; d -= 1) {
        const found = made(begin, d);
        if (found) return found;
      }
    }
    for (let end = integer; end > sign; end -= 1) {
      const found = made(end, end);
      if (found) return found;
    }
    return undefined;
  }

  /** Ends of `1,234,567` and of what remains without the last groups; none if there are no groups. */
  private thousandsEnds(sign: number, integer: number): number[] {
    const { text } = this;
    const first = text.chars[sign]!;
    if (integer - sign > 3 || first < '1' || first > '9') return [];
    const ends: number[] = [];
    for (let at = integer; text.chars[at] === ',' || text.chars[at] === ' '; at = ends[0]!) {
      if (text.skipDigits(at + 1, at + 4) < at + 4) break;
      ends.unshift(at + 4);
    }
    return ends;
  }

  /** Where a number with a word or sign for percent ends, with what must follow; -1 if none stands there. */
  private percentEnd(end: number, follows: Follows): number {
    const { text } = this;
    const at = text.skipSpace(end);
    if (!'%Pp'.includes(text.chars[at] ?? ' ')) return -1;
    for (const word of ['%', 'percent', 'Percent', 'percentage', 'Percentage', 'pct', 'Pct']) {
      const last = text.startsWith(word, at) ? follows(at + word.length) : -1;
      if (last >= 0) return last;
    }
    return -1;
  }
}

export function candidateOfPlain(match: PlainMatch, start = match.start): ExpressionCandidate | NumberCandidate {
  const { kind, text, percent, end } = match;
  return kind === 'number' ? { kind, text, percent, start, end } : { kind, text, start, end };
}

/** The number as written, cleaned. Only an unsigned integer part loses its zeros; none at all is 0. */
function numberText(integer: string, decimal: string): string {
  if (decimal === '' && /^[1-9][0-9]*$/.test(integer)) return integer;
  const bare = integer.replace(/[, ]/g, '').replace(/^0+/, '');
  return (bare === '' ? '0' : bare) + decimal.replace(',', '.');
}

/**
 * Where expressions end. All that begin in one run of expression characters end at the same place, the last one that a
 * suffix can follow, if it lies far enough behind their first operator; so each run is searched once.
 */
class ExpressionRuns {
  /** Runs that hold a digit and an operator, ascending. */
  private runs: Run[] | undefined;

  constructor(private readonly text: SourceText) {}

  /** The longest expression whose characters after its first digit begin at `from`. */
  longest(from: number, follows: Follows): ExpressionEnd | undefined {
    this.runs ??= findRuns(this.text.chars);
    const run = this.runs[lowerBound(this.runs, from + 1, (each) => each.end)];
    if (!run || run.begin > from) return undefined;
    const operator = run.operators[lowerBound(run.operators, from)];
    if (operator === undefined) return undefined;
    const least = operator + 2;
    let last = run.lasts.get(follows);
    if (!last) {
      last = { at: run.end + 1, found: undefined };
      run.lasts.set(follows, last);
    }
    while (!last.found && last.at > least) {
      last.at -= 1;
      last.found = this.endingAt(last.at, follows);
    }
    return last.at >= least ? last.found : undefined;
  }

  /** The expression that ends at `at`, or at a closing parenthesis there, with its suffix. */
  private endingAt(at: number, follows: Follows): ExpressionEnd | undefined {
    for (const expression of this.text.chars[at] === ')' ? [at + 1, at] : [at]) {
      for (const suffixEnd of this.suffixEnds(expression)) {
        const end = follows(suffixEnd);
        if (end >= 0) return { expression, end };
      }
    }
    return undefined;
  }

  private suffixEnds(at: number): number[] {
    const bare = this.suffixCharEnds(at);
    return this.text.startsWith('**', at) ? [...this.suffixCharEnds(at + 2), ...bare] : bare;
  }

  private suffixCharEnds(at: number): number[] {
    const { text } = this;
    const char = text.chars[at];
    if (char === undefined) return [at];
    if (char === '\n' && at === text.length - 1) return [at + 1, at];
    return '.,:)$'.includes(char) || text.isSpace(at) ? [at + 1] : [];
  }
}

interface ExpressionEnd {
  readonly expression: number;
  /** Behind the suffix and what must follow. */
  readonly end: number;
}

interface Run {
  readonly begin: number;
  readonly end: number;
  readonly operators: readonly number[];
  /** For each condition: the last end found, or undefined if there is none down to `at`. */
  readonly lasts: Map<Follows, { at: number; found: ExpressionEnd | undefined }>;
}

const runPattern = new RegExp(`[\\p{Nd}.${spaceClass}+\\-*×/^()÷]{3,}`, 'gu');
const operatorPattern = /[+\-*×/^()÷]/g;

function findRuns(chars: string): Run[] {
  const runs: Run[] = [];
  for (const { 0: run, index: begin } of chars.matchAll(runPattern)) {
    if (!/\p{Nd}/u.test(run)) continue;
    const operators = Array.from(run.matchAll(operatorPattern), (match) => begin + match.index);
    if (operators.length > 0) runs.push({ begin, end: begin + run.length, operators, lasts: new Map() });
  }
  return runs;
}
