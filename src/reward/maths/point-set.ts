import type { Budget } from './budget.js';
import { doubleValue } from './doubles.js';
import { equalValues } from './equal-values.js';
import { exactValue } from './exact.js';
import { variablesOf } from './point.js';
import * as q from './rational.js';
import { type Node, type NodeOf, numberNode } from './tree.js';

/** An end of a segment: where it is, and whether it belongs to it. `value` is infinite for an unbounded segment. */
interface End {
  readonly node: Node;
  readonly value: number;
  readonly closed: boolean;
}

interface Segment {
  readonly low: End;
  readonly high: End;
}

/** Disjoint segments of the real line in rising order, none touching the next. */
export type PointSet = readonly Segment[];

const infinity: Node = { kind: 'constant', name: 'infinity' };
const bottom: End = { node: infinity, value: Number.NEGATIVE_INFINITY, closed: false };
const top: End = { node: infinity, value: Number.POSITIVE_INFINITY, closed: false };
const wholeLine: PointSet = [{ low: bottom, high: top }];
const noPoint = new Map();

/**
 * The set of reals that a set, interval, inequality in one variable or list of inequalities describes; null when it is no such
 * thing, or when its ends cannot be put in order.
 */
export function pointSet(node: Node, budget: Budget): PointSet | null {
  switch (node.kind) {
    case 'named-set':
      return node.name === 'R' ? wholeLine : node.name === 'empty' ? [] : null;
    case 'set':
      return pointsOf(node.items, budget);
    case 'tuple':
      return interval(node, budget);
    case 'set-operation':
      return operation(node, budget);
    case 'relation':
      return solutions(node, budget);
    case 'list':
      return joined(node, budget);
    default:
      return null;
  }
}

export function equalPointSets(a: PointSet, b: PointSet, budget: Budget): boolean {
  return (
    a.length === b.length &&
    a.every(({ low, high }, index) => sameEnd(low, b[index]!.low, budget) && sameEnd(high, b[index]!.high, budget))
  );
}

function sameEnd(a: End, b: End, budget: Budget): boolean {
  return a.closed === b.closed && order(a, b, budget) === 0;
}

/** -1, 0, 1, or null when the two ends cannot be told apart nor shown to be one. */
function order(a: End, b: End, budget: Budget): number | null {
  budget.spend(2);
  if (a.value === b.value && !Number.isFinite(a.value)) return 0;
  const gap = a.value - b.value;
  const infinite = !Number.isFinite(a.value) || !Number.isFinite(b.value);
  if (infinite || Math.abs(gap) > 1e-9 * (1 + Math.abs(a.value) + Math.abs(b.value))) return gap < 0 ? -1 : 1;
  const sameness = equalValues(a.node, b.node, budget);
  if (sameness === 'same') return 0;
  return sameness === 'different' && gap !== 0 ? Math.sign(gap) : null;
}

function end(node: Node, closed: boolean, budget: Budget): End | null {
  const sign = infiniteSign(node);
  if (sign !== 0) return { node, value: sign * Number.POSITIVE_INFINITY, closed };
  if (variablesOf(node).names.size > 0) return null;
  const value = doubleValue(node, noPoint, budget, { peak: 1 });
  return value !== null && value.im === 0 ? { node, value: value.re, closed } : null;
}

/** 1 for infinity, -1 for its negative, 0 for everything else. */
export function infiniteSign(node: Node): number {
  if (node.kind === 'constant') return node.name === 'infinity' ? 1 : 0;
  if (node.kind !== 'multiply') return 0;
  let sign = 1;
  let infinite = false;
  for (const factor of node.factors) {
    if (factor.kind === 'number' && factor.value.n !== 0n) sign *= factor.value.n < 0n ? -1 : 1;
    else if (factor.kind === 'constant' && factor.name === 'infinity') infinite = true;
    else return 0;
  }
  return infinite ? sign : 0;
}

