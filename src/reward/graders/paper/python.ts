/** What Python's `float`, `str.isdigit`, `str.strip(characters)` and `math.isclose` make of text and numbers. */
import { isPythonSpace } from '../../python-text.js';

const number = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const word = /^([+-]?)(inf|infinity|nan)$/i;

/**
 * `float(text)`, or null where Python raises ValueError: surrounding whitespace, one underscore between two digits, `inf`,
 * `nan` and the decimal digits of every script are accepted. Linear.
 */
export function pythonFloat(text: string): number | null {
  let begin = 0;
  let end = text.length;
  while (begin < end && isFloatSpace(text.charCodeAt(begin))) begin += 1;
  while (end > begin && isFloatSpace(text.charCodeAt(end - 1))) end -= 1;
  let bare = asciiDigits(text.slice(begin, end));
  if (bare.includes('_')) {
    if (/(?<!\d)_|_(?!\d)/.test(bare)) return null;
    bare = bare.replaceAll('_', '');
  }
  if (number.test(bare)) return Number(bare);
  const [, sign, name] = word.exec(bare) ?? [];
  if (name === undefined) return null;
  if (name.toLowerCase() === 'nan') return Number.NaN;
  return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

/** `float` strips fewer ASCII control characters than `str.strip` does. */
function isFloatSpace(unit: number): boolean {
  return isPythonSpace(unit) && !(unit >= 0x1c && unit <= 0x1f);
}

/** Decimal digits of other scripts as ASCII ones. */
function asciiDigits(text: string): string {
  const known = new Map<string, string>();
  return text.replace(/\p{Nd}/gu, (digit) => {
    const ascii = known.get(digit) ?? String(digitValue(digit));
    known.set(digit, ascii);
    return ascii;
  });
}

/** The ten digits of a script are contiguous, and a run of digits begins with a zero: mathematical ones are five sets in a row. */
function digitValue(digit: string): number {
  const point = digit.codePointAt(0)!;
  let below = 0;
  while (/^\p{Nd}$/u.test(String.fromCodePoint(point - 1 - below))) below += 1;
  return below % 10;
}

/** Numbers in a circle, in brackets, raised, lowered: digits to Python, though not decimal digits. */
const otherDigits =
  '\u00b2\u00b3\u00b9\u1369-\u1371\u19da\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490\u24ea' +
  '\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\u{10a40}-\u{10a43}\u{10e60}-\u{10e68}\u{11052}-\u{1105a}' +
  '\u{1f100}-\u{1f10a}';
const notDigit = new RegExp(`[^\\p{Nd}${otherDigits}]`, 'u');

/** `text.isdigit()`: not empty, and a digit in every place. */
export function isPythonDigits(text: string): boolean {
  return text !== '' && !notDigit.test(text);
}

/** `text.strip(characters)`. */
export function stripCharacters(text: string, characters: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && characters.includes(text[begin]!)) begin += 1;
  while (end > begin && characters.includes(text[end - 1]!)) end -= 1;
  return text.slice(begin, end);
}

/** `text.count(character)`. */
export function countOf(text: string, character: string): number {
  let count = 0;
  for (let at = text.indexOf(character); at >= 0; at = text.indexOf(character, at + character.length)) count += 1;
  return count;
}

/** Whether `len(text) <= limit`: in code points, so that a mathematical letter is one. */
export function isShorterOrEqual(text: string, limit: number): boolean {
  return text.length <= 2 * limit && [...text].length <= limit;
}

/** `math.isclose(a, b, rel_tol=tolerance)`: relative to the larger of the two, infinities only to themselves, NaN to nothing. */
export function isClose(a: number, b: number, tolerance: number): boolean {
  if (a === b) return true;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
  const difference = Math.abs(a - b);
  return difference <= Math.abs(tolerance * a) || difference <= Math.abs(tolerance * b);
}

/** Whether `repr(number)` has a point: positional notation always does, the scientific one when it needs a second digit. */
export function reprHasPoint(number: number): boolean {
  if (!Number.isFinite(number)) return false;
  const size = Math.abs(number);
  return number === 0 || (size >= 1e-4 && size < 1e16) || number.toExponential().includes('.');
}
