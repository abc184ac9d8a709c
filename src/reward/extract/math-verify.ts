import type { Candidate } from './candidate.js';
import { candidateOfEnvironments, EnvironmentFinder } from './environments.js';
import { anything, type Follows } from './follows.js';
import { candidateOfPlain, PlainFinder } from './plain.js';
import { lowerBound, positions } from './positions.js';
import { SourceText } from './source-text.js';

/**
 * Candidates in the order of Math-Verify 0.8.0's `parse` with its default configurations
 * (https://github.com/huggingface/Math-Verify, parser.py). Groups in this order; within a group the match that ends last
 * comes first, of those the one that starts first, of those the pattern listed first:
 *
 *   1. "final answer is" X "I hope"                                 X: environments, an expression or a number
 *   2. "final answer" ..100 " is" X; environments that hold a box; the text from its first `\boxed{` to its last brace
 *   3. "answer:" ..50 X; for expressions and numbers also "answer:" ..100 "=" X
 *   4. "answer" the same way
 *   5. X anywhere
 *
 * Matches of one pattern do not overlap; the leftmost is found first. Time is linear in the text. One difference is known: what
 * is a decimal digit outside of ASCII is the JavaScript engine's Unicode version's to say, not Python's.
 */
export function* mathVerifyCandidates(text: string): Generator<Candidate, void, undefined> {
  const source = new SourceText(text);
  const patterns = new Patterns(source);
  for (const group of [
    () => patterns.hoped(),
    () => patterns.final(),
    () => patterns.answer(':'),
    () => patterns.answer(''),
    () => patterns.anywhere(),
  ]) {
    for (const candidate of group().sort((a, b) => b.end - a.end || a.start - b.start)) {
      yield source.isBmp
        ? candidate
        : { ...candidate, start: source.offset(candidate.start), end: source.offset(candidate.end) };
    }
  }
}

/** What Python's regular expressions take for an i and an s when they disregard case. */
const i = '[iI\u0130\u0131]';
const s = '[sS\u017f]';
const answerWord = `[aA][nN]${s}[wW][eE][rR]`;
const answerPattern = new RegExp(answerWord, 'g');
const finalAnswer = new RegExp(`[fF]${i}[nN][aA][lL] ${answerWord}`, 'g');
const finalAnswerIs = new RegExp(`[fF]${i}[nN][aA][lL] ${answerWord} ${i}${s}`, 'g');

const maxBeforeIs = 100;
const maxBeforeEquals = 100;
const maxBefore = 50;

/** Tries a pattern at an anchor that begins at `start` and ends at `after`. Positions are code points in this class. */
type Attempt = (start: number, after: number) => Candidate | undefined;

class Patterns {
  private readonly chars: string;
  private found: { environments?: EnvironmentFinder; plain?: PlainFinder; equals?: number[]; newlines?: number[] } = {};

  constructor(private readonly text: SourceText) {
    this.chars = text.chars;
  }

  // Most texts are settled by their boxes, so that what serves later patterns only is made when it is needed.
  private get environments(): EnvironmentFinder {
    this.found.environments ??= new EnvironmentFinder(this.text);
    return this.found.environments;
  }

  private get plain(): PlainFinder {
    this.found.plain ??= new PlainFinder(this.text);
    return this.found.plain;
  }

  private get equals(): readonly number[] {
    this.found.equals ??= positions(this.chars, '=');
    return this.found.equals;
  }

  private get newlines(): readonly number[] {
    this.found.newlines ??= positions(this.chars, '\n');
    return this.found.newlines;
  }

  hoped(): Candidate[] {
    return [
      ...this.anchored(finalAnswerIs, (start, after) =>
        this.chain(start, this.environments.afterSpace(this.skipColon(after)), this.hopeFollows),
      ),
      ...this.anchored(finalAnswerIs, (start, after) =>
        this.plainAfterSpace(start, this.skipColon(after), this.hopeFollows),
      ),
    ];
  }

  final(): Candidate[] {
    return [
      ...this.anchored(finalAnswer, (start, after) =>
        this.atFirstIs(after, true, (at) => this.chain(start, this.environments.afterSpace(at))),
      ),
      ...this.boxedEnvironments(),
      ...this.boxedText(),
      ...this.anchored(finalAnswer, (start, after) =>
        this.atFirstIs(after, false, (at) => this.plainFrom(start, at, anything)),
      ),
    ];
  }

  /** @param colon what must follow the word */
  answer(colon: ':' | ''): Candidate[] {
    return [
      ...this.anchored(answerPattern, (start, after) => {
        if (!this.text.startsWith(colon, after)) return undefined;
        const begin = after + colon.length;
        const first = this.environments.next(begin);
        return first >= 0 && this.environments.startOf(first) <= begin + maxBefore
          ? this.chain(start, first)
          : undefined;
      }),
      ...this.anchored(answerPattern, (start, after) => {
        if (!this.text.startsWith(colon, after)) return undefined;
        const begin = after + colon.length;
        return this.plainAfterEquals(start, begin) ?? this.plainSoon(start, begin);
      }),
    ];
  }

