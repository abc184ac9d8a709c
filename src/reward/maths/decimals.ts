import { Decimal } from 'decimal.js';
import type { Budget } from './budget.js';
import { exactValue } from './exact.js';
import { hash, nameOf, type Point } from './point.js';
import type { Rational } from './rational.js';
import type { Node } from './tree.js';

/** More digits than this are not worked with. */
export const maxDigits = 500;

/** decimal.js knows 1,025 digits of pi. */
const maxPiDigits = 1_000;

export interface ComplexDecimal {
  readonly re: Decimal;
  readonly im: Decimal;
}

const arithmetics = new Map<number, DecimalArithmetic>();

/** The value at a point in complex decimals; null when it is undefined there. Costs budget by the square of the digits. */
export function decimalValue(node: Node, point: Point, digits: number, budget: Budget): ComplexDecimal | null {
  let arithmetic = arithmetics.get(digits);
  if (arithmetic === undefined) {
    arithmetic = new DecimalArithmetic(digits);
    arithmetics.set(digits, arithmetic);
  }
  return arithmetic.value(node, point, budget);
}

/** Complex numbers of a number of significant digits. */
class DecimalArithmetic {
  private readonly D: typeof Decimal;
  private readonly cost: number;
  private readonly pi: Decimal;
  private readonly zero: Decimal;
  private readonly one: ComplexDecimal;

  constructor(digits: number) {
    this.D = Decimal.clone({ precision: digits, defaults: true });
    this.cost = Math.ceil((digits / 50) ** (digits > 160 ? 3 : 2) * 1_500); // logarithms of many digits take longest
    this.pi = this.D.acos(-1);
    this.zero = new this.D(0);
    this.one = { re: new this.D(1), im: this.zero };
  }

  value(node: Node, point: Point, budget: Budget): ComplexDecimal | null {
    budget.spend(4);
    const value = this.evaluated(node, point, budget);
    return value?.re.isFinite() && value.im.isFinite() ? value : null;
  }

  private evaluated(node: Node, point: Point, budget: Budget): ComplexDecimal | null {
    switch (node.kind) {
      case 'number':
        return this.rational(node.value);
      case 'constant':
        if (node.name === 'infinity') return null;
        if (node.name === 'i') return { re: this.zero, im: new this.D(1) };
        return this.real(node.name === 'pi' ? this.pi : this.D.exp(1));
      case 'symbol':
      case 'text':
      case 'opaque': {
        const value = point.get(nameOf(node)!);
        return value === undefined ? null : this.rational(value);
      }
      case 'add':
        return this.folded(node.terms, { re: this.zero, im: this.zero }, this.plus, point, budget);
      case 'multiply':
        return this.folded(node.factors, this.one, this.times, point, budget);
      case 'power':
        return this.powerOf(node.base, node.exponent, point, budget);
      case 'percent': {
        const inner = this.value(node.inner, point, budget);
        return inner && { re: inner.re.div(100), im: inner.im.div(100) };
      }
      case 'based':
      case 'sum':
      case 'product':
        return this.repeated(node, point, budget);
      case 'call': {
        const args = this.values(node.args, point, budget);
        budget.spend(this.cost);
        return args && this.called(node.name, args);
      }
      case 'apply': {
        const args = this.values(node.args, point, budget);
        if (args === null) return null;
        const parts = args.map(({ re, im }) => `${re.toNumber().toPrecision(9)},${im.toNumber().toPrecision(9)}`);
        return this.real(new this.D(hash(`${node.name}(${parts.join(';')})`) >>> 8));
      }
      default:
        return null;
    }
  }

  private values(nodes: readonly Node[], point: Point, budget: Budget): ComplexDecimal[] | null {
    const values: ComplexDecimal[] = [];
    for (const node of nodes) {
      const value = this.value(node, point, budget);
      if (value === null) return null;
      values.push(value);
    }
    return values;
  }

  private folded(
    nodes: readonly Node[],
    start: ComplexDecimal,
    operation: (a: ComplexDecimal, b: ComplexDecimal) => ComplexDecimal,
    point: Point,
    budget: Budget,
  ): ComplexDecimal | null {
    let result = start;
    for (const node of nodes) {
      const value = this.value(node, point, budget);
      if (value === null) return null;
      result = operation(result, value);
    }
    return result;
  }

