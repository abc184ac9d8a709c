import type { Node } from './tree.js';

/** A text that two nodes share only if they are written alike, but for the order of sums and products. */
export function key(node: Node): string {
  switch (node.kind) {
    case 'number':
      return node.value.d === 1n ? `${node.value.n}` : `${node.value.n}/${node.value.d}`;
    case 'constant':
    case 'symbol':
      return node.name;
    case 'named-set':
      return `set ${node.name}`;
    case 'text':
      return `"${node.text.toLowerCase()}"`;
    case 'opaque':
      return `[${node.text}]`;
    case 'based':
      return `${node.digits}_${node.base}`;
    case 'add':
      return `(+ ${node.terms.map(key).sort().join(' ')})`;
    case 'multiply':
      return `(* ${node.factors.map(key).sort().join(' ')})`;
    case 'power':
      return `(^ ${key(node.base)} ${key(node.exponent)})`;
    case 'call':
    case 'apply':
      return `(${node.name} ${node.args.map(key).join(' ')})`;
    case 'percent':
      return `(% ${key(node.inner)})`;
    case 'plus-minus':
      return `(${node.flipped ? '∓' : '±'} ${node.left ? key(node.left) : ''} ${key(node.right)})`;
    case 'sum':
    case 'product':
      return `(${node.kind} ${node.variable} ${key(node.low)} ${key(node.high)} ${key(node.body)})`;
    case 'list':
    case 'set':
      return `{${node.items.map(key).sort().join(', ')}}`;
    case 'tuple':
      return `${node.open}${node.items.map(key).join(', ')}${node.close}`;
    case 'set-operation':
      return `(${node.name} ${node.items.map(key).join(' ')})`;
    case 'ratio':
      return `(: ${node.items.map(key).join(' ')})`;
    case 'matrix':
    case 'cases':
      return `(${node.kind} ${node.rows.map((row) => row.map(key).join(' & ')).join(' \\ ')})`;
    case 'relation':
      return `(${node.names.join(' ')}: ${node.sides.map(key).join(' ')})`;
  }
}
