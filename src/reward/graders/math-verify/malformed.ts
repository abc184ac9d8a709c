import { spaceClass } from '../../extract/source-text.js';
import { isPythonSpace } from '../../python-text.js';

/** Arguments without braces get them: what Math-Verify makes of `\frac12`, `\sqrt3`, `x^(2)` and the like. */
export function fixMalformed(text: string): string {
  return fixSlash(fixFractions(fixRoots(fixOperators(text))));
}

const space = `[${spaceClass}]?`;
const powerOpen = new RegExp(`\\^${space}\\(`, 'g');
const rootOpen = new RegExp(`sqrt${space}\\(`, 'g');
const fractionDigits = new RegExp(`\\\\frac${space}(\\p{Nd})${space}(\\p{Nd}+)`, 'gu');
const logDigits = new RegExp(`\\\\log_${space}(\\p{Nd})${space}(\\p{Nd}+)`, 'gu');
const fractionOpen = new RegExp(`\\\\frac${space}\\{`, 'g');
const closeThenDigit = new RegExp(`\\}${space}(\\p{Nd})`, 'gu');
const fractionDigitOpen = new RegExp(`\\\\frac${space}(\\p{Nd})${space}\\{`, 'gu');
const rootDigit = new RegExp(`\\\\sqrt${space}(\\p{Nd})`, 'gu');
const closeRound = /\)/g;
const closeBrace = /\}/g;

function fixOperators(text: string): string {
  let fixed = replaceSpans(text, powerOpen, closeRound, (content) => `^{${content}}`);
  fixed = replaceSpans(fixed, rootOpen, closeRound, (content) => `\\sqrt{${content}}`);
  fixed = fixed.replace(fractionDigits, '\\frac{$1}{$2}').replace(logDigits, '\\log_{$1}{$2}');
  fixed = replaceSpans(fixed, fractionOpen, closeThenDigit, (content, _, close) => `\\frac{${content}}{${close[1]}}`);
  fixed = replaceSpans(fixed, fractionDigitOpen, closeBrace, (content, open) => `\\frac{${open[1]}}{${content}}`);
  return fixed.replace(rootDigit, '\\sqrt{$1}').replaceAll(' sqrt', '\\sqrt');
}

/** Replaces each `open` up to the first `close` behind it. Linear: no `close` for one `open` means none for later ones. */
function replaceSpans(
  text: string,
  open: RegExp,
  close: RegExp,
  replacement: (content: string, open: RegExpExecArray, close: RegExpExecArray) => string,
): string {
  const pieces: string[] = [];
  let copied = 0;
  open.lastIndex = 0;
  for (let opening = open.exec(text); opening; opening = open.exec(text)) {
    const begin = open.lastIndex;
    close.lastIndex = begin;
    const closing = close.exec(text);
    if (!closing) break;
    pieces.push(text.slice(copied, opening.index), replacement(text.slice(begin, closing.index), opening, closing));
    copied = close.lastIndex;
    open.lastIndex = copied;
  }
  return copied === 0 ? text : pieces.join('') + text.slice(copied);
}

/** `\sqrt 3` -> `\sqrt{3}`: the character behind a root is its argument. */
function fixRoots(text: string): string {
  const [head, ...rest] = text.split('\\sqrt');
  return rest.reduce((fixed, part) => {
    const [first, tail] = firstCharacter(stripLeft(part));
    return `${fixed}\\sqrt${first === '' || first === '{' || first === '[' ? first : `{${first}}`}${tail}`;
  }, head!);
}

/** `\frac ab` -> `\frac{a}{b}`, `\frac a{b}` -> `\frac{a}{b}`; all stays as it was if one fraction has less than that. */
function fixFractions(text: string): string {
  const [head, ...rest] = text.split('\\frac');
  let fixed = head!;
  for (const part of rest) {
    const argument = stripLeft(part);
    if (argument.startsWith('{')) {
      fixed += `\\frac${argument}`;
      continue;
    }
    const [numerator, afterNumerator] = firstCharacter(argument);
    const [denominator, tail] = firstCharacter(afterNumerator);
    if (denominator === '') return text;
    fixed += `\\frac{${numerator}}${denominator === '{' ? denominator : `{${denominator}}`}${tail}`;
  }
  return fixed;
}

/** Longer integers are refused by Python's `int`. */
const maxDigits = 4300;
const slash = /^(0|-?[1-9][0-9]*)\/(0|-?[1-9][0-9]*)$/;

/** `2/3` -> `\frac{2}{3}` if that is all. */
function fixSlash(text: string): string {
  const found = slash.exec(text);
  if (!found) return text;
  const [, numerator = '', denominator = ''] = found;
  const digits = Math.max(numerator.replace('-', '').length, denominator.replace('-', '').length);
  return digits > maxDigits ? text : `\\frac{${numerator}}{${denominator}}`;
}

/** The first code point and the rest. */
function firstCharacter(text: string): [string, string] {
  const point = text.codePointAt(0);
  if (point === undefined) return ['', ''];
  const length = point > 0xffff ? 2 : 1;
  return [text.slice(0, length), text.slice(length)];
}

function stripLeft(text: string): string {
  let begin = 0;
  while (begin < text.length && isPythonSpace(text.charCodeAt(begin))) begin += 1;
  return text.slice(begin);
}
