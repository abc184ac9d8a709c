import type { Budget } from './budget.js';
import { hash, nameOf, type Point } from './point.js';
import type { Rational } from './rational.js';
import * as q from './rational.js';
import type { FunctionName, Node, NodeOf } from './tree.js';

const maxTerms = 10_000;
const maxFactorial = 1_500n;
const maxRoot = 64n;

/**
 * The value of an expression at a point as an exact rational; null when it is not one, is undefined there or too large.
 * Unknown functions get a value hashed from their name and arguments: the same arguments, the same value.
 */
export function exactValue(node: Node, point: Point, budget: Budget): Rational | null {
  budget.spend(1);
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'symbol':
    case 'text':
    case 'opaque':
      return point.get(nameOf(node)!) ?? null;
    case 'add':
      return folded(node.terms, q.zero, q.add, point, budget);
    case 'multiply':
      return folded(node.factors, q.one, q.multiply, point, budget);
    case 'power':
      return powerValue(node, point, budget);
    case 'percent': {
      const inner = exactValue(node.inner, point, budget);
      return inner && q.rational(inner.n, inner.d * 100n);
    }
    case 'based':
      return basedValue(node);
    case 'call': {
      const args = argumentValues(node.args, point, budget);
      return args && callValue(node.name, args, budget);
    }
    case 'apply': {
      const args = argumentValues(node.args, point, budget);
      return args && q.integer(hash(`${node.name}(${args.map(({ n, d }) => `${n}/${d}`).join()})`) >>> 8);
    }
    case 'sum':
    case 'product':
      return repeatedValue(node, point, budget);
    default:
      return null;
  }
}

function folded(
  nodes: readonly Node[],
  start: Rational,
  operation: (a: Rational, b: Rational) => Rational | null,
  point: Point,
  budget: Budget,
): Rational | null {
  let result: Rational | null = start;
  for (const node of nodes) {
    const value: Rational | null = exactValue(node, point, budget);
    result = value && operation(result, value);
    if (result === null) return null;
    budget.spend(q.cost(result));
  }
  return result;
}

function argumentValues(args: readonly Node[], point: Point, budget: Budget): Rational[] | null {
  const values: Rational[] = [];
  for (const arg of args) {
    const value = exactValue(arg, point, budget);
    if (value === null) return null;
    values.push(value);
  }
  return values;
}

function powerValue({ base, exponent }: NodeOf<'power'>, point: Point, budget: Budget): Rational | null {
  const b = exactValue(base, point, budget);
  const e = b && exactValue(exponent, point, budget);
  if (b === null || e === null) return null;
  budget.spend(q.cost(b));
  if (q.isInteger(e)) return q.power(b, e.n);
  if (e.d > maxRoot) return null;
  const root = q.root(b, Number(e.d));
  return root && q.power(root, e.n);
}

const baseDigits = '0123456789abcdefghijklmnopqrstuvwxyz';

/** @returns null when a digit is not of the base */
export function basedValue({ digits, base }: NodeOf<'based'>): Rational | null {
  let value = 0n;
  const negative = digits.startsWith('-');
  for (const digit of digits.slice(negative ? 1 : 0).toLowerCase()) {
    const worth = baseDigits.indexOf(digit);
    if (worth < 0 || worth >= base) return null;
    value = value * BigInt(base) + BigInt(worth);
  }
  return q.rational(negative ? -value : value);
}

function repeatedValue(node: NodeOf<'sum' | 'product'>, point: Point, budget: Budget): Rational | null {
  const low = exactValue(node.low, point, budget);
  const high = low && exactValue(node.high, point, budget);
  if (low === null || high === null || !q.isInteger(low) || !q.isInteger(high)) return null;
  if (high.n - low.n >= BigInt(maxTerms)) return null;
  const inner = new Map(point);
  let result: Rational | null = node.kind === 'sum' ? q.zero : q.one;
  for (let k = low.n; k <= high.n; k += 1n) {
    inner.set(node.variable, { n: k, d: 1n });
    const term: Rational | null = exactValue(node.body, inner, budget);
    result = term && (node.kind === 'sum' ? q.add(result, term) : q.multiply(result, term));
    if (result === null) return null;
    budget.spend(4 + q.cost(result));
  }
  return result;
}

