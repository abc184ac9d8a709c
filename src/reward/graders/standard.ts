import { compareAnswers, parseAnswer, plainWords, standardDialect, standardRules } from '../maths/index.js';
import { pythonStrip } from '../python-text.js';
import type { Verdict } from './grader.js';

/** Longer answers are only compared for identity. */
const maxLength = 20_000;

/**
 * Whether two answers are equal under `standard`: as mathematics if both parse, else as words. Reasons beside those of
 * `compareAnswers`: `identical`, `empty`, `too_long`, `gold_unparsed`, `answer_unparsed`.
 */
export function standardCompare(gold: string, answer: string): Verdict {
  const x = pythonStrip(gold);
  const y = pythonStrip(answer);
  if (x === '' || y === '') return { equal: false, reason: 'empty' };
  if (x === y) return { equal: true, reason: 'identical' };
  if (x.length > maxLength || y.length > maxLength) return { equal: false, reason: 'too_long' };
  const g = parseAnswer(x, standardDialect);
  const a = parseAnswer(y, standardDialect);
  const verdict = g && a && compareAnswers(g, a, standardRules);
  if (verdict?.equal) return verdict;
  if (plainWords(x) === plainWords(y)) return { equal: true, reason: 'same_text' };
  return verdict ?? { equal: false, reason: g === null ? 'gold_unparsed' : 'answer_unparsed' };
}