  anywhere(): Candidate[] {
    return [
      ...this.environments.all().map((match) => candidateOfEnvironments(match)),
      ...this.plain.all('expression').map((match) => candidateOfPlain(match)),
      ...this.plain.all('number').map((match) => candidateOfPlain(match)),
    ];
  }

  private boxedEnvironments(): Candidate[] {
    return this.chars.includes('\\boxed{')
      ? this.environments.all(true).map((match) => candidateOfEnvironments(match))
      : [];
  }

  private boxedText(): Candidate[] {
    const open = this.chars.indexOf('\\boxed{');
    const close = this.chars.lastIndexOf('}');
    if (open < 0 || close < open + '\\boxed{'.length + 1) return [];
    const text = this.text.slice(open, close + 1);
    return [{ kind: 'latex', parts: [{ text, percent: false, boxed: 'last' }], start: open, end: close + 1 }];
  }

  /** "=" and then X, the last one within reach that works. */
  private plainAfterEquals(start: number, begin: number): Candidate | undefined {
    const { equals } = this;
    const reach = Math.min(begin + maxBeforeEquals, this.lineEnd(begin));
    for (let k = lowerBound(equals, reach + 1) - 1; k >= 0 && equals[k]! >= begin; k -= 1) {
      const candidate = this.plainAfterSpace(start, equals[k]! + 1, this.noEqualsFollows);
      if (candidate) return candidate;
    }
    return undefined;
  }

  /** The first X that begins within reach, in the same line or with its end. */
  private plainSoon(start: number, begin: number): Candidate | undefined {
    const reach = Math.min(begin + maxBefore, this.lineEnd(begin));
    for (let at = this.plain.next(begin); at <= reach; at = this.plain.next(at + 1)) {
      const candidate = this.plainFrom(start, at, this.noEqualsFollows);
      if (candidate) return candidate;
    }
    return undefined;
  }

  /** X after optional whitespace, whose last character may be X's own prefix. */
  private plainAfterSpace(start: number, from: number, follows: Follows): Candidate | undefined {
    const at = this.text.skipSpace(from);
    return this.plainFrom(start, at, follows) ?? (at > from ? this.plainFrom(start, at - 1, follows) : undefined);
  }

  private plainFrom(start: number, at: number, follows: Follows): Candidate | undefined {
    const match = this.plain.match(at, follows);
    return match && candidateOfPlain(match, start);
  }

  /** Calls `attempt` behind each " is" or " is:" within reach of `after` until it finds something. */
  private atFirstIs(
    after: number,
    acrossLines: boolean,
    attempt: (at: number) => Candidate | undefined,
  ): Candidate | undefined {
    const { text } = this;
    for (let at = after; at <= after + maxBeforeIs && at < text.length; at += 1) {
      if (!text.isSpace(at)) continue;
      const word = text.skipSpace(at);
      const found = text.startsWith('is', word) ? attempt(this.skipColon(word + 2)) : undefined;
      if (found) return found;
      if (!acrossLines && this.chars.slice(at, word).includes('\n')) break;
      at = word - 1;
    }
    return undefined;
  }

  private chain(start: number, first: number, follows?: Follows): Candidate | undefined {
    const match = first < 0 ? undefined : this.environments.chain(first, false, follows);
    return match && candidateOfEnvironments(match, start);
  }

  /** Non-overlapping matches at the anchors of a pattern. */
  private anchored(pattern: RegExp, attempt: Attempt): Candidate[] {
    const found: Candidate[] = [];
    pattern.lastIndex = 0;
    for (let hit = pattern.exec(this.chars); hit; hit = pattern.exec(this.chars)) {
      const candidate = attempt(hit.index, pattern.lastIndex);
      if (candidate) found.push(candidate);
      pattern.lastIndex = candidate ? candidate.end : hit.index + 1;
    }
    return found;
  }

  private lineEnd(at: number): number {
    const { newlines } = this;
    return newlines[lowerBound(newlines, at)] ?? this.text.length;
  }

  private skipColon(at: number): number {
    return this.chars[at] === ':' ? at + 1 : at;
  }

  private readonly noEqualsFollows: Follows = (end) => (this.chars[this.text.skipSpace(end)] === '=' ? -1 : end);

  private readonly hopeFollows: Follows = (end) => {
    let at = this.chars[end] === '.' ? end + 1 : end;
    if (this.text.isSpace(at)) at += 1;
    return this.text.startsWith('I hope', at) ? at + 'I hope'.length : -1;
  };
}
