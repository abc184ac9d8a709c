import type { Budget } from './budget.js';
import { decimalValue, maxDigits } from './decimals.js';
import { type Approximation, doubleValue, magnitude } from './doubles.js';
import { exactValue } from './exact.js';
import { numPoints, type Point, samplePoint, variablesOf } from './point.js';
import type { Node } from './tree.js';

/** What is known of two expressions: the same for every value of their variables, different somewhere, or neither. */
export type Sameness = 'same' | 'different' | 'undecided';

const unit = 2 ** -52;
const noPoint: Point = new Map();
const enoughPoints = 2;

/**
 * Whether two expressions have the same value, at all of eight sample points if they have variables. Exact rationals decide
 * where they can. Elsewhere doubles with an error bound may say "different"; "same" takes a confirmation in decimals, of as many
 * digits as the sizes met on the way ask for: sqrt(10^40 + 1) and 10^20 differ in the forty-first.
 */
export function equalValues(a: Node, b: Node, budget: Budget): Sameness {
  budget.spend(20);
  const variables = variablesOf(a, b);
  if (variables.names.size === 0) return equalAt(a, b, noPoint, budget, true, Number.POSITIVE_INFINITY);
  let agreed = 0;
  for (const { small, maxPeak } of variables.polynomial ? [anywhere] : [tame, tameAndSmall, anywhere]) {
    for (let k = 0; k < 2 * numPoints && agreed < numPoints; k += 1) {
      const here = equalAt(a, b, samplePoint(variables, k, small), budget, agreed < enoughPoints, maxPeak);
      if (here === 'different') return 'different';
      if (here === 'same') agreed += 1;
    }
    if (agreed >= enoughPoints) return 'same';
  }
  return 'undecided';
}

/**
 * Where points are looked for: first where no part of the expressions is so large or small that confirming takes many digits, then near
 * zero, where more is defined, then where they were passed over.
 */
const tame = { small: false, maxPeak: 1e30 };
const tameAndSmall = { small: true, maxPeak: 1e30 };
const anywhere = { small: false, maxPeak: Number.POSITIVE_INFINITY };

function equalAt(a: Node, b: Node, point: Point, budget: Budget, confirm: boolean, maxPeak: number): Sameness {
  const x = exactValue(a, point, budget);
  const y = exactValue(b, point, budget);
  if (x !== null && y !== null) return x.n === y.n && x.d === y.d ? 'same' : 'different';
  const extent = { peak: 1 };
  const p = doubleValue(a, point, budget, extent);
  const q = doubleValue(b, point, budget, extent);
  const known = p !== null && q !== null;
  if (known && clearlyDifferent(p, q)) return 'different';
  if (extent.peak > maxPeak) return 'undecided';
  if (!confirm && known && extent.peak < Number.POSITIVE_INFINITY) return 'same';
  // beyond the range of doubles; other points say more for less
  if (!known && point.size > 0) return 'undecided';
  return equalInDecimals(a, b, point, budget, known ? p.error + q.error : Number.POSITIVE_INFINITY, extent.peak);
}

function clearlyDifferent(p: Approximation, q: Approximation): boolean {
  const gap = magnitude({ re: p.re - q.re, im: p.im - q.im });
  return gap > 1e3 * unit * (p.error + q.error + magnitude(p) + magnitude(q));
}

function equalInDecimals(a: Node, b: Node, point: Point, budget: Budget, error: number, peak: number): Sameness {
  const bounded = Number.isFinite(error) && Number.isFinite(peak);
  const digits = bounded ? roundedUp(60 + 2 * Math.log10(Math.max(peak, error, 1))) : 200;
  if (digits > maxDigits) return 'undecided';
  const x = decimalValue(a, point, digits, budget);
  const y = x && decimalValue(b, point, digits, budget);
  if (x === null || y === null) return 'undecided';
  const gap = x.re.minus(y.re).abs().plus(x.im.minus(y.im).abs());
  const scale = x.re.abs().plus(x.im.abs()).plus(y.re.abs()).plus(y.im.abs());
  if (bounded) return gap.lte(scale.plus(Math.max(error, 1)).times(`1e-${digits - 12}`)) ? 'same' : 'different';
  // without a bound of the error only a clear difference is a verdict: 10^100000 and one more have all these digits in common
  return gap.gt(scale.times('1e-20')) ? 'different' : 'undecided';
}

/** To a multiple of 20, so that few precisions are in use. */
function roundedUp(digits: number): number {
  return Math.ceil(digits / 20) * 20;
}