  private repeated(node: Node, point: Point, budget: Budget): ComplexDecimal | null {
    const exact = exactValue(node, point, budget);
    if (exact !== null) return this.rational(exact);
    if (node.kind !== 'sum' && node.kind !== 'product') return null;
    const low = exactValue(node.low, point, budget);
    const high = low && exactValue(node.high, point, budget);
    if (low === null || high === null || low.d !== 1n || high.d !== 1n || high.n - low.n > 1000n) return null;
    const inner = new Map(point);
    let result: ComplexDecimal = node.kind === 'sum' ? { re: this.zero, im: this.zero } : this.one;
    for (let k = low.n; k <= high.n; k += 1n) {
      inner.set(node.variable, { n: k, d: 1n });
      const term = this.value(node.body, inner, budget);
      if (term === null) return null;
      result = node.kind === 'sum' ? this.plus(result, term) : this.times(result, term);
    }
    return result;
  }

  private rational({ n, d }: Rational): ComplexDecimal {
    const numerator = new this.D(n.toString());
    return this.real(d === 1n ? numerator : numerator.div(d.toString()));
  }

  private real(re: Decimal): ComplexDecimal {
    return { re, im: this.zero };
  }

  private readonly plus = (a: ComplexDecimal, b: ComplexDecimal): ComplexDecimal => ({
    re: a.re.plus(b.re),
    im: a.im.plus(b.im),
  });

  private readonly times = (a: ComplexDecimal, b: ComplexDecimal): ComplexDecimal =>
    a.im.isZero() && b.im.isZero()
      ? this.real(a.re.times(b.re))
      : { re: a.re.times(b.re).minus(a.im.times(b.im)), im: a.re.times(b.im).plus(a.im.times(b.re)) };

  private negative(a: ComplexDecimal): ComplexDecimal {
    return { re: a.re.neg(), im: a.im.neg() };
  }

  private inverse(a: ComplexDecimal): ComplexDecimal | null {
    if (a.im.isZero()) return a.re.isZero() ? null : this.real(new this.D(1).div(a.re));
    const squared = a.re.times(a.re).plus(a.im.times(a.im));
    return { re: a.re.div(squared), im: a.im.neg().div(squared) };
  }

  private size(a: ComplexDecimal): Decimal {
    return a.im.isZero() ? a.re.abs() : this.D.hypot(a.re, a.im);
  }

  private powerOf(baseNode: Node, exponentNode: Node, point: Point, budget: Budget): ComplexDecimal | null {
    const base = this.value(baseNode, point, budget);
    const exponent = base && this.value(exponentNode, point, budget);
    if (base === null || exponent === null) return null;
    budget.spend(exponent.re.isInteger() || exponent.re.eq(0.5) ? this.cost >> 2 : this.cost >> 1);
    const rational = exponentNode.kind === 'number' ? exponentNode.value : null;
    const odd = rational !== null && rational.d % 2n === 1n && rational.d > 1n;
    if (odd && base.im.isZero() && base.re.isNegative()) {
      const positive = this.raised(this.negative(base), exponent);
      return positive && (rational.n % 2n === 0n ? positive : this.negative(positive));
    }
    return this.raised(base, exponent);
  }

  private raised(base: ComplexDecimal, exponent: ComplexDecimal): ComplexDecimal | null {
    if (exponent.im.isZero()) {
      const e = exponent.re;
      if (e.isInteger() && e.abs().lte(1024)) return this.integerPower(base, e.toNumber());
      if (base.re.isZero() && base.im.isZero()) return e.isPositive() ? base : null;
      if (e.eq(0.5)) return this.squareRoot(base);
      if (base.im.isZero() && base.re.isPositive()) return this.real(base.re.pow(e));
    }
    const logarithm = this.naturalLog(base);
    return logarithm && this.exponential(this.times(exponent, logarithm));
  }

  private integerPower(base: ComplexDecimal, exponent: number): ComplexDecimal | null {
    let result = this.one;
    let square = base;
    for (let k = Math.abs(exponent); k > 0; k = Math.floor(k / 2)) {
      if (k % 2 === 1) result = this.times(result, square);
      if (k > 1) square = this.times(square, square);
    }
    return exponent < 0 ? this.inverse(result) : result;
  }

