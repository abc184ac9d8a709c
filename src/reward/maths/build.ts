import { unparsable } from './lex.js';
import { rational } from './rational.js';
import { type Joint, minusOne, type Node, type NumberNode, negated, numberNode } from './tree.js';

export function radians(angle: Node): Node {
  return { kind: 'multiply', factors: [angle, { kind: 'constant', name: 'pi' }, numberNode(1n, 180n)] };
}

/** Laplace's expansion along the first row, up to 5 x 5. */
export function determinant(rows: readonly (readonly Node[])[]): Node {
  if (rows.length > 5 || rows.some((row) => row.length !== rows.length)) throw unparsable;
  const [first, ...others] = rows;
  if (others.length === 0) return first![0]!;
  const terms = first!.map((entry, column): Node => {
    const minor = determinant(others.map((row) => row.filter((_, index) => index !== column)));
    const term: Node = { kind: 'multiply', factors: [entry, minor] };
    return column % 2 === 0 ? term : negated(term);
  });
  return { kind: 'add', terms };
}

export function unreadable(): never {
  throw unparsable;
}

/** a.bc(def) with the last digits repeating: (abcdef - abc) / (10^places * (10^period - 1)). */
export function repeating(whole: string, decimals: string, period: string): Node {
  if (!/^\d{1,100}$/.test(period)) throw unparsable;
  const before = BigInt(whole + decimals || '0');
  const all = BigInt(whole + decimals + period);
  const value = rational(all - before, 10n ** BigInt(decimals.length) * (10n ** BigInt(period.length) - 1n));
  if (value === null) throw unparsable;
  return { kind: 'number', value, decimal: false };
}

/** From the right: a whole number before a positive number, and nothing else, is added to it. */
export function addAdjacent(factors: Node[]): void {
  while (factors.length > 1) {
    const right = factors.at(-1)!;
    const left = factors.at(-2)!;
    if (right.kind !== 'number' || right.decimal || right.value.n <= 0n || left.kind !== 'number' || !isWhole(left))
      return;
    const { n, d } = right.value;
    const sum = rational(left.value.n * d + (left.value.n < 0n ? -n : n), d);
    if (sum === null) return;
    factors.splice(-2, 2, { kind: 'number', value: sum, decimal: false });
  }
}

export function listOf(items: readonly Node[], joint: Joint): Node {
  const [first, ...others] = items;
  if (others.length === 0) return first!;
  if (
    first!.kind === 'relation' &&
    first!.names.length === 1 &&
    (first!.names[0] === '=' || first!.names[0] === 'in') &&
    others.every(({ kind }) => kind !== 'relation')
  ) {
    const [left, right] = first!.sides;
    return { ...first!, sides: [left!, { kind: 'list', items: [right!, ...others], joint }] };
  }
  return { kind: 'list', items, joint };
}

export function sumOf(terms: readonly Node[]): Node {
  return terms.length === 1 ? terms[0]! : { kind: 'add', terms };
}

export function productOf(factors: readonly Node[]): Node {
  return factors.length === 1 ? factors[0]! : { kind: 'multiply', factors };
}

export function divided(numerator: Node, denominator: Node): Node {
  return productOf(quotient(numerator, denominator));
}

/** The factors of a quotient; of whole numbers, the number that it is. */
export function quotient(numerator: Node, denominator: Node): Node[] {
  if (isWhole(numerator) && isWhole(denominator)) {
    const value = rational((numerator as NumberNode).value.n, (denominator as NumberNode).value.n);
    if (value !== null) return [{ kind: 'number', value, decimal: false }];
  }
  return [numerator, { kind: 'power', base: denominator, exponent: minusOne }];
}

export function isWhole(node: Node): boolean {
  return node.kind === 'number' && !node.decimal && node.value.d === 1n;
}

export function isNumber(node: Node, n: bigint): boolean {
  return node.kind === 'number' && node.value.n === n && node.value.d === 1n;
}

export function isMinusOne(node: Node): boolean {
  return isNumber(node, -1n);
}

export function isBareSymbol(node: Node): boolean {
  return (
    node.kind === 'symbol' || node.kind === 'text' || (node.kind === 'multiply' && node.factors.every(isBareSymbol))
  );
}

export function isLetter(node: Node): boolean {
  return (
    (node.kind === 'symbol' && node.name.length === 1) ||
    (node.kind === 'constant' && (node.name === 'e' || node.name === 'i'))
  );
}

export function letterOf(node: Node): string {
  return (node as { name: string }).name;
}

export function isSet(node: Node): boolean {
  return ['set', 'named-set', 'set-operation', 'tuple'].includes(node.kind);
}
