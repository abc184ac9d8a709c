import type { Budget } from './budget.js';
import { exactValue } from './exact.js';
import { hash, nameOf, type Point } from './point.js';
import { toDouble } from './rational.js';
import type { Node } from './tree.js';

/**
 * A complex double with a first-order bound of its error in units of 2^-52, and the largest magnitude met on the way.
 * Both say how many digits a decision needs: an error of u units in doubles is one of u * 10^-D in D digits.
 */
export interface Approximation {
  readonly re: number;
  readonly im: number;
  readonly error: number;
}

/** Collects what a whole evaluation met. */
export interface Extent {
  /** The largest magnitude of any part, or of its inverse; infinite when a part that is not zero was too small for a double. */
  peak: number;
}

/** The value at a point; null when it is undefined there, or beyond the range of doubles. */
export function doubleValue(node: Node, point: Point, budget: Budget, extent: Extent): Approximation | null {
  budget.spend(2);
  const value = evaluated(node, point, budget, extent);
  if (value === null || !Number.isFinite(value.re) || !Number.isFinite(value.im)) return null;
  const size = magnitude(value);
  if (size > extent.peak) extent.peak = size;
  else if (size > 0 && 1 / size > extent.peak) extent.peak = 1 / size;
  return value;
}

function evaluated(node: Node, point: Point, budget: Budget, extent: Extent): Approximation | null {
  const at = (child: Node) => doubleValue(child, point, budget, extent);
  switch (node.kind) {
    case 'number': {
      const value = toDouble(node.value);
      if (value === 0 && node.value.n !== 0n) extent.peak = Number.POSITIVE_INFINITY;
      return real(value);
    }
    case 'constant':
      return constant(node.name);
    case 'symbol':
    case 'text':
    case 'opaque': {
      const value = point.get(nameOf(node)!);
      return value === undefined ? null : { re: toDouble(value), im: 0, error: 0 };
    }
    case 'add':
      return foldedValue(node.terms, { re: 0, im: 0, error: 0 }, plus, at);
    case 'multiply':
      return foldedValue(node.factors, { re: 1, im: 0, error: 0 }, timesNotVanishing(extent), at);
    case 'power': {
      const base = at(node.base);
      const exponent = base && at(node.exponent);
      if (base === null || exponent === null) return null;
      const noted = (value: Approximation | null) => {
        if (value !== null && magnitude(base) > 0 && magnitude(value) === 0) extent.peak = Number.POSITIVE_INFINITY;
        return value;
      };
      const oddRoot =
        node.exponent.kind === 'number' && node.exponent.value.d % 2n === 1n && node.exponent.value.d > 1n;
      if (oddRoot && base.im === 0 && base.re < 0) {
        const positive = noted(raised({ ...base, re: -base.re }, exponent));
        const odd = node.exponent.kind === 'number' && node.exponent.value.n % 2n !== 0n;
        return positive && (odd ? negative(positive) : positive);
      }
      return noted(raised(base, exponent));
    }
    case 'percent': {
      const inner = at(node.inner);
      return inner && times(inner, real(0.01));
    }
    case 'based':
    case 'sum':
    case 'product':
      return repeatedOrExact(node, point, budget, extent);
    case 'call': {
      const args: Approximation[] = [];
      for (const arg of node.args) {
        const value = at(arg);
        if (value === null) return null;
        args.push(value);
      }
      const value = called(node.name, args);
      if (value !== null && vanishing.has(node.name) && magnitude(value) === 0) extent.peak = Number.POSITIVE_INFINITY;
      return value;
    }
    case 'apply': {
      const parts: string[] = [];
      for (const arg of node.args) {
        const value = at(arg);
        if (value === null) return null;
        parts.push(`${value.re.toPrecision(9)},${value.im.toPrecision(9)}`);
      }
      return real(hash(`${node.name}(${parts.join(';')})`) >>> 8);
    }
    default:
      return null;
  }
}

function foldedValue(
  nodes: readonly Node[],
  start: Approximation,
  operation: (a: Approximation, b: Approximation) => Approximation,
  at: (child: Node) => Approximation | null,
): Approximation | null {
  let result = start;
  for (const node of nodes) {
    const value = at(node);
    if (value === null) return null;
    result = operation(result, value);
  }
  return result;
}

function repeatedOrExact(node: Node, point: Point, budget: Budget, extent: Extent): Approximation | null {
  const exact = exactValue(node, point, budget);
  if (exact !== null) return real(toDouble(exact));
  if (node.kind !== 'sum' && node.kind !== 'product') return null;
  const low = exactValue(node.low, point, budget);
  const high = low && exactValue(node.high, point, budget);
  if (low === null || high === null || low.d !== 1n || high.d !== 1n || high.n - low.n > 1000n) return null;
  const inner = new Map(point);
  let result: Approximation = node.kind === 'sum' ? { re: 0, im: 0, error: 0 } : { re: 1, im: 0, error: 0 };
  for (let k = low.n; k <= high.n; k += 1n) {
    inner.set(node.variable, { n: k, d: 1n });
    budget.spend(4);
    const term = doubleValue(node.body, inner, budget, extent);
    if (term === null) return null;
    result = node.kind === 'sum' ? plus(result, term) : timesNotVanishing(extent)(result, term);
  }
  return result;
}

