/**
 * `math-verify`: what Math-Verify 0.8.0 says with its default settings, for answers that are delimited as it wants them. Its
 * extraction is src/reward/extract, its normaliser normalise.ts, its grammar lex.ts and dialect.ts over src/reward/maths.
 */
import { type Answer, compareAnswers, withVariablesOfItsOwn } from '../../maths/index.js';
import { isBareAnswer, isDelimited } from '../bare.js';
import type { Grade, Grader, Verdict } from '../grader.js';
import { mathVerifyRules } from './dialect.js';
import { mathVerifyRead, type Reading, type Value } from './read.js';

export { readCandidate, type Value } from './read.js';

/** Only the end of longer texts is looked at. */
const maxLength = 20_000;

export const mathVerifyGrader: Grader = {
  name: 'math-verify',
  compare: (gold, answer) => equalReadings(read(boxed(gold)), read(boxed(answer))),
  grade(gold, text) {
    // what Markdown sets in bold is no LaTeX, so it is searched like a response
    const answer = read(isBareAnswer(text) && !text.startsWith('**') ? boxed(text) : text);
    const verdict = equalReadings(read(isDelimited(gold) ? gold : boxed(gold)), answer);
    return { ...verdict, answer: answer.text === '' ? null : answer.text } satisfies Grade;
  },
};

function boxed(answer: string): string {
  return `\\boxed{${answer}}`;
}

function read(text: string): Reading {
  return mathVerifyRead(text.slice(-maxLength));
}

/** verify() over all that the two readings hold: values as mathematics, texts as they stand. */
export function equalReadings(gold: Reading, answer: Reading): Verdict {
  const value = gold.value && answer.value ? equalValues(gold.value, answer.value) : null;
  if (value?.equal) return value;
  if (gold.text !== '' && gold.text.trim() === answer.text.trim()) return { equal: true, reason: 'identical' };
  if (value !== null) return value;
  return { equal: false, reason: gold.value === null ? 'gold_unparsed' : 'answer_unparsed' };
}

export function equalValues(gold: Value, answer: Value): Verdict {
  const other: Answer = gold.complex === answer.complex ? answer.answer : withVariablesOfItsOwn(answer.answer);
  return compareAnswers(gold.answer, other, mathVerifyRules);
}
