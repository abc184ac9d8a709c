import { isAssignment } from './equation.js';
import { key } from './key.js';
import { variablesOf } from './point.js';
import type { Node, NodeOf, RelationName } from './tree.js';

/**
 * Two answers with what only one of them says left out, where that is a matter of habit. Applied to whole answers, never to their parts:
 *
 *   k\pi, k \in \mathbb{Z}   k\pi                    the set that a parameter is from
 *   P(1, 2), y = x           (1, 2), f(x) = x        the name of a point, which name a function has
 *   \mathbf{R}               \mathbb{R}              the letter of a set of numbers
 *   x = 1, y = 2             (1, 2)                  values of different variables: a point, in order
 *   [[1, 2], [3, 4]]         a matrix                lists of rows
 *   x_1 = 1, x_2 = 2         x = 1, x = 2            numbers of solutions
 *   5 = x                    x = 5                   the side of the name
 *   a \le x < b              [a, b)                  ends that are no numbers (others are point-set.ts's)
 */
export function withoutHabits(gold: Node, answer: Node): readonly [Node, Node] {
  let [g, a] = withoutParameters(spelledOut(gold), spelledOut(answer));
  [g, a] = [renamedLike(g, a), renamedLike(a, g)];
  [g, a] = [setOfLetter(g, a), setOfLetter(a, g)];
  [g, a] = [unnumbered(g, a), unnumbered(a, g)];
  [g, a] = [pointFrom(g, a), pointFrom(a, g)];
  [g, a] = [matrixFrom(g, a), matrixFrom(a, g)];
  return [intervalFrom(g, a), intervalFrom(a, g)];
}

/** `k\pi (k \in Z)` as a list, and `Z` behind a sign of membership as a set. */
function spelledOut(node: Node): Node {
  if (node.kind === 'list') return { ...node, items: node.items.map(spelledOut) };
  if (node.kind === 'relation') {
    const last = node.sides.at(-1)!;
    if (node.names.length === 1 && node.names[0] === 'in' && last.kind === 'symbol' && /^[NZQR]$/.test(last.name))
      return { ...node, sides: [node.sides[0]!, { kind: 'named-set', name: last.name as 'N' }] };
    if (node.names.length === 1 && node.names[0] === 'equivalent') return congruence(node);
    if (node.names.at(-1) !== '=') return node;
    const nameFirst: boolean = isAssignment(node);
    if (node.names.length === 1 && last.kind === 'symbol' && !nameFirst)
      return { ...node, sides: [last, node.sides[0]!] };
    const [value, condition] = separated(last);
    return condition
      ? { ...node, sides: [...node.sides.slice(0, -1), { kind: 'list', items: [value, condition], joint: ',' }] }
      : node;
  }
  const [value, condition] = separated(node);
  return condition ? { kind: 'list', items: [value, condition], joint: ',' } : node;
}

/** `n \equiv 1 \mod 3` as `\pmod 3`; without a modulus an identity. */
function congruence(node: NodeOf<'relation'>): Node {
  const [left, right] = [node.sides[0]!, node.sides[1]!];
  if (right.kind === 'apply' && right.name === 'pmod') return node;
  if (right.kind === 'call' && right.name === 'mod')
    return { ...node, sides: [left, { kind: 'apply', name: 'pmod', args: right.args }] };
  return { ...node, names: ['='] };
}

/** An expression and the membership in brackets behind it. */
function separated(node: Node): readonly [Node, Node | null] {
  if (node.kind === 'add') {
    const [value, condition] = separated(node.terms.at(-1)!);
    return condition ? [{ kind: 'add', terms: [...node.terms.slice(0, -1), value] }, condition] : [node, null];
  }
  if (node.kind !== 'multiply' || node.factors.length < 2) return [node, null];
  const last = spelledOut(node.factors.at(-1)!);
  if (!isParameter(last)) return [node, null];
  const factors = node.factors.slice(0, -1);
  return [factors.length === 1 ? factors[0]! : { kind: 'multiply', factors }, last];
}

function isParameter(node: Node): boolean {
  return (
    node.kind === 'relation' && node.names.length === 1 && node.names[0] === 'in' && node.sides[1]!.kind === 'named-set'
  );
}

/** Without `k \in \mathbb{Z}` behind the answer, when the other side says nothing of it. */
function withoutParameters(gold: Node, answer: Node): readonly [Node, Node] {
  const [g, a] = [conditions(gold), conditions(answer)];
  if (g === null && a !== null) return [gold, a];
  return g !== null && a === null ? [g, answer] : [gold, answer];
}

function conditions(node: Node): Node | null {
  if (node.kind === 'relation' && node.names.length === 1 && node.sides[1]!.kind === 'list') {
    const inner = conditions(node.sides[1]!);
    return inner && { ...node, sides: [node.sides[0]!, inner] };
  }
  if (node.kind !== 'list' || node.items.length < 2 || !isParameter(node.items.at(-1)!)) return null;
  const items = node.items.slice(0, -1);
  return items.length === 1 ? items[0]! : { ...node, items };
}

/** `P(1, 2)` as a point where the other is one; `f(x) = ..` as `y = ..` where the other names y, and the like. */
function renamedLike(node: Node, other: Node): Node {
  if (other.kind === 'tuple' || other.kind === 'list') {
    if (node.kind === 'apply' && node.args.length > 1 && /^[A-Z]/.test(node.name))
      return { kind: 'tuple', items: node.args, open: '(', close: ')' };
    const [name, point] = node.kind === 'multiply' && node.factors.length === 2 ? node.factors : [];
    if (name?.kind === 'symbol' && /^[A-Z]/.test(name.name) && point?.kind === 'tuple') return point;
  }
  if (!isDefinition(node) || !isDefinition(other)) return node;
  const [left, right] = [node.sides[0]!, other.sides[0]!];
  const named = left.kind === 'multiply' && left.factors.length === 2 ? left.factors[0]! : left; // y(x)
  const name = named.kind === 'apply' || (named !== left && named.kind === 'symbol') ? named.name : null;
  const differs =
    name !== null && right.kind === 'symbol' && (right.name === name || (right.name === 'y' && left.kind === 'apply'));
  return differs ? { ...node, sides: [right, ...node.sides.slice(1)] } : node;
}