export function magnitude({ re, im }: { re: number; im: number }): number {
  return im === 0 ? Math.abs(re) : Math.hypot(re, im);
}

function real(re: number): Approximation {
  return { re, im: 0, error: Number.isSafeInteger(re) ? 0 : Math.abs(re) };
}

function constant(name: 'pi' | 'e' | 'i' | 'infinity'): Approximation | null {
  if (name === 'infinity') return null;
  return name === 'i' ? { re: 0, im: 1, error: 0 } : real(name === 'pi' ? Math.PI : Math.E);
}

function complex(re: number, im: number, error: number): Approximation {
  return { re, im, error: error + magnitude({ re, im }) };
}

function plus(a: Approximation, b: Approximation): Approximation {
  return complex(a.re + b.re, a.im + b.im, a.error + b.error);
}

function negative(a: Approximation): Approximation {
  return { re: -a.re, im: -a.im, error: a.error };
}

function times(a: Approximation, b: Approximation): Approximation {
  const error = magnitude(a) * b.error + magnitude(b) * a.error;
  if (a.im === 0 && b.im === 0) return complex(a.re * b.re, 0, error);
  return complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re, error + magnitude(a) * magnitude(b));
}

/** Multiplication that notes when a product of what is not zero is too small for a double. */
function timesNotVanishing(extent: Extent): typeof times {
  return (a, b) => {
    const value = times(a, b);
    if (magnitude(value) === 0 && magnitude(a) > 0 && magnitude(b) > 0) extent.peak = Number.POSITIVE_INFINITY;
    return value;
  };
}

/** Functions that are nowhere zero. */
const vanishing = new Set(['exp', 'sech', 'csch']);

function inverse(a: Approximation): Approximation | null {
  const size = magnitude(a);
  if (size === 0 || size <= a.error * 2 ** -52) return null;
  return complex(a.re / size / size, -a.im / size / size, a.error / size / size);
}

function raised(base: Approximation, exponent: Approximation): Approximation | null {
  const size = magnitude(base);
  if (exponent.im === 0 && Number.isInteger(exponent.re) && exponent.error === 0 && Math.abs(exponent.re) <= 1024) {
    let result: Approximation = { re: 1, im: 0, error: 0 };
    let square: Approximation = base;
    for (let k = Math.abs(exponent.re); k > 0; k = Math.floor(k / 2)) {
      if (k % 2 === 1) result = times(result, square);
      if (k > 1) square = times(square, square);
    }
    return exponent.re < 0 ? inverse(result) : result;
  }
  if (size <= base.error * 2 ** -52)
    return exponent.im === 0 && exponent.re > 0 ? { re: 0, im: 0, error: base.error ** exponent.re } : null;
  if (exponent.im === 0 && exponent.re === 0.5) {
    const re = Math.sqrt((size + Math.abs(base.re)) / 2);
    const im = re === 0 ? 0 : Math.abs(base.im) / (2 * re);
    const error = base.error / (2 * Math.sqrt(size));
    return base.re >= 0 ? complex(re, base.im < 0 ? -im : im, error) : complex(im, base.im < 0 ? -re : re, error);
  }
  const logarithm = naturalLog(base);
  return logarithm && exponential(times(exponent, logarithm));
}

function naturalLog(a: Approximation): Approximation | null {
  const size = magnitude(a);
  if (size <= a.error * 2 ** -52) return null;
  const value = complex(Math.log(size), a.im === 0 ? (a.re < 0 ? Math.PI : 0) : Math.atan2(a.im, a.re), a.error / size);
  return { ...value, error: value.error + 1 };
}

function exponential(a: Approximation): Approximation {
  const scale = Math.exp(a.re);
  const error = scale * (a.error + Math.abs(a.re) + Math.abs(a.im));
  return a.im === 0 ? complex(scale, 0, error) : complex(scale * Math.cos(a.im), scale * Math.sin(a.im), error);
}

