/** What a problem is, and the written-out calculations that several families of problems share. */
import type { Random } from './random.js';

export const levels = [1, 2, 3, 4, 5] as const;
export type Level = (typeof levels)[number];

export interface Draft {
  /** The question alone, in the language of expression.ts. */
  readonly question: string;
  /** Lines of the worked solution, before the answer. Each is a true equality, once x is the answer. */
  readonly steps: readonly string[];
  /** As `formatRational` writes it. */
  readonly answer: string;
}

/** One kind of problem, at the levels where it exists. */
export interface Family {
  readonly source: string;
  readonly draw: { readonly [L in Level]?: (random: Random) => Draft };
}

/** Draws until the condition holds; the callers' conditions hold for a fair share of draws. */
export function drawUntil<T>(draw: () => T, accepts: (value: T) => boolean): T {
  for (let i = 0; i < 10_000; i++) {
    const value = draw();
    if (accepts(value)) return value;
  }
  throw new RangeError(`no draw of 10000 met the condition ${accepts}`);
}

/** Digits of a non-negative integer, units first. */
const digits = (n: number): number[] => [...`${n}`].reverse().map(Number);

/** Addition column by column, units first, with the carry as the last addend: 47+85 is `7+5=12`, `4+8+1=13`. */
export function addColumns(terms: readonly number[]): string[] {
  const columns = terms.map(digits);
  const width = Math.max(...columns.map((column) => column.length));
  const steps: string[] = [];
  let carry = 0;
  for (let place = 0; place < width; place++) {
    const addends = columns.map((column) => column[place] ?? 0);
    if (carry > 0) addends.push(carry);
    const sum = addends.reduce((a, b) => a + b);
    steps.push(`${addends.join('+')}=${sum}`);
    carry = Math.floor(sum / 10);
  }
  return steps;
}

/** a - b >= 0 column by column, units first, a borrow already taken off and added: 62-35 is `12-5=7`, `5-3=2`. */
export function subtractColumns(a: number, b: number): string[] {
  const [upper, lower] = [digits(a), digits(b)];
  let borrow = 0;
  return upper.map((digit, place) => {
    const minus = lower[place] ?? 0;
    const left = digit - borrow;
    borrow = left < minus ? 1 : 0;
    const from = left + 10 * borrow;
    return `${from}-${minus}=${from - minus}`;
  });
}

/** a * digit, units first, with the carry added: 34*7 is `4*7=28`, `3*7+2=23`. */
export function multiplyByDigit(a: number, digit: number): string[] {
  let carry = 0;
  return digits(a).map((each) => {
    const value = each * digit + carry;
    const step = `${each}*${digit}${carry > 0 ? `+${carry}` : ''}=${value}`;
    carry = Math.floor(value / 10);
    return step;
  });
}

/** a = q*b + r in one line: `47=6*7+5`. */
export function divisionStep(a: number, b: number): string {
  return `${a}=${Math.floor(a / b)}*${b}+${a % b}`;
}

/** Long division of a >= b, one line a digit of the quotient: 253 by 7 is `25=3*7+4`, `43=6*7+1`. */
export function longDivision(a: number, b: number): string[] {
  const steps: string[] = [];
  let rest = 0;
  for (const digit of digits(a).reverse()) {
    rest = rest * 10 + digit;
    if (rest < b && steps.length === 0) continue;
    steps.push(divisionStep(rest, b));
    rest %= b;
  }
  return steps;
}