/** An interval of two ends in rising order; null for tuples that cannot be one. */
function interval({ items, open, close }: NodeOf<'tuple'>, budget: Budget): PointSet | null {
  if (items.length !== 2) return null;
  const low = end(items[0]!, open === '[', budget);
  const high = low && end(items[1]!, close === ']', budget);
  if (low === null || high === null) return null;
  const rising = order(low, high, budget);
  if (rising === null || rising > 0) return null;
  if (rising === 0) return low.closed && high.closed ? [{ low, high }] : null;
  return [{ low, high }];
}

function pointsOf(items: readonly Node[], budget: Budget): PointSet | null {
  let points: PointSet | null = [];
  for (const item of items) {
    const point = end(item, true, budget);
    if (point === null || !Number.isFinite(point.value)) return null;
    points = union(points, [{ low: point, high: point }], budget);
    if (points === null) return null;
  }
  return points;
}

function operation({ name, items }: NodeOf<'set-operation'>, budget: Budget): PointSet | null {
  let result: PointSet | null = null;
  for (const item of items) {
    const next = pointSet(item, budget);
    if (next === null) return null;
    if (result === null) result = next;
    else if (name === 'union') result = union(result, next, budget);
    else if (name === 'intersection') result = intersection(result, next, budget);
    else {
      const outside = complement(next);
      result = intersection(result, outside, budget);
    }
    if (result === null) return null;
  }
  return result;
}

/** Inequalities joined by "or" are a union, by "and" an intersection; a comma says neither. */
function joined({ items, joint }: NodeOf<'list'>, budget: Budget): PointSet | null {
  const relations = items.every(({ kind }) => kind === 'relation');
  const sets = items.every(({ kind }) => kind === 'tuple' || kind === 'set-operation' || kind === 'set');
  if (!relations && !sets) return null;
  if (sets) return joint === ',' ? null : operation({ kind: 'set-operation', name: 'union', items }, budget);
  if (new Set(items.flatMap((item) => [...variablesOf(item).names])).size !== 1) return null;
  const exclusions = items.some((item) => item.kind === 'relation' && item.names.includes('!='));
  if (joint === ',' && !exclusions) return null;
  const name = joint === 'or' ? 'union' : 'intersection';
  const result = operation({ kind: 'set-operation', name, items }, budget);
  // "x < 1 and x > 3", said of the two parts of a union
  return result?.length === 0 && joint === 'and'
    ? operation({ kind: 'set-operation', name: 'union', items }, budget)
    : result;
}

/** Where a chain of inequalities, linear in its one variable, holds. */
function solutions({ names, sides }: NodeOf<'relation'>, budget: Budget): PointSet | null {
  let result: PointSet | null = wholeLine;
  let variable: string | null = null;
  for (const [index, name] of names.entries()) {
    const left = sides[index]!;
    const right = sides[index + 1]!;
    if (name === 'in' && index === 0 && names.length === 1 && left.kind === 'symbol') return pointSet(right, budget);
    const found = [...variablesOf(left, right).names];
    if (found.length !== 1 || (variable !== null && variable !== found[0])) return null;
    variable = found[0]!;
    const next = halfLine(left, name, right, variable, budget);
    result = next && intersection(result, next, budget);
    if (result === null) return null;
  }
  return result;
}

const mirrored: Record<string, string> = { '<': '>', '>': '<', '<=': '>=', '>=': '<=', '=': '=', '!=': '!=' };

function halfLine(left: Node, name: string, right: Node, variable: string, budget: Budget): PointSet | null {
  if (right.kind === 'symbol' && left.kind !== 'symbol')
    return halfLine(right, mirrored[name] ?? name, left, variable, budget);
  const isBare = left.kind === 'symbol' && variablesOf(right).names.size === 0;
  const root = isBare ? { at: right, rising: true } : linearRoot(left, right, variable, budget);
  if (root === null) return null;
  const direction = root.rising ? name : mirrored[name];
  const point = end(root.at, name === '<=' || name === '>=' || name === '=' || name === '!=', budget);
  if (point === null) return null;
  // x < infinity says nothing
  if (direction === '<' && point.value === Number.POSITIVE_INFINITY) return wholeLine;
  if (direction === '>' && point.value === Number.NEGATIVE_INFINITY) return wholeLine;
  if (!Number.isFinite(point.value)) return null;
  switch (direction) {
    case '<':
    case '<=':
      return [{ low: bottom, high: point }];
    case '>':
    case '>=':
      return [{ low: point, high: top }];
    case '=':
      return [{ low: point, high: point }];
    case '!=':
      return complement([{ low: point, high: point }]);
    default:
      return null;
  }
}