function called(name: string, args: readonly Approximation[]): Approximation | null {
  const [a, b] = args as [Approximation, Approximation];
  switch (name) {
    case 'exp':
      return exponential(a);
    case 'ln':
      return naturalLog(a);
    case 'log': {
      const over = naturalLog(a);
      const under = naturalLog(b);
      const inverted = under && inverse(under);
      return over && inverted && times(over, inverted);
    }
    case 'root': {
      const inverted = inverse(b);
      if (inverted === null) return null;
      const odd = b.im === 0 && Math.abs(b.re % 2) === 1 && a.im === 0 && a.re < 0;
      const positive = raised(odd ? negative(a) : a, inverted);
      return positive && (odd ? negative(positive) : positive);
    }
    case 'abs':
      return { re: magnitude(a), im: 0, error: a.error + magnitude(a) };
    case 're':
      return { re: a.re, im: 0, error: a.error };
    case 'im':
      return { re: a.im, im: 0, error: a.error };
    case 'conjugate':
      return { ...a, im: -a.im };
    case 'arg': {
      const logarithm = naturalLog(a);
      return logarithm && { re: logarithm.im, im: 0, error: logarithm.error };
    }
    case 'factorial':
      return factorialValue(a);
    case 'binomial':
    case 'gcd':
    case 'lcm':
      return null;
    case 'max':
    case 'min': {
      if (args.some(({ im }) => im !== 0)) return null;
      return args.reduce((x, y) => (x.re >= y.re === (name === 'max') ? x : y));
    }
    case 'floor':
    case 'ceil':
      return a.im === 0 ? { re: Math[name](a.re), im: 0, error: 0 } : null;
    case 'mod':
      return a.im === 0 && b.im === 0 && b.re !== 0 ? real(a.re - b.re * Math.floor(a.re / b.re)) : null;
    default:
      return trigonometric(name, a);
  }
}

function factorialValue(a: Approximation): Approximation | null {
  if (a.im !== 0 || !Number.isInteger(a.re) || a.re < 0 || a.re > 170) return null;
  let value = 1;
  for (let k = 2; k <= a.re; k += 1) value *= k;
  return real(value);
}

const realFunctions: Record<
  string,
  { of: (x: number) => number; slope: (x: number, y: number) => number; low?: number; high?: number }
> = {
  sin: { of: Math.sin, slope: (x) => Math.abs(Math.cos(x)) },
  cos: { of: Math.cos, slope: (x) => Math.abs(Math.sin(x)) },
  tan: { of: Math.tan, slope: (_, y) => 1 + y * y },
  cot: { of: (x) => 1 / Math.tan(x), slope: (_, y) => 1 + y * y },
  sec: { of: (x) => 1 / Math.cos(x), slope: (_, y) => y * y },
  csc: { of: (x) => 1 / Math.sin(x), slope: (_, y) => y * y },
  arcsin: { of: Math.asin, slope: (x) => 1 / Math.sqrt(Math.max(1e-30, 1 - x * x)), low: -1, high: 1 },
  arccos: { of: Math.acos, slope: (x) => 1 / Math.sqrt(Math.max(1e-30, 1 - x * x)), low: -1, high: 1 },
  arctan: { of: Math.atan, slope: () => 1 },
  arccot: { of: (x) => Math.PI / 2 - Math.atan(x), slope: () => 1 },
  arcsec: { of: (x) => Math.acos(1 / x), slope: (x) => 1 / (x * Math.sqrt(Math.max(1e-30, x * x - 1))), low: 1 },
  arccsc: { of: (x) => Math.asin(1 / x), slope: (x) => 1 / (x * Math.sqrt(Math.max(1e-30, x * x - 1))), low: 1 },
  sinh: { of: Math.sinh, slope: Math.cosh },
  cosh: { of: Math.cosh, slope: (x) => Math.abs(Math.sinh(x)) },
  tanh: { of: Math.tanh, slope: () => 1 },
  coth: { of: (x) => 1 / Math.tanh(x), slope: (_, y) => y * y },
  sech: { of: (x) => 1 / Math.cosh(x), slope: () => 1 },
  csch: { of: (x) => 1 / Math.sinh(x), slope: (_, y) => y * y + Math.abs(y) },
  arsinh: { of: Math.asinh, slope: () => 1 },
  arcosh: { of: Math.acosh, slope: (x) => 1 / Math.sqrt(Math.max(1e-30, x * x - 1)), low: 1 },
  artanh: { of: Math.atanh, slope: (x) => 1 / Math.max(1e-30, 1 - x * x), low: -1, high: 1 },
};

/** Trigonometric, hyperbolic and their inverses, over the reals only. */
function trigonometric(name: string, a: Approximation): Approximation | null {
  const entry = realFunctions[name];
  if (entry === undefined || a.im !== 0) return null;
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = entry;
  if (a.re < low || a.re > high) return null;
  const y = entry.of(a.re);
  if (Math.abs(y) > 1e15) return null; // a pole, as far as doubles can tell
  const slope = Math.abs(entry.slope(a.re, y));
  return { re: y, im: 0, error: slope * (a.error + Math.abs(a.re)) + Math.abs(y) + 1 };
}
