/** The tree of an answer: what the parser makes and the comparator reads. Plain data, never changed after parsing. */
import type { Rational } from './rational.js';

/** A number as written; `decimal` when it was written with a decimal point, so that rounding may apply. */
export interface NumberNode {
  readonly kind: 'number';
  readonly value: Rational;
  readonly decimal: boolean;
}

export type ConstantName = 'pi' | 'e' | 'i' | 'infinity';

export type FunctionName =
  | 'sin' | 'cos' | 'tan' | 'cot' | 'sec' | 'csc'
  | 'arcsin' | 'arccos' | 'arctan' | 'arccot' | 'arcsec' | 'arccsc'
  | 'sinh' | 'cosh' | 'tanh' | 'coth' | 'sech' | 'csch' | 'arsinh' | 'arcosh' | 'artanh'
  | 'exp' | 'ln' | 'log' | 'root' | 'abs' | 'floor' | 'ceil' | 'factorial' | 'binomial'
  | 'gcd' | 'lcm' | 'max' | 'min' | 'mod' | 're' | 'im' | 'arg' | 'conjugate'; // biome-ignore format: a table

/** `less` and the others in the order of the signs < <= > >= = != ; `equivalent` is a congruence, `in` membership. */
export type RelationName = '<' | '<=' | '>' | '>=' | '=' | '!=' | 'approx' | 'equivalent' | 'in' | 'notin' | 'subset';

export type Joint = ',' | 'and' | 'or';

export type Node =
  | NumberNode
  | { readonly kind: 'constant'; readonly name: ConstantName }
  /** A variable: a letter with its subscript, primes and accent, e.g. `x`, `x_{1}`, `f'`, `vec(v)`. */
  | { readonly kind: 'symbol'; readonly name: string }
  /** Words: `\text{even}`. Outer whitespace and brackets of a choice are gone. */
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'add'; readonly terms: readonly Node[] }
  /** `word`: the letters of a run that stood together, `empty` for e*m*p*t*y. */
  | { readonly kind: 'multiply'; readonly factors: readonly Node[]; readonly word?: string }
  | { readonly kind: 'power'; readonly base: Node; readonly exponent: Node }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly Node[] }
  /** f(x) of an unknown function. */
  | { readonly kind: 'apply'; readonly name: string; readonly args: readonly Node[] }
  | { readonly kind: 'percent'; readonly inner: Node }
  /** Digits in a base other than ten, when the base is written. */
  | { readonly kind: 'based'; readonly digits: string; readonly base: number }
  /** a +- b: `flipped` for -+. Expanded into two answers before anything is compared. */
  | { readonly kind: 'plus-minus'; readonly left: Node | null; readonly right: Node; readonly flipped: boolean }
  /** Finite sum or product of `body` over the integers from `low` to `high`. */
  | {
      readonly kind: 'sum' | 'product';
      readonly variable: string;
      readonly low: Node;
      readonly high: Node;
      readonly body: Node;
    }
  /** What is only compared as text: an integral, a limit. */
  | { readonly kind: 'opaque'; readonly text: string }
  /** Answers side by side: `1, 2`, `1 and 2`, and the word that joins them. */
  | { readonly kind: 'list'; readonly items: readonly Node[]; readonly joint: Joint }
  | { readonly kind: 'set'; readonly items: readonly Node[] }
  /** What stands in brackets and has commas; two items may be an interval. */
  | { readonly kind: 'tuple'; readonly items: readonly Node[]; readonly open: '(' | '['; readonly close: ')' | ']' }
  | { readonly kind: 'named-set'; readonly name: 'N' | 'Z' | 'Q' | 'R' | 'C' | 'empty' }
  | {
      readonly kind: 'set-operation';
      readonly name: 'union' | 'intersection' | 'difference';
      readonly items: readonly Node[];
    }
  /** a : b : c and longer; a : b is a quotient. */
  | { readonly kind: 'ratio'; readonly items: readonly Node[] }
  | { readonly kind: 'matrix'; readonly rows: readonly (readonly Node[])[] }
  | { readonly kind: 'cases'; readonly rows: readonly (readonly Node[])[] }
  /** A chain: sides[0] names[0] sides[1] names[1] ... */
  | { readonly kind: 'relation'; readonly names: readonly RelationName[]; readonly sides: readonly Node[] };

export type NodeOf<Kind extends Node['kind']> = Extract<Node, { kind: Kind }>;

/** An answer: its tree, and the unit that followed it, if any, in lower case. */
export interface Answer {
  readonly tree: Node;
  readonly unit: string;
  /** The other way to read letters behind a value, `5 m`: as its unit, not as a factor. */
  readonly measured?: Answer;
}

export function numberNode(n: bigint, d = 1n): NumberNode {
  return { kind: 'number', value: { n, d }, decimal: false };
}

export const minusOne: NumberNode = numberNode(-1n);

export function negated(node: Node): Node {
  if (node.kind === 'number') return { ...node, value: { n: -node.value.n, d: node.value.d } };
  if (node.kind === 'multiply') {
    const [first, ...rest] = node.factors;
    if (first?.kind === 'number') return { kind: 'multiply', factors: [negated(first), ...rest] };
    return { kind: 'multiply', factors: [minusOne, ...node.factors] };
  }
  return { kind: 'multiply', factors: [minusOne, node] };
}

/** The direct parts of a node, in reading order. */
export function children(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'add':
      return node.terms;
    case 'multiply':
      return node.factors;
    case 'power':
      return [node.base, node.exponent];
    case 'call':
    case 'apply':
      return node.args;
    case 'percent':
      return [node.inner];
    case 'plus-minus':
      return node.left ? [node.left, node.right] : [node.right];
    case 'sum':
    case 'product':
      return [node.low, node.high, node.body];
    case 'list':
    case 'set':
    case 'tuple':
    case 'set-operation':
    case 'ratio':
      return node.items;
    case 'matrix':
    case 'cases':
      return node.rows.flat();
    case 'relation':
      return node.sides;
    default:
      return [];
  }
}

export function some(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || children(node).some((child) => some(child, test));
}

/** The node with each of its direct parts replaced by what `visit` makes of it. */
export function mapChildren(node: Node, visit: (child: Node) => Node): Node {
  switch (node.kind) {
    case 'add':
      return { kind: 'add', terms: node.terms.map(visit) };
    case 'multiply':
      return { ...node, factors: node.factors.map(visit) };
    case 'power':
      return { kind: 'power', base: visit(node.base), exponent: visit(node.exponent) };
    case 'call':
    case 'apply':
      return { ...node, args: node.args.map(visit) };
    case 'percent':
      return { kind: 'percent', inner: visit(node.inner) };
    case 'plus-minus':
      return { ...node, left: node.left && visit(node.left), right: visit(node.right) };
    case 'sum':
    case 'product':
      return { ...node, low: visit(node.low), high: visit(node.high), body: visit(node.body) };
    case 'list':
    case 'set':
    case 'tuple':
    case 'set-operation':
    case 'ratio':
      return { ...node, items: node.items.map(visit) };
    case 'matrix':
    case 'cases':
      return { ...node, rows: node.rows.map((row) => row.map(visit)) };
    case 'relation':
      return { ...node, sides: node.sides.map(visit) };
    default:
      return node;
  }
}
