import { bits } from '../../maths/rational.js';

/**
 * Numbers as sympy 1.14 has them: exact rationals, and binary floats of any precision with mpmath's rounding to nearest, ties
 * to even. What Math-Verify calls equal depends on this down to the last bit, since 5 is not 5.0000001 but 5.1 is 5.1000001.
 */
export type SympyNumber = SympyRational | SympyFloat;

/** n / d with d > 0; not in lowest terms. */
export interface SympyRational {
  readonly kind: 'rational';
  readonly n: bigint;
  readonly d: bigint;
}

/** n / d in lowest terms, d a power of two, with `precision` significant bits. */
export interface SympyFloat {
  readonly kind: 'float';
  readonly n: bigint;
  readonly d: bigint;
  readonly precision: number;
}

/** Larger numerators and denominators are refused. */
export const maxBits = 16_384;

export function rational(n: bigint, d = 1n): SympyRational {
  return d < 0n ? { kind: 'rational', n: -n, d: -d } : { kind: 'rational', n, d };
}

/** `Float('12.50')`: precision enough for the digits that are written, leading zeros aside, and for 15 at least. */
export function floatOfDecimal(text: string): SympyFloat {
  const [integer = '', fraction = ''] = text.split('.');
  const digits = (integer + fraction).replace(/^0+/, '');
  const value = rational(BigInt(digits === '' ? '0' : digits), 10n ** BigInt(fraction.length));
  return roundToBits(value, precisionOfDigits(Math.max(15, digits.length)));
}

/** The nearest float with so many bits. */
export function roundToBits({ n, d }: { readonly n: bigint; readonly d: bigint }, precision: number): SympyFloat {
  if (n === 0n) return { kind: 'float', n, d: 1n, precision };
  const size = n < 0n ? -n : n;
  // The quotient gets at least two bits more than are kept, so that a tie can be told by the rest.
  const shift = precision + 2 - (exactBits(size) - exactBits(d));
  const numerator = shift > 0 ? size << BigInt(shift) : size;
  const denominator = shift < 0 ? d << BigInt(-shift) : d;
  const quotient = numerator / denominator;
  const drop = BigInt(exactBits(quotient) - precision);
  const half = 1n << (drop - 1n);
  const rest = quotient & ((1n << drop) - 1n);
  let kept = quotient >> drop;
  if (rest > half || (rest === half && (quotient * denominator !== numerator || kept % 2n === 1n))) kept += 1n;
  const zeros = trailingZeros(kept);
  kept >>= BigInt(zeros);
  const exponent = Number(drop) - shift + zeros;
  const signed = n < 0n ? -kept : kept;
  return exponent >= 0
    ? { kind: 'float', n: signed << BigInt(exponent), d: 1n, precision }
    : { kind: 'float', n: signed, d: 1n << BigInt(-exponent), precision };
}

export function add(a: SympyNumber, b: SympyNumber): SympyNumber | null {
  const exact = (x: SympyNumber, y: SympyNumber) => rational(x.n * y.d + y.n * x.d, x.d * y.d);
  return operate(a, b, exact);
}

export function multiply(a: SympyNumber, b: SympyNumber): SympyNumber | null {
  return operate(a, b, (x, y) => rational(x.n * y.n, x.d * y.d));
}

/** null for zero. */
export function reciprocal(a: SympyNumber): SympyNumber | null {
  if (a.n === 0n) return null;
  const exact = rational(a.d, a.n);
  return a.kind === 'float' ? roundToBits(exact, a.precision) : exact;
}

export function negate<T extends SympyNumber>(a: T): T {
  return { ...a, n: -a.n };
}

/**
 * `exact` on both; if one is a float, the other is made one before, and the result is rounded to the higher precision, but a
 * result of zero is the integer.
 */
function operate(
  a: SympyNumber,
  b: SympyNumber,
  exact: (x: SympyNumber, y: SympyNumber) => SympyRational,
): SympyNumber | null {
  if (a.kind === 'rational' && b.kind === 'rational') {
    const result = exact(a, b);
    return bits(result.n) > maxBits || bits(result.d) > maxBits ? null : result;
  }
  const precision = Math.max(a.kind === 'float' ? a.precision : 0, b.kind === 'float' ? b.precision : 0);
  const toFloat = (x: SympyNumber) => (x.kind === 'float' ? x : roundToBits(x, precision));
  const x = toFloat(a);
  const y = toFloat(b);
  if (bits(x.n) + bits(y.n) > maxBits || bits(x.d) + bits(y.d) > maxBits) return null;
  const result = exact(x, y);
  return result.n === 0n ? rational(0n) : roundToBits(result, precision);
}

