import { pythonStrip } from './python-text.js';
import { equalRationals, parseRational } from './rational.js';

/**
 * Whether a final answer equals the gold answer; `reason` is a word of the comparator's own closed set. A comparator is a
 * pure function of bounded time that does not throw, and when in doubt it answers "not equal".
 */
export type Comparator = (gold: string, answer: string) => { readonly equal: boolean; readonly reason: string };

export type ExactReason =
  | 'identical' // the same text but for outer whitespace
  | 'same_value' // the same exact rational
  | 'same_text' // no numbers, the same text after normalisation
  | 'other_value'
  | 'other_text'
  | 'other_kind' // a number and something that is not one
  | 'empty' // nothing equals an empty answer, not even another
  | 'too_long';

/** Longer answers are only compared for identity. */
const maxLength = 20_000;

/**
 * Equality of exact rationals (rational.ts), of normalised text otherwise. It knows no algebra, units, sets or rounding:
 * 0.333 is not 1/3, `\sqrt{4}` is not 2, and `50%` is 1/2, not 50. What it calls equal is equal.
 */
export function exactEqual(gold: string, answer: string): { equal: boolean; reason: ExactReason } {
  const x = pythonStrip(gold);
  const y = pythonStrip(answer);
  if (x === '' || y === '') return { equal: false, reason: 'empty' };
  if (x === y) return { equal: true, reason: 'identical' };
  if (x.length > maxLength || y.length > maxLength) return { equal: false, reason: 'too_long' };
  const xBare = unwrap(x);
  const yBare = unwrap(y);
  const xValue = parseRational(xBare);
  const yValue = parseRational(yBare);
  if (xValue && yValue) {
    const equal = equalRationals(xValue, yValue);
    return { equal, reason: equal ? 'same_value' : 'other_value' };
  }
  if (xValue || yValue) return { equal: false, reason: 'other_kind' };
  const equal = normalizeText(xBare) === normalizeText(yBare);
  return { equal, reason: equal ? 'same_text' : 'other_text' };
}

/** More layers than this around an answer are left alone. */
const maxLayers = 8;
const group = /^\\(?:boxed|text|textbf|mathrm|mathbf|mbox)\s*\{/;

/**
 * The answer without `\left`, `\right` and what is wrapped around the whole of it: `$`, `\(..\)`, `\[..\]`, `\boxed{}`,
 * `\text{}` and the like.
 */
function unwrap(answer: string): string {
  let text = answer.replace(/(?<!\\)\\(?:left|right)(?![a-zA-Z])/g, '');
  for (let layer = 0; layer < maxLayers; layer += 1) {
    const inner = pythonStrip(innerText(text));
    if (inner === text || inner === '') break;
    text = inner;
  }
  return text;
}

function innerText(text: string): string {
  if (text.startsWith('$')) return text.slice(1);
  if (text.endsWith('$') && !text.endsWith('\\$')) return text.slice(0, -1);
  for (const [opening, closing] of [
    ['\\(', '\\)'],
    ['\\[', '\\]'],
  ] as const) {
    if (text.startsWith(opening) && text.indexOf(closing) === text.length - 2) return text.slice(2, -2);
  }
  const opening = group.exec(text)?.[0];
  return opening !== undefined && closingBrace(text, opening.length) === text.length - 1
    ? text.slice(opening.length, -1)
    : text;
}

/** Position of the brace that closes the group whose content begins at `begin`, or -1. */
function closingBrace(text: string, begin: number): number {
  let level = 1;
  for (let i = begin; i < text.length; i += 1) {
    const unit = text[i];
    if (unit === '\\') i += 1;
    else if (unit === '{') level += 1;
    else if (unit === '}') level -= 1;
    if (level === 0) return i;
  }
  return -1;
}

/**
 * Text without what carries no meaning: the size in `\dfrac`, spacing commands, whitespace. One space stays where words or
 * numbers would run together (`1 2`, `\pi r`), and in lists that would read as one number (`1, 234`).
 */
function normalizeText(text: string): string {
  const spaced = text.replace(/\\[dtc]frac(?![a-zA-Z])/g, '\\frac').replace(/(?:\s|(?<!\\)\\[,!;: ]|~)+/g, ' ');
  const bracketed = /[([]|\\\{/.test(spaced);
  return pythonStrip(spaced.replace(bracketed ? gapInBrackets : gap, ''));
}

const gapInBrackets = /(?<![\p{L}\p{N}.]) | (?![\p{L}\p{N}.])/gu;
const gap = /(?<![\p{L}\p{N}.]) (?!(?<=\d, )\d{3}(?!\d))| (?![\p{L}\p{N}.])/gu;