function isDefinition(node: Node): node is NodeOf<'relation'> {
  return node.kind === 'relation' && node.names.length === 1 && node.names[0] === '=';
}

function setOfLetter(node: Node, other: Node): Node {
  if (other.kind !== 'named-set' || node.kind !== 'symbol' || node.name !== other.name) return node;
  return other;
}

/** `x = 1, y = 2` as (1, 2) where the other has bare elements: variables x, y, z or a, b, c in their order, others as written. */
function pointFrom(node: Node, other: Node): Node {
  if (node.kind !== 'list' || node.items.length < 2) return node;
  const bare = unnamed(other);
  if (bare.kind !== 'tuple' && bare.kind !== 'list') return node;
  if (bare.items.some(({ kind }) => kind === 'relation' || kind === 'tuple')) return node;
  const values = new Map<string, Node>();
  for (const item of node.items) {
    const name = isDefinition(item) && item.sides[0]!.kind === 'symbol' ? item.sides[0]!.name : null;
    if (name === null || name.includes('_')) return node;
    values.set(name, (item as NodeOf<'relation'>).sides[1]!);
  }
  if (values.size < node.items.length) return node;
  const names = [...values.keys()];
  const ordered = names.every((name) => /^[a-dx-z]$/.test(name)) ? names.sort() : names;
  return { kind: 'tuple', items: ordered.map((name) => values.get(name)!), open: '(', close: ')' };
}

/** The one name that all equations of a list define; null when there are several. */
function commonName(node: Node): string | null {
  if (node.kind !== 'list' || !node.items.every(isDefinition)) return null;
  const names = new Set(node.items.map((item) => key((item as NodeOf<'relation'>).sides[0]!)));
  return names.size === 1 ? [...names][0]! : null;
}

/** `x_1 = 1, x_2 = 2` as values of x where the other has values of x. */
function unnumbered(node: Node, other: Node): Node {
  const name = commonName(other);
  if (name === null || node.kind !== 'list' || !node.items.every(isDefinition)) return node;
  const items = node.items.map((item): Node => {
    const { sides } = item as NodeOf<'relation'>;
    const numbered = sides[0]!.kind === 'symbol' && /^(.+)_\{\d\}$/.exec(sides[0]!.name);
    return numbered && numbered[1] === name
      ? { kind: 'relation', names: ['='], sides: [{ kind: 'symbol', name }, sides[1]!] }
      : item;
  });
  return { ...node, items };
}

/** The right side of `(x, y) = (1, 2)`. */
function unnamed(node: Node): Node {
  return isDefinition(node) && node.sides[0]!.kind === 'tuple' ? node.sides[1]! : node;
}

function matrixFrom(node: Node, other: Node): Node {
  if (other.kind !== 'matrix' || node.kind !== 'tuple' || node.open !== '[' || node.close !== ']') return node;
  const rows = node.items.map((item) => (item.kind === 'tuple' ? item.items : null));
  return rows.includes(null) ? node : { kind: 'matrix', rows: rows as (readonly Node[])[] };
}

const infinity: Node = { kind: 'constant', name: 'infinity' };
const bottom: Node = {
  kind: 'multiply',
  factors: [{ kind: 'number', value: { n: -1n, d: 1n }, decimal: false }, infinity],
};

/** Inequalities of one variable between ends with other variables in them, where the other is made of intervals. */
function intervalFrom(node: Node, other: Node): Node {
  const set = other.kind === 'relation' && other.names[0] === 'in' ? other.sides[1]! : other;
  if (set.kind !== 'tuple' && set.kind !== 'set-operation') return node;
  const known = variablesOf(set).names;
  if (known.size === 0) return node;
  if (node.kind === 'relation') return segment(node, known) ?? node;
  if (node.kind !== 'list' || node.joint === ',') return node;
  const segments = node.items.map((item) => (item.kind === 'relation' ? segment(item, known) : null));
  if (segments.includes(null)) return node;
  return { kind: 'set-operation', name: node.joint === 'or' ? 'union' : 'intersection', items: segments as Node[] };
}

const falling: Partial<Record<RelationName, RelationName>> = { '>': '<', '>=': '<=' };

/** `a <= x < b` as [a, b), `x > a` as (a, infinity); null when x is not the one symbol that the ends do not have. */
function segment({ names, sides }: NodeOf<'relation'>, known: ReadonlySet<string>): Node | null {
  const reversed = names.every((name) => falling[name] !== undefined);
  const rising = reversed ? [...names].reverse().map((name) => falling[name]!) : names;
  if (!rising.every((name) => name === '<' || name === '<=')) return null;
  const parts = reversed ? [...sides].reverse() : sides;
  const at = parts.findIndex((side) => side.kind === 'symbol' && !known.has(side.name));
  if (at < 0 || parts.length > 3 || (parts.length === 3 && at !== 1)) return null;
  const low = parts[at - 1] ?? bottom;
  const high = parts[at + 1] ?? infinity;
  return {
    kind: 'tuple',
    items: [low, high],
    open: at > 0 && rising[at - 1] === '<=' ? '[' : '(',
    close: at < parts.length - 1 && rising[at] === '<=' ? ']' : ')',
  };
}
