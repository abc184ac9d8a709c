/** Exact rationals: numerator / denominator in lowest terms, the denominator positive. */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

export const zero: Rational = { n: 0n, d: 1n };
export const one: Rational = { n: 1n, d: 1n };

/** Numerators and denominators beyond this many bits are refused: a bound on time and memory. */
export const maxBits = 16_384;

/** @returns null for a denominator of zero, and for results beyond `maxBits` */
export function rational(n: bigint, d = 1n): Rational | null {
  if (d === 1n) return tooBig(n) ? null : { n, d };
  if (d === 0n) return null;
  const divisor = gcd(n < 0n ? -n : n, d < 0n ? -d : d) * (d < 0n ? -1n : 1n);
  const result = { n: n / divisor, d: d / divisor };
  return tooBig(result.n) || tooBig(result.d) ? null : result;
}

export function integer(value: number): Rational {
  return { n: BigInt(value), d: 1n };
}

export function add(a: Rational, b: Rational): Rational | null {
  return a.d === b.d ? rational(a.n + b.n, a.d) : rational(a.n * b.d + b.n * a.d, a.d * b.d);
}

export function multiply(a: Rational, b: Rational): Rational | null {
  return rational(a.n * b.n, a.d * b.d);
}

export function divide(a: Rational, b: Rational): Rational | null {
  return rational(a.n * b.d, a.d * b.n);
}

export function negate(a: Rational): Rational {
  return { n: -a.n, d: a.d };
}

/** a^k for an integer k; null for 0 to a negative power and for results beyond `maxBits`. */
export function power(a: Rational, k: bigint): Rational | null {
  if (k === 0n) return one;
  if (a.n === 0n) return k > 0n ? zero : null;
  const unit = (a.n === 1n || a.n === -1n) && a.d === 1n;
  const size = k < 0n ? -k : k;
  if (unit) return a.n === 1n || size % 2n === 0n ? one : a;
  if (size > BigInt(maxBits) || bits(a.n) * Number(size) > 2 * maxBits || bits(a.d) * Number(size) > 2 * maxBits)
    return null;
  const [n, d] = k > 0n ? [a.n, a.d] : a.n > 0n ? [a.d, a.n] : [-a.d, -a.n];
  const result = { n: n ** size, d: d ** size }; // in lowest terms, as a is
  return tooBig(result.n) || tooBig(result.d) ? null : result;
}

/** The rational whose k-th power is `a`, for k >= 2; null when there is none, or when `a` is negative and k even. */
export function root(a: Rational, k: number): Rational | null {
  if (a.n < 0n && k % 2 === 0) return null;
  const n = integerRoot(a.n < 0n ? -a.n : a.n, k);
  const d = integerRoot(a.d, k);
  return n === null || d === null ? null : { n: a.n < 0n ? -n : n, d };
}

/** The integer whose k-th power is x >= 0, or null. Newton's iteration from above. */
function integerRoot(x: bigint, k: number): bigint | null {
  if (x < 2n) return x;
  const size = bits(x);
  if (k >= size) return null;
  const exponent = BigInt(k);
  let guess = 1n << BigInt(Math.ceil(size / k));
  for (;;) {
    const next = ((exponent - 1n) * guess + x / guess ** (exponent - 1n)) / exponent;
    if (next >= guess) break;
    guess = next;
  }
  return guess ** exponent === x ? guess : null;
}

/** -1, 0 or 1. */
export function compare(a: Rational, b: Rational): number {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function equal(a: Rational, b: Rational): boolean {
  return a.n === b.n && a.d === b.d;
}

export function isInteger(a: Rational): boolean {
  return a.d === 1n;
}

export function floor(a: Rational): Rational {
  const quotient = a.n / a.d;
  return { n: a.n < 0n && quotient * a.d !== a.n ? quotient - 1n : quotient, d: 1n };
}

/** a rounded to a number of decimal places, halves to even, in units of the last place. */
export function roundedUnits(a: Rational, places: number): bigint {
  const doubled = 2n * a.n * 10n ** BigInt(places);
  const size = doubled < 0n ? -doubled : doubled;
  const denominator = 2n * a.d;
  let quotient = size / denominator;
  const rest = 2n * (size % denominator) - denominator;
  if (rest > 0n || (rest === 0n && quotient % 2n === 1n)) quotient += 1n;
  return doubled < 0n ? -quotient : quotient;
}

/** The nearest double, within two units in the last place; infinite when out of range. */
export function toDouble(a: Rational): number {
  const direct = Number(a.n) / Number(a.d);
  if (Number.isFinite(direct) && (direct !== 0 || a.n === 0n)) return direct;
  const shift = bits(a.d) - bits(a.n) + 64;
  const scaled = shift >= 0 ? (a.n << BigInt(shift)) / a.d : a.n / (a.d << BigInt(-shift));
  return Number(scaled) * 2 ** -shift;
}

export function gcd(a: bigint, b: bigint): bigint {
  let x = a;
  let y = b;
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

/** Bits of |x|, within one where it does not fit a double, and rounded up to a multiple of four far beyond that. */
export function bits(x: bigint): number {
  const size = Math.abs(Number(x));
  if (size < 2 ** 32) return 32 - Math.clz32(size);
  return Number.isFinite(size) ? Math.ceil(Math.log2(size)) : (x < 0n ? -x : x).toString(16).length * 4;
}

const limit = 1n << BigInt(maxBits);

function tooBig(x: bigint): boolean {
  return x >= limit || x <= -limit;
}

/** What arithmetic with a rational of this size costs, in steps of about a tenth of a microsecond: the greatest common divisor. */
export function cost({ n, d }: Rational): number {
  if (d === 1n) return bits(n) >> 8;
  const size = Math.min(bits(n), bits(d));
  return (size * size) >> 10;
}
