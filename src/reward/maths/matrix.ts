import { type Node, type NodeOf, some } from './tree.js';

/** Sums, products and multiples of matrices as one matrix, its entries not simplified; other nodes as they are. */
export function matrixValue(node: Node): Node {
  if ((node.kind !== 'add' && node.kind !== 'multiply') || !some(node, isMatrix)) return node;
  return reduced(node) ?? node;
}

/** @returns null when shapes do not fit, or a matrix and a number are added */
function reduced(node: Node): Node | null {
  if (node.kind === 'add') return folded(node.terms, (a, b) => plus(a, b));
  if (node.kind === 'multiply') return folded(node.factors, (a, b) => times(a, b));
  return node;
}

function folded(nodes: readonly Node[], operation: (a: Node, b: Node) => Node | null): Node | null {
  let result: Node | null = null;
  for (const node of nodes) {
    const value = reduced(node);
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
  return { ...a, rows: a.rows.map((row, i) => row.map((entry, j) => ({ kind: 'add', terms: [entry, b.rows[i]![j]!] }))) };
}

function times(a: Node, b: Node): Node | null {
  if (isMatrix(a) && isMatrix(b)) return product(a, b);
  if (isMatrix(a)) return scaled(a, b);
  if (isMatrix(b)) return scaled(b, a);
  return { kind: 'multiply', factors: [a, b] };
}

function scaled(matrix: NodeOf<'matrix'>, factor: Node): Node {
  return { ...matrix, rows: matrix.rows.map((row) => row.map((entry) => ({ kind: 'multiply', factors: [factor, entry] }))) };
}

function product(a: NodeOf<'matrix'>, b: NodeOf<'matrix'>): Node | null {
  const width = b.rows[0]!.length;
  if (a.rows.some((row) => row.length !== b.rows.length) || b.rows.some((row) => row.length !== width)) return null;
  const rows = a.rows.map((row) =>
    b.rows[0]!.map((_, j): Node => ({
      kind: 'add',
      terms: row.map((entry, k) => ({ kind: 'multiply', factors: [entry, b.rows[k]![j]!] })),
    })),
  );
  return { ...a, rows };
}

function isMatrix(node: Node): node is NodeOf<'matrix'> {
  return node.kind === 'matrix';
}
