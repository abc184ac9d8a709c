import * as exactly from '../../maths/rational.js';
import type { Expression } from './expression.js';
import {
  add,
  floatOfDecimal,
  isInteger,
  maxBits,
  multiply,
  negate,
  rational,
  reciprocal,
  roundToBits,
  type SympyNumber,
} from './sympy-number.js';

export type Unevaluated =
  /** Division by zero. */
  | 'undefined'
  /** A root that is no rational number, or of a negative one. */
  | 'irrational'
  /** Sympy would need its whole time limit, or the result has more than `maxBits` bits. */
  | 'too_big';

/** The value of an expression as sympy's `doit` computes it: exact unless a decimal takes part. */
export function evaluate(tree: Expression): SympyNumber | Unevaluated {
  switch (tree.op) {
    case 'integer':
      return rational(tree.value);
    case 'decimal':
      return floatOfDecimal(tree.text);
    case 'negate': {
      const value = evaluate(tree.of);
      return typeof value === 'string' ? value : negate(value);
    }
    default: {
      const left = evaluate(tree.left);
      if (typeof left === 'string') return left;
      const right = evaluate(tree.right);
      if (tree.op === 'power' && right !== 'undefined' && isOne(left)) return left;
      if (typeof right === 'string') return right;
      return apply(tree.op, left, right);
    }
  }
}

function apply(
  op: Exclude<Expression['op'], 'integer' | 'decimal' | 'negate'>,
  left: SympyNumber,
  right: SympyNumber,
): SympyNumber | Unevaluated {
  switch (op) {
    case 'add':
      return add(left, right) ?? 'too_big';
    case 'subtract':
      return add(left, negate(right)) ?? 'too_big';
    case 'multiply':
      return multiply(left, right) ?? 'too_big';
    case 'divide':
      return divide(left, right);
    case 'floor-divide':
      return right.n === 0n ? 'undefined' : floorDivide(left, right);
    case 'power':
      return power(left, right);
  }
}

/** An exact one to any power is one. */
function isOne(x: SympyNumber): boolean {
  return x.kind === 'rational' && x.n === x.d;
}

function divide(left: SympyNumber, right: SympyNumber): SympyNumber | Unevaluated {
  const inverse = reciprocal(right);
  return inverse === null ? 'undefined' : (multiply(left, inverse) ?? 'too_big');
}

/**
 * `//` as sympy has it, where it depends on the types: a number by an integer is cut off before it is divided, an integer by
 * something else gets one too little when it is negative and the quotient whole, and only otherwise is it the floor.
 */
function floorDivide(left: SympyNumber, right: SympyNumber): SympyNumber | Unevaluated {
  if (right.kind === 'rational' && isInteger(right)) {
    return rational(floor(left.n / left.d, right.n / right.d));
  }
  if (left.kind === 'rational' && isInteger(left)) {
    const n = left.n * right.d;
    const d = left.d * right.n;
    const isShort = right.kind === 'rational' && n < 0n !== d < 0n && n !== 0n && n % d === 0n;
    return rational(floor(n, d) - (isShort ? 1n : 0n));
  }
  const quotient = divide(left, right);
  return typeof quotient === 'string' ? quotient : rational(floor(quotient.n, quotient.d));
}

function floor(n: bigint, d: bigint): bigint {
  const quotient = n / d;
  return n < 0n !== d < 0n && quotient * d !== n ? quotient - 1n : quotient;
}

function power(base: SympyNumber, exponent: SympyNumber): SympyNumber | Unevaluated {
  if (exponent.n === 0n) return rational(1n);
  if (base.n === 0n) return exponent.n > 0n ? rational(0n) : 'undefined';
  const precision = Math.max(
    base.kind === 'float' ? base.precision : 0,
    exponent.kind === 'float' ? exponent.precision : 0,
  );
  const result = isInteger(exponent)
    ? wholePower(base, exponent.n / exponent.d)
    : precision > 0
      ? doublePower(base, exponent)
      : root(base, exponent);
  return typeof result === 'string' || precision === 0 ? result : roundToBits(result, precision);
}

function wholePower({ n, d }: SympyNumber, exponent: bigint): SympyNumber | Unevaluated {
  const size = exponent < 0n ? -exponent : exponent;
  if (d === 1n && (n === 1n || n === -1n)) return rational(n === 1n || size % 2n === 0n ? 1n : -1n);
  if (size > BigInt(maxBits)) return 'too_big';
  if (Math.max(exactly.bits(n), exactly.bits(d)) * Number(size) > maxBits) return 'too_big';
  return exponent > 0n ? rational(n ** size, d ** size) : rational(d ** size, n ** size);
}

/** A power with a decimal in it, to double precision. */
function doublePower(base: SympyNumber, exponent: SympyNumber): SympyNumber | Unevaluated {
  if (base.n < 0n) return 'irrational';
  const value = exactly.toDouble(base) ** exactly.toDouble(exponent);
  if (!Number.isFinite(value)) return 'too_big';
  let scaled = value;
  let shift = 0n;
  for (; !Number.isInteger(scaled); scaled *= 2) shift += 1n;
  return rational(BigInt(scaled), 1n << shift);
}

/** Beyond this size no root is sought: sympy factorises, and gives up sooner. */
const maxRootBits = 2048;

function root(base: SympyNumber, exponent: SympyNumber): SympyNumber | Unevaluated {
  if (base.n < 0n) return 'irrational';
  if ([base.n, base.d, exponent.n, exponent.d].some((x) => exactly.bits(x) > maxRootBits)) return 'irrational';
  const reducedBase = exactly.rational(base.n, base.d);
  const reducedExponent = exactly.rational(exponent.n, exponent.d);
  if (!reducedBase || !reducedExponent || reducedExponent.d > BigInt(maxRootBits)) return 'irrational';
  const found = exactly.root(reducedBase, Number(reducedExponent.d));
  return found === null ? 'irrational' : wholePower(rational(found.n, found.d), reducedExponent.n);
}
