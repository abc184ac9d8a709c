import { announcedAnswers, chosenOption } from './announced.js';
import { type Box, findBoxes } from './boxes.js';
import type { Candidate } from './candidate.js';
import { mathVerifyCandidates } from './math-verify.js';

export interface FinalAnswer {
  readonly text: string;
  /** It was boxed, so it is the answer whether or not it can be read. */
  readonly certain: boolean;
}

/**
 * What a response may mean as its final answer, most likely first, as `standard` looks for it:
 *
 *   1. boxes that are closed, the last first; boxes that stand together are one list
 *   2. a box that nothing closes, unless the text ends in it: then there is no other answer
 *   3. what the response announces: announcedAnswers
 *   4. the letter of an option that it calls correct
 *   5. delimited mathematics and plain numbers, the last first (mathVerifyCandidates), but no number that is part of a
 *      formula or heads an item of a list
 *
 * Empty answers are left out; after an empty box, 5 is no answer either. What stands behind `</think>` comes first. Linear in the text's length.
 */
export function* finalAnswers(text: string): Generator<FinalAnswer, void, undefined> {
  const thought = text.lastIndexOf(endOfThought);
  if (thought >= 0) yield* answersIn(text.slice(thought + endOfThought.length));
  yield* answersIn(text);
}

const endOfThought = '</think>';

function* answersIn(text: string): Generator<FinalAnswer, void, undefined> {
  const { closed, open, cut } = findBoxes(text);
  for (let last = closed.length - 1; last >= 0; ) {
    let first = last;
    while (first > 0 && standTogether(text, closed[first - 1]!, closed[first]!)) first -= 1;
    yield* nonEmpty(distinct(closed.slice(first, last + 1).map((box) => withPercent(text, box))).join(', '), true);
    last = first - 1;
  }
  if (cut) return; // the answer was about to be written
  if (open !== null) yield* nonEmpty(open);
  for (const answer of announcedAnswers(text)) yield* nonEmpty(answer);
  const option = chosenOption(text);
  if (option !== null) yield { text: option, certain: false };
  if (closed.length > 0) return;
  const plain = text.replace(currency, '  ');
  for (const candidate of mathVerifyCandidates(plain)) {
    if (candidate.kind !== 'number' || standsAlone(plain, candidate)) yield* nonEmpty(candidateText(candidate));
  }
}

/** What may stand between two boxes of one answer: delimiters, punctuation, "and", "or", the name of the next value. */
const connective = /^(?:[\s$.,;]|\\[()[\],;:! ]|\\q?quad\b|\\text\s*\{\s*(?:and|or)\s*\}|\b(?:and|or)\b|[a-z]\s*=)*$/i;
const maxBetween = 70;

function standTogether(text: string, left: Box, right: Box): boolean {
  if (right.start - left.end >= maxBetween) return false;
  const between = text.slice(left.end, right.start);
  return connective.test(between) && !/\n\s*\n/.test(between);
}

const percentBehind = /^\s*(?:\$\$?|\\\)|\\\])?\s*(?:\\?%|percent\b)/;

/** The content of a box, with the percent sign that stands behind the box. */
function withPercent(text: string, { content, end }: Box): string {
  return /\d\}?$/.test(content) && percentBehind.test(text.slice(end, end + 20)) ? `${content}\\%` : content;
}

function distinct(contents: readonly string[]): readonly string[] {
  return [...new Set(contents.filter((content) => content !== ''))];
}

const blank = /^(?:[\s~]|\\(?:[,;:! ]|$)|\\q?quad\b)*$/;

function* nonEmpty(answer: string, certain = false): Generator<FinalAnswer, void, undefined> {
  const text = answer.trim();
  if (!blank.test(text)) yield { text, certain };
}

const currency = /\\\$(?=\d)/g;
const endsNumber = /^(?:$|:(?!\d)|[\s.,;!?)\]"'*_$°|–—<。，；！？]|\\[)\]])/;
const itemHead = /(?:^|\n)\s*$/;
const label = /\b(?:step|case|part|figure|equation|problem|question|page|lemma|theorem|method|option|example)\s*$/i;

/** Whether a number is one: not the beginning of `16\sqrt{3}` or `5x`, nor `2.` at the head of an item, nor "Step 2". */
function standsAlone(text: string, { start, end }: { readonly start: number; readonly end: number }): boolean {
  const behind = text.slice(end, end + 2);
  if (!endsNumber.test(behind)) return false;
  const before = text.slice(Math.max(0, start - 12), start) + (/\s/.test(text[start]!) ? text[start] : '');
  return !/\d:\s?$/.test(before) && !label.test(before) && !(/^[.)]\s/.test(behind) && itemHead.test(before));
}

function candidateText(candidate: Candidate): string {
  switch (candidate.kind) {
    case 'latex':
      return candidate.parts.map(({ text, percent }) => (percent ? `${text}\\%` : text)).join(', ');
    case 'expression':
      return candidate.text.replace(/[\s.*]+$/, '');
    case 'number':
      return candidate.percent ? `${candidate.text}\\%` : candidate.text;
  }
}
