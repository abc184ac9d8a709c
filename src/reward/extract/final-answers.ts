import type { Candidate } from './candidate.js';
import { mathVerifyCandidates } from './math-verify.js';

/**
 * What a response may mean as its final answer, most likely first, as `standard` looks for it:
 *
 *   1. boxes that are closed, the last first; boxes that stand together are one list
 *   2. a box that the end of the text cuts off
 *   3. what follows the last "answer is", "answer:" and the like: mathematics, bold text, or the line
 *   4. delimited mathematics and plain numbers, the last first (mathVerifyCandidates)
 *
 * Empty answers are left out. Linear in the text's length for 1 to 3.
 */
export function* finalAnswers(text: string): Generator<FinalAnswer, void, undefined> {
  const { closed, open } = boxes(text);
  for (let last = closed.length - 1; last >= 0; ) {
    let first = last;
    while (first > 0 && standTogether(text, closed[first - 1]!, closed[first]!)) first -= 1;
    yield* nonEmpty(distinct(closed.slice(first, last + 1).map(({ content }) => content)).join(', '), true);
    last = first - 1;
  }
  if (open !== null) yield* nonEmpty(open);
  yield* announced(text);
  for (const candidate of mathVerifyCandidates(text)) yield* nonEmpty(candidateText(candidate));
}

export interface FinalAnswer {
  readonly text: string;
  /** It was boxed, so it is the answer whether or not it can be read. */
  readonly certain: boolean;
}

interface Box {
  readonly start: number;
  readonly end: number;
  readonly content: string;
}

const boxCommand = /\\(?:boxed|fbox)(?![a-zA-Z])\s*(?:(\{)|(\\?[^\s\\{}$]))/g;

/** Complete boxes in order, outer ones only, and what stands in a last one that is not closed. `\boxed 5` is a box too. */
function boxes(text: string): { closed: Box[]; open: string | null } {
  const closed: Box[] = [];
  const command = new RegExp(boxCommand);
  let open: string | null = null;
  for (let match = command.exec(text); match !== null; match = command.exec(text)) {
    const start = match.index;
    if (match[1] === undefined) {
      closed.push({ start, end: command.lastIndex, content: match[2]! });
      continue;
    }
    const begin = command.lastIndex;
    const end = closingBrace(text, begin);
    if (end < 0) {
      open = /^[^$\n]*/.exec(text.slice(begin))![0];
      break; // nothing behind it closes it either
    }
    closed.push({ start, end: end + 1, content: text.slice(begin, end).trim() });
    command.lastIndex = end + 1;
  }
  return { closed, open };
}

function closingBrace(text: string, begin: number): number {
  let level = 1;
  for (let at = begin; at < text.length; at += 1) {
    const c = text[at];
    if (c === '\\') at += 1;
    else if (c === '{') level += 1;
    else if (c === '}') level -= 1;
    if (level === 0) return at;
  }
  return -1;
}

/** What may stand between two boxes of one answer: delimiters, punctuation, "and", "or", the name of the next value. */
const connective = /^(?:[\s$.,;]|\\[()[\],;:! ]|\\q?quad\b|\\text\s*\{\s*(?:and|or)\s*\}|\b(?:and|or)\b|[a-z]\s*=)*$/i;

function standTogether(text: string, left: Box, right: Box): boolean {
  const between = text.slice(left.end, right.start);
  return between.length < 70 && connective.test(between) && !/\n\s*\n/.test(between);
}

function distinct(contents: readonly string[]): readonly string[] {
  return [...new Set(contents.filter((content) => content !== ''))];
}

function* nonEmpty(answer: string, certain = false): Generator<FinalAnswer, void, undefined> {
  const text = answer.trim();
  if (text !== '') yield { text, certain };
}

const announcement =
  /\banswer\b\s*(?:\*\*)?\s*(?:(?:to [^.\n:]{0,80}|of [^.\n:]{0,80})?\b(?:is|are|=)\b\s*(?:\*\*)?\s*:?|[:：=]|\n)\s*(?:\*\*)?/gi;
const delimited =
  /^[\s*:]*(?:\$\$([^$]+)\$\$|\$((?:\\\$|[^$\n])+)\$|\\\(((?:(?!\\\))[\s\S])+)\\\)|\\\[((?:(?!\\\])[\s\S])+)\\\])/;
const joined = /^\s*(?:,?\s*(?:and|or)\b|,)\s*(?=\$|\\\(|\\\[)/;

/** What the last announcement announces. */
function* announced(text: string): Generator<FinalAnswer, void, undefined> {
  const matches = [...text.matchAll(announcement)];
  for (const match of matches.reverse().slice(0, 3)) {
    let rest = text.slice(match.index + match[0].length);
    const parts: string[] = [];
    for (let found = delimited.exec(rest); found !== null; found = delimited.exec(rest)) {
      parts.push((found[1] ?? found[2] ?? found[3] ?? found[4] ?? '').trim());
      rest = rest.slice(found[0].length);
      const next = joined.exec(rest);
      if (next === null) break;
      rest = rest.slice(next[0].length);
    }
    if (parts.length > 0) yield* nonEmpty(parts.join(', '));
    else yield* nonEmpty(plainLine(rest));
  }
}

/** The first line, without emphasis, up to a full stop that is no decimal point and without a closing remark. */
function plainLine(rest: string): string {
  const line = /^\s*([^\n]*)/.exec(rest)![1]!;
  return line
    .replace(/\*\*|__|`/g, '')
    .replace(/\.(?!\d).*$/, '')
    .replace(/,?\s*(?:because|since|as|which|so|where)\b.*$/i, '')
    .trim();
}

function candidateText(candidate: Candidate): string {
  switch (candidate.kind) {
    case 'latex':
      return candidate.parts.map(({ text, percent }) => (percent ? `${text}\\%` : text)).join(', ');
    case 'expression':
      return candidate.text;
    case 'number':
      return candidate.percent ? `${candidate.text}\\%` : candidate.text;
  }
}