  private squareRoot(a: ComplexDecimal): ComplexDecimal {
    if (a.im.isZero()) {
      return a.re.isNegative() ? { re: this.zero, im: a.re.neg().sqrt() } : this.real(a.re.sqrt());
    }
    const size = this.size(a);
    const larger = size.plus(a.re.abs()).div(2).sqrt();
    const smaller = a.im.abs().div(larger.times(2));
    const [re, im] = a.re.isNegative() ? [smaller, larger] : [larger, smaller];
    return { re, im: a.im.isNegative() ? im.neg() : im };
  }

  private naturalLog(a: ComplexDecimal): ComplexDecimal | null {
    const size = this.size(a);
    if (size.isZero()) return null;
    const im = a.im.isZero() ? (a.re.isNegative() ? this.pi : this.zero) : this.D.atan2(a.im, a.re);
    return { re: size.ln(), im };
  }

  private exponential(a: ComplexDecimal): ComplexDecimal | null {
    if (a.re.abs().gt(100_000)) return null;
    const scale = a.re.exp();
    return a.im.isZero() ? this.real(scale) : { re: scale.times(a.im.cos()), im: scale.times(a.im.sin()) };
  }

  private called(name: string, args: readonly ComplexDecimal[]): ComplexDecimal | null {
    const [a, b] = args as [ComplexDecimal, ComplexDecimal];
    switch (name) {
      case 'exp':
        return this.exponential(a);
      case 'ln':
        return this.naturalLog(a);
      case 'log': {
        const over = this.naturalLog(a);
        const under = this.naturalLog(b);
        const inverted = under && this.inverse(under);
        return over && inverted && this.times(over, inverted);
      }
      case 'root': {
        if (!b.im.isZero() || !b.re.isInteger() || b.re.isZero()) return null;
        const odd = !b.re.mod(2).isZero() && a.im.isZero() && a.re.isNegative();
        const inverted = this.inverse(b)!;
        const positive = this.raised(odd ? this.negative(a) : a, inverted);
        return positive && (odd ? this.negative(positive) : positive);
      }
      case 'abs':
        return this.real(this.size(a));
      case 're':
        return this.real(a.re);
      case 'im':
        return this.real(a.im);
      case 'conjugate':
        return { re: a.re, im: a.im.neg() };
      case 'arg': {
        const logarithm = this.naturalLog(a);
        return logarithm && this.real(logarithm.im);
      }
      default:
        return args.every(({ im }) => im.isZero())
          ? this.realCall(
              name,
              args.map(({ re }) => re),
            )
          : null;
    }
  }

  private realCall(name: string, args: readonly Decimal[]): ComplexDecimal | null {
    const [a, b] = args as [Decimal, Decimal];
    if (name === 'factorial') return this.factorial(a);
    if (name === 'max' || name === 'min') return this.real(this.D[name](...args));
    if (name === 'floor' || name === 'ceil') return this.real(a[name]());
    if (name === 'mod') return b.isZero() ? null : this.real(a.minus(b.times(a.div(b).floor())));
    const value = this.trigonometric(name, a);
    return value === null || !value.isFinite() ? null : this.real(value);
  }

  private factorial(a: Decimal): ComplexDecimal | null {
    if (!a.isInteger() || a.isNegative() || a.gt(170)) return null;
    let value = new this.D(1);
    for (let k = 2; k <= a.toNumber(); k += 1) value = value.times(k);
    return this.real(value);
  }

  private trigonometric(name: string, a: Decimal): Decimal | null {
    if (a.e + this.D.precision > maxPiDigits) return null; // there are not that many digits of pi to reduce it by
    const one = this.one.re;
    switch (name) {
      case 'sin':
      case 'cos':
      case 'tan':
      case 'sinh':
      case 'cosh':
      case 'tanh':
        return a[name]();
      case 'cot':
        return one.div(a.tan());
      case 'sec':
        return one.div(a.cos());
      case 'csc':
        return one.div(a.sin());
      case 'coth':
        return one.div(a.tanh());
      case 'sech':
        return one.div(a.cosh());
      case 'csch':
        return one.div(a.sinh());
      case 'arcsin':
        return a.asin();
      case 'arccos':
        return a.acos();
      case 'arctan':
        return a.atan();
      case 'arccot':
        return this.pi.div(2).minus(a.atan());
      case 'arcsec':
        return one.div(a).acos();
      case 'arccsc':
        return one.div(a).asin();
      case 'arsinh':
        return a.asinh();
      case 'arcosh':
        return a.acosh();
      case 'artanh':
        return a.atanh();
      default:
        return null;
    }
  }
}
