import type { Budget } from './budget.js';
import { exactValue } from './exact.js';
import { type Node, type NodeOf, some } from './tree.js';

/** Products of more matrices than this are left alone unless their entries are rational: their size doubles with each. */
const maxSymbolicFactors = 4;
const noPoint = new Map();

/** Sums, products and multiples of matrices as one matrix, its entries not simplified; other nodes as they are. */
export function matrixValue(node: Node, budget: Budget): Node {
  if ((node.kind !== 'add' && node.kind !== 'multiply') || !some(node, isMatrix)) return node;
  return reduced(node, budget) ?? node;
}

/** @returns null when shapes do not fit, or a matrix and a number are added */
function reduced(node: Node, budget: Budget): Node | null {
  if (node.kind === 'add') return folded(node.terms, plus, budget);
  if (node.kind !== 'multiply') return node;
  const many = node.factors.length > maxSymbolicFactors;
  return folded(node.factors, (a, b) => times(a, b, many, budget), budget);
}

function folded(nodes: readonly Node[], operation: (a: Node, b: Node) => Node | null, budget: Budget): Node | null {
  let result: Node | null = null;
  for (const node of nodes) {
    const value = reduced(node, budget);
    if (value === null) return null;
    result = result === null ? value : operation(result, value);
    if (result === null) return null;
  }
  return result;
}

function plus(a: Node, b: Node): Node | null {
  if (!isMatrix(a) && !isMatrix(b)) return { kind: 'add', terms: [a, b] };
  if (!isMatrix(a) || !isMatrix(b) || a.rows.length !== b.rows.length) return null;
  if (a.rows.some((row, i) => row.length !== b.rows[i]!.length)) return null;
  return {
    ...a,
    rows: a.rows.map((row, i) => row.map((entry, j) => ({ kind: 'add', terms: [entry, b.rows[i]![j]!] }))),
  };
}

function times(a: Node, b: Node, rational: boolean, budget: Budget): Node | null {
  if (isMatrix(a) && isMatrix(b)) return product(a, b, rational, budget);
  if (isMatrix(a)) return scaled(a, b);
  if (isMatrix(b)) return scaled(b, a);
  return { kind: 'multiply', factors: [a, b] };
}

function scaled(matrix: NodeOf<'matrix'>, factor: Node): Node {
  return {
    ...matrix,
    rows: matrix.rows.map((row) => row.map((entry) => ({ kind: 'multiply', factors: [factor, entry] }))),
  };
}

function product(a: NodeOf<'matrix'>, b: NodeOf<'matrix'>, rational: boolean, budget: Budget): Node | null {
  const width = b.rows[0]!.length;
  if (a.rows.some((row) => row.length !== b.rows.length) || b.rows.some((row) => row.length !== width)) return null;
  const sums = a.rows.map((row) =>
    b.rows[0]!.map(
      (_, j): Node => ({
        kind: 'add',
        terms: row.map((entry, k) => ({ kind: 'multiply', factors: [entry, b.rows[k]![j]!] })),
      }),
    ),
  );
  if (!rational) return { ...a, rows: sums };
  const rows = sums.map((row) => row.map((entry) => exactNode(entry, budget)));
  return rows.some((row) => row.includes(null)) ? null : { ...a, rows: rows as Node[][] };
}

function exactNode(node: Node, budget: Budget): Node | null {
  const value = exactValue(node, noPoint, budget);
  return value && { kind: 'number', value, decimal: false };
}

function isMatrix(node: Node): node is NodeOf<'matrix'> {
  return node.kind === 'matrix';
}
