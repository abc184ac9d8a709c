import { finalAnswers } from '../extract/index.js';
import {
  type Answer,
  compareAnswers,
  parseAnswer,
  plainWords,
  standardDialect,
  standardRules,
} from '../maths/index.js';
import { pythonStrip } from '../python-text.js';
import { isBareAnswer, isDelimited } from './bare.js';
import { contentOfChoice, isChoice, sameChoice } from './choices.js';
import type { Grade, Grader, Verdict } from './grader.js';

/** Longer answers are only compared for identity, and of longer responses only the end is looked at. */
const maxLength = 20_000;

/**
 * `standard`, the default: answers that are equal as mathematics, or as words where they are none. Reasons beside those of
 * `compareAnswers`: `identical`, `empty`, `too_long`, `gold_unparsed`, `answer_unparsed`, `no_answer`.
 */
export const standardGrader: Grader = {
  name: 'standard',
  compare: standardCompare,
  grade(gold, text): Grade {
    const answer = isBareAnswer(text) ? text : foundAnswer(text.slice(-maxLength));
    if (answer === null) return { equal: false, reason: 'no_answer', answer };
    return { ...standardCompare(isDelimited(gold) ? (foundAnswer(gold) ?? gold) : gold, answer), answer };
  },
};

export function standardCompare(gold: string, answer: string): Verdict {
  const x = undelimited(pythonStrip(gold));
  const y = undelimited(pythonStrip(answer));
  if (x === '' || y === '') return { equal: false, reason: 'empty' };
  if (x === y) return { equal: true, reason: 'identical' };
  if (x.length > maxLength || y.length > maxLength) return { equal: false, reason: 'too_long' };
  const choice = sameChoice(x, y);
  if (choice !== null) return { equal: choice, reason: choice ? 'same_text' : 'other_text' };
  const [goldContent, content] = [contentOfChoice(x), contentOfChoice(y)];
  if (goldContent !== null && content === null) return standardCompare(goldContent, y);
  if (goldContent === null && content !== null) return standardCompare(x, content);
  const g = parsed(x);
  const a = parsed(y);
  const verdict = g && a && compareAnswers(g, a, standardRules);
  const mathematical = verdict !== null && verdict.reason !== 'other_text' && verdict.reason !== 'undecided';
  if (mathematical) return verdict;
  if (plainWords(x) === plainWords(y)) return { equal: true, reason: 'same_text' };
  return verdict ?? { equal: false, reason: g === null ? 'gold_unparsed' : 'answer_unparsed' };
}

const inBrackets = /^\\\((?:(?!\\[()])[\s\S])*\\\)$|^\\\[(?:(?!\\[[\]])[\s\S])*\\\]$/;
const inStars = /^\*\*[^*]+\*\*[.。]?$/;

/** Without the delimiters of mathematics, or Markdown's of bold, around the whole of it; dollars mean nothing to the parser anyway. */
function undelimited(answer: string): string {
  if (inStars.test(answer)) return undelimited(pythonStrip(answer.replaceAll('**', '')));
  return inBrackets.test(answer) ? pythonStrip(answer.slice(2, -2)) : answer;
}

function parsed(answer: string): Answer | null {
  return parseAnswer(answer, standardDialect);
}

/** The first answer that is boxed or parses, else the first of all. */
function foundAnswer(text: string): string | null {
  let words: string | null = null;
  for (const { text: answer, certain } of finalAnswers(text)) {
    if (certain || parsed(answer) !== null || isChoice(answer)) return answer;
    words ??= answer;
  }
  return words;
}