function callValue(name: FunctionName, args: readonly Rational[], budget: Budget): Rational | null {
  const [a, b] = args as [Rational, Rational];
  switch (name) {
    case 'abs':
      return a.n < 0n ? q.negate(a) : a;
    case 'floor':
      return q.floor(a);
    case 'ceil':
      return q.negate(q.floor(q.negate(a)));
    case 'factorial':
      return q.isInteger(a) && a.n >= 0n && a.n <= maxFactorial ? { n: product(1n, a.n, budget), d: 1n } : null;
    case 'binomial':
      return binomial(a, b, budget);
    case 'gcd':
    case 'lcm':
      return args.every(q.isInteger) ? args.reduce((x, y) => gcdOrLcm(name, x, y)) : null;
    case 'max':
      return args.reduce((x, y) => (q.compare(x, y) >= 0 ? x : y));
    case 'min':
      return args.reduce((x, y) => (q.compare(x, y) <= 0 ? x : y));
    case 'mod': {
      const quotient = q.divide(a, b);
      const whole = quotient && q.multiply(b, q.floor(quotient));
      return whole && q.add(a, q.negate(whole));
    }
    case 'root':
      return q.isInteger(b) && b.n >= 2n && b.n <= maxRoot ? q.root(a, Number(b.n)) : null;
    case 'log':
      return logarithm(a, b);
    case 're':
    case 'conjugate':
      return a;
    case 'im':
      return q.zero;
    case 'ln':
      return q.equal(a, q.one) ? q.zero : null;
    case 'exp':
    case 'cos':
    case 'sec':
    case 'cosh':
    case 'sech':
      return a.n === 0n ? q.one : null;
    case 'sin':
    case 'tan':
    case 'arcsin':
    case 'arctan':
    case 'sinh':
    case 'tanh':
    case 'arsinh':
    case 'artanh':
      return a.n === 0n ? q.zero : null;
    default:
      return null;
  }
}

function gcdOrLcm(name: 'gcd' | 'lcm', x: Rational, y: Rational): Rational {
  const common = q.gcd(x.n, y.n);
  const size = common < 0n ? -common : common;
  if (name === 'gcd') return { n: size, d: 1n };
  const multiple = size === 0n ? 0n : (x.n * y.n) / size;
  return { n: multiple < 0n ? -multiple : multiple, d: 1n };
}

function product(low: bigint, high: bigint, budget: Budget): bigint {
  let result = 1n;
  for (let k = low; k <= high; k += 1n) result *= k;
  budget.spend(Number(high - low) + 1);
  return result;
}

function binomial(n: Rational, k: Rational, budget: Budget): Rational | null {
  if (!q.isInteger(n) || !q.isInteger(k) || n.n < 0n) return null;
  if (k.n < 0n || k.n > n.n) return q.zero;
  const smaller = k.n * 2n > n.n ? n.n - k.n : k.n;
  if (smaller > maxFactorial || q.bits(n.n) * Number(smaller) > 4 * q.maxBits) return null;
  return q.rational(product(n.n - smaller + 1n, n.n, budget), product(1n, smaller, budget));
}

/** log_b a when it is a fraction of small whole numbers. */
function logarithm(a: Rational, b: Rational): Rational | null {
  if (a.n <= 0n || b.n <= 0n || q.equal(b, q.one)) return null;
  if (q.equal(a, q.one)) return q.zero;
  const ratio = q.toDouble(a) > 0 ? Math.log(q.toDouble(a)) / Math.log(q.toDouble(b)) : Number.NaN;
  if (!Number.isFinite(ratio)) return null;
  for (let d = 1n; d <= 12n; d += 1n) {
    const n = BigInt(Math.round(ratio * Number(d)));
    const left = q.power(a, d);
    const right = q.power(b, n);
    if (left && right && q.equal(left, right)) return q.rational(n, d);
  }
  return null;
}
