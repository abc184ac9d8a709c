import type { Rational } from './rational.js';
import { children, type Node } from './tree.js';

/** Values of variables, exact in every arithmetic: dyadic rationals, so that doubles and decimals hold them too. */
export type Point = ReadonlyMap<string, Rational>;

export const numPoints = 8;

/** The variables of an expression, and those among them that only make sense as whole numbers. */
export interface Variables {
  readonly names: ReadonlySet<string>;
  readonly whole: ReadonlySet<string>;
  /** Sums, products and whole powers only: they are the same everywhere if they are the same at enough whole numbers. */
  readonly polynomial: boolean;
}

const wholeArguments = new Set(['factorial', 'binomial', 'gcd', 'lcm', 'mod']);

export function variablesOf(...nodes: readonly Node[]): Variables {
  const names = new Set<string>();
  const whole = new Set<string>();
  const visit = (node: Node, inWhole: boolean, bound: ReadonlySet<string>): void => {
    const name = nameOf(node);
    if (name !== null) {
      if (bound.has(name)) return;
      names.add(name);
      if (inWhole) whole.add(name);
      return;
    }
    if (node.kind === 'sum' || node.kind === 'product') {
      visit(node.low, true, bound);
      visit(node.high, true, bound);
      visit(node.body, inWhole, new Set([...bound, node.variable]));
      return;
    }
    const wholeHere = inWhole || (node.kind === 'call' && wholeArguments.has(node.name));
    if (node.kind === 'power') {
      visit(node.base, inWhole, bound);
      visit(node.exponent, inWhole || isNegative(node.base), bound);
      return;
    }
    for (const child of children(node)) visit(child, wholeHere, bound);
  };
  for (const node of nodes) visit(node, false, new Set());
  return { names, whole, polynomial: nodes.every(isPolynomial) };
}

function isPolynomial(node: Node): boolean {
  if (node.kind === 'power' && !(node.exponent.kind === 'number' && node.exponent.value.d === 1n)) return false;
  const arithmetic = ['number', 'symbol', 'text', 'opaque', 'add', 'multiply', 'power', 'percent'].includes(node.kind);
  return arithmetic && children(node).every(isPolynomial);
}

/** The name under which a leaf is looked up in a point, or null when it is none. */
export function nameOf(node: Node): string | null {
  if (node.kind === 'symbol') return node.name;
  if (node.kind === 'text') return `text ${node.text.toLowerCase()}`;
  if (node.kind === 'opaque') return node.text;
  return null;
}

function isNegative(node: Node): boolean {
  return node.kind === 'number' && node.value.n < 0n;
}

/**
 * The k-th sample point: values hashed from names, m/64 (m for polynomials) with |m| spread evenly over the orders of magnitude from 2 to 2^17, of
 * either sign; whole numbers from 3 to 34 where only those make sense. `small` ones are between -1 and 1, for what is defined there only.
 */
export function samplePoint({ names, whole, polynomial }: Variables, k: number, small = false): Point {
  const point = new Map<string, Rational>();
  for (const name of names) {
    const bits = hash(`${k} ${name}`);
    if (whole.has(name)) {
      point.set(name, { n: BigInt(3 + ((bits >>> 3) % 32)), d: 1n });
      continue;
    }
    const scale = 2 + (bits % 16);
    const m = 2 ** scale + ((bits >>> 8) % 2 ** Math.min(scale, 16)) + 1;
    let n = BigInt((bits >>> 4) % 2 === 0 ? m : -m);
    let d = polynomial ? 1n : small ? 2n ** 18n : 64n;
    while (d > 1n && n % 2n === 0n) [n, d] = [n / 2n, d / 2n];
    point.set(name, { n, d });
  }
  return point;
}

/** FNV-1a with a final mix (Murmur3's), 32 bits. */
export function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
