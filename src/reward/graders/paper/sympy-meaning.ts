/** What sympy makes of the parts of an expression, as trees of the maths core. Nothing is simplified. */
import { variablesOf } from '../../maths/point.js';
import { type FunctionName, type Node, numberNode, type RelationName, some } from '../../maths/tree.js';

/** A whole number with leading zeros: it is read, but in the end sympy's `Number` raises. */
const unconvertible: Node = { kind: 'opaque', text: 'leading zero' };

const half: Node = { kind: 'number', value: { n: 1n, d: 2n }, decimal: false };
const minusOne = numberNode(-1n);

export function isConvertible(node: Node): boolean {
  return !some(node, (part) => part === unconvertible);
}

export function call(name: FunctionName, ...args: Node[]): Node {
  return { kind: 'call', name, args };
}

export function multiplied(factors: readonly Node[]): Node {
  return factors.length === 1 ? factors[0]! : { kind: 'multiply', factors };
}

export function reciprocal(node: Node): Node {
  return { kind: 'power', base: node, exponent: minusOne };
}

/** Powers are principal values: (-8)^(1/3) is no real number, while the core takes the real root. */
export function raised(base: Node, exponent: Node): Node {
  const isNegative = base.kind === 'number' && base.value.n < 0n;
  const isWhole = exponent.kind === 'number' && exponent.value.d === 1n;
  if (!isNegative || isWhole || exponent === half) return { kind: 'power', base, exponent };
  return call('exp', multiplied([exponent, call('ln', base)]));
}

export function rooted(inner: Node, index: Node | null): Node {
  return raised(inner, index === null ? half : reciprocal(index));
}

/** Variables are complex to sympy and real to the core, where the conjugate would be the number itself. */
export function conjugated(inner: Node): Node {
  return variablesOf(inner).names.size === 0 ? call('conjugate', inner) : unknownFunction('conjugate', [inner]);
}

/** Of an unknown function a decimal is another argument than the fraction of the same value. */
export function unknownFunction(name: string, args: readonly Node[]): Node {
  const places = args.flatMap((arg, place) => (some(arg, isDecimal) ? [place] : []));
  return { kind: 'apply', name: places.length === 0 ? name : `${name} ${places.join()}`, args };
}

function isDecimal(node: Node): boolean {
  return node.kind === 'number' && node.decimal;
}

export function wholeNumber(digits: string): Node {
  return /^0+[1-9]/.test(digits) ? unconvertible : numberNode(BigInt(digits));
}

export function decimalNumber(digits: string, decimals: string): Node {
  const scale = 10n ** BigInt(decimals.length);
  const whole = BigInt(digits + decimals);
  const common = gcd(whole, scale);
  return { kind: 'number', value: { n: whole / common, d: scale / common }, decimal: true };
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

/** Null for the order of a relation and an expression, where sympy raises a TypeError: `1<x<2`. */
export function related(left: Node, name: RelationName, right: Node): Node | null {
  if (left.kind === 'relation' && name !== '=' && name !== '!=') return null;
  return { kind: 'relation', names: [name], sides: [left, right] };
}

const inverses = new Map<string, FunctionName>([
  ['sin', 'arcsin'], ['cos', 'arccos'], ['tan', 'arctan'], ['sinh', 'arsinh'], ['cosh', 'arcosh'], ['tanh', 'artanh'],
]); // biome-ignore format: a table
const ofReciprocal = new Map<string, FunctionName>([
  ['arccsc', 'arcsin'], ['arcsec', 'arccos'], ['arccot', 'arctan'],
]); // biome-ignore format: a table

/** `\lg` is to base ten, `\log` and `\ln` are natural unless a base is written; `^{-1}` inverts what has an inverse. */
export function applied(name: string, argument: Node, sub: Node | undefined, sup: Node | undefined): Node {
  const inverting = sup?.kind === 'number' && sup.value.n === -1n && sup.value.d === 1n;
  const inverse = inverting
    ? (inverses.get(name) ?? (/^(?:csc|sec|cot)$/.test(name) ? `arc${name}` : undefined))
    : undefined;
  const node = evaluated(inverse ?? name, argument, sub);
  const isZero = sup?.kind === 'number' && sup.value.n === 0n;
  return sup === undefined || inverse !== undefined || isZero ? node : { kind: 'power', base: node, exponent: sup };
}

function evaluated(name: string, argument: Node, base: Node | undefined): Node {
  if (name === 'log' || name === 'ln' || name === 'lg') {
    const written = base ?? (name === 'lg' ? numberNode(10n) : undefined);
    return written === undefined ? call('ln', argument) : call('log', argument, written);
  }
  const inverted = ofReciprocal.get(name);
  return inverted === undefined ? call(name as FunctionName, argument) : call(inverted, reciprocal(argument));
}