export function equalValues(a: SympyNumber, b: SympyNumber): boolean {
  return a.n * b.d === b.n * a.d;
}

export function isInteger(a: SympyNumber): boolean {
  return a.n % a.d === 0n;
}

/**
 * Whether `a.round(places) == b.round(places)`: whole rationals stay what they are and equal no float, and floats of different
 * precision differ.
 */
export function equalRounded(a: SympyNumber, b: SympyNumber, places: number): boolean {
  const x = rounded(a, places);
  const y = rounded(b, places);
  const alike = x.kind === 'float' ? y.kind === 'float' && x.precision === y.precision : y.kind === 'rational';
  return alike && equalValues(x, y);
}

/**
 * sympy's `Expr.round`: the number's decimal digits as far as they are known, one of them rounded by the digits behind, then
 * rounded to the places, ties to even, and made a float with as many digits as that leaves.
 */
function rounded(x: SympyNumber, places: number): SympyNumber {
  if (x.n === 0n || (x.kind === 'rational' && isInteger(x))) return x;
  const magnitude = decimalMagnitude(x);
  const digits = x.kind === 'float' ? digitsOfPrecision(x.precision) : Math.max(15, magnitude + places);
  const allowed = Math.min(magnitude + places, digits);
  const shift = digits - magnitude;
  const known = knownDigits(x, digits, shift);
  const units = roundedTo(known, shift - places);
  const result = shift >= 0 ? rational(units, 10n ** BigInt(shift)) : rational(units * 10n ** BigInt(-shift));
  if (isInteger(result)) return roundToBits(result, precisionOfDigits(digits));
  const grown = allowed === 0 && result.n * x.d > x.n * result.d;
  return roundToBits(result, precisionOfDigits(grown ? 1 : allowed));
}

/** x * 10^shift as a whole number: `digits` digits, rounded by the one behind. */
function knownDigits(x: SympyNumber, digits: number, shift: number): bigint {
  const precision = precisionOfDigits(digits + 1);
  const value = x.kind === 'float' ? x : roundToBits(x, precision);
  const power = 10n ** BigInt(Math.abs(shift));
  const scale = roundToBits(shift >= 0 ? rational(power) : rational(1n, power), precision);
  const scaled = roundToBits(rational(value.n * scale.n, value.d * scale.d), precision);
  const whole = scaled.n / scaled.d;
  const sign = x.n > 0n ? 1n : -1n;
  const behind = roundToBits(rational(sign * (scaled.n - whole * scaled.d), scaled.d), precisionOfDigits(1));
  const doubled = 2n * behind.n - behind.d;
  if (doubled > 0n) return whole + sign;
  if (doubled < 0n) return whole;
  return whole % 2n === 0n ? whole - sign : whole + sign; // sympy moves away from even digits too
}

/** Python's `round(x, -places)` of an integer, for places > 0: ties to even. */
function roundedTo(x: bigint, places: number): bigint {
  if (places <= 0) return x;
  const unit = 10n ** BigInt(places);
  const size = x < 0n ? -x : x;
  let quotient = size / unit;
  const rest = 2n * (size % unit) - unit;
  if (rest > 0n || (rest === 0n && quotient % 2n === 1n)) quotient += 1n;
  return (x < 0n ? -quotient : quotient) * unit;
}

/** The m with 0.1 <= |x| / 10^m < 1, of x to 53 bits. */
function decimalMagnitude(x: SympyNumber): number {
  const { n, d } = roundToBits(rational(x.n < 0n ? -x.n : x.n, x.d), 53);
  let m = Math.floor((exactBits(n) - exactBits(d)) * Math.log10(2)) - 1;
  const below = (power: number) => (power >= 0 ? n <= d * 10n ** BigInt(power) : n * 10n ** BigInt(-power) <= d);
  while (!below(m)) m += 1;
  const power = 10n ** BigInt(Math.abs(m));
  const ratio = roundToBits(m >= 0 ? rational(n, d * power) : rational(n * power, d), 53);
  return ratio.n >= ratio.d ? m + 1 : m;
}

const bitsPerDigit = Math.log2(10);

function precisionOfDigits(digits: number): number {
  return Math.max(1, Math.round((digits + 1) * bitsPerDigit));
}

function digitsOfPrecision(precision: number): number {
  return Math.max(1, Math.round(precision / bitsPerDigit) - 1);
}

function trailingZeros(x: bigint): number {
  return exactBits(x & -x) - 1;
}

function exactBits(x: bigint): number {
  const digits = (x < 0n ? -x : x).toString(16);
  return 4 * digits.length - Math.clz32(Number.parseInt(digits[0]!, 16)) + 28;
}