/** The root of left - right when that is a x + b with rational a, b; `rising` when a > 0. */
function linearRoot(left: Node, right: Node, variable: string, budget: Budget): { at: Node; rising: boolean } | null {
  const difference = (x: bigint): q.Rational | null => {
    const point = new Map([[variable, { n: x, d: 1n }]]);
    const l = exactValue(left, point, budget);
    const r = l && exactValue(right, point, budget);
    return l && r && q.add(l, q.negate(r));
  };
  const values = [0n, 1n, 2n, 7n, -13n].map(difference);
  const [atZero, atOne] = values;
  if (values.includes(null) || !atZero || !atOne) return null;
  const slope = q.add(atOne, q.negate(atZero));
  if (slope === null || slope.n === 0n) return null;
  const linear = [2n, 7n, -13n].every((x, index) => {
    const rise = q.multiply(slope, { n: x, d: 1n });
    const expected = rise && q.add(rise, atZero);
    return expected !== null && q.equal(expected, values[index + 2]!);
  });
  const root = linear ? q.divide(q.negate(atZero), slope) : null;
  return root && { at: numberNode(root.n, root.d), rising: slope.n > 0n };
}

function complement(set: PointSet): PointSet {
  const result: Segment[] = [];
  let low: End = bottom;
  for (const segment of set) {
    const high = { ...segment.low, closed: !segment.low.closed };
    if (segment.low.value !== Number.NEGATIVE_INFINITY) result.push({ low, high });
    low = { ...segment.high, closed: !segment.high.closed };
  }
  if (low.value !== Number.POSITIVE_INFINITY) result.push({ low, high: top });
  return result;
}

function intersection(a: PointSet, b: PointSet, budget: Budget): PointSet | null {
  const result: Segment[] = [];
  for (const x of a) {
    for (const y of b) {
      budget.spend(1);
      const lows = order(x.low, y.low, budget);
      const highs = order(x.high, y.high, budget);
      if (lows === null || highs === null) return null;
      const low = lows > 0 ? x.low : lows < 0 ? y.low : x.low.closed ? y.low : x.low;
      const high = highs < 0 ? x.high : highs > 0 ? y.high : x.high.closed ? y.high : x.high;
      const rising = order(low, high, budget);
      if (rising === null) return null;
      if (rising < 0 || (rising === 0 && low.closed && high.closed)) result.push({ low, high });
    }
  }
  return result;
}

function union(a: PointSet, b: PointSet, budget: Budget): PointSet | null {
  const sorted = [...a];
  for (const segment of b) {
    let at = 0;
    for (; at < sorted.length; at += 1) {
      const here = order(segment.low, sorted[at]!.low, budget);
      if (here === null) return null;
      if (here < 0 || (here === 0 && segment.low.closed)) break;
    }
    sorted.splice(at, 0, segment);
  }
  const result: Segment[] = [];
  for (const segment of sorted) {
    const last = result.at(-1);
    const gap = last ? order(last.high, segment.low, budget) : -1;
    if (gap === null) return null;
    if (last === undefined || gap < 0 || (gap === 0 && !last.high.closed && !segment.low.closed)) {
      result.push(segment);
      continue;
    }
    const highs = order(last.high, segment.high, budget);
    if (highs === null) return null;
    const high = highs > 0 ? last.high : highs < 0 ? segment.high : last.high.closed ? last.high : segment.high;
    result[result.length - 1] = { low: last.low, high };
  }
  return result;
}
