import { variablesOf } from './point.js';
import { type Answer, mapChildren, type Node } from './tree.js';

/** The expression in variables of its own. */
export function renamed(node: Node): Node {
  return mapped(node, (name) => `${name}'other`);
}

/** An answer whose variables are no other answer's, but for a symbol that stands alone. */
export function withVariablesOfItsOwn(answer: Answer): Answer {
  return answer.tree.kind === 'symbol' ? answer : { ...answer, tree: renamed(answer.tree) };
}

/** All variables in lower case; null when two of them would become one. */
export function lowerCased(node: Node): Node | null {
  const names = [...variablesOf(node).names].filter((name) => !name.startsWith('text '));
  const lower = names.map((name) => name.toLowerCase());
  if (lower.every((name, index) => name === names[index])) return node;
  if (new Set(lower).size !== names.length || lower.includes('i') || lower.includes('e')) return null;
  return mapped(node, (name) => name.toLowerCase());
}

function mapped(node: Node, rename: (name: string) => string): Node {
  const visit = (child: Node): Node => mapped(child, rename);
  switch (node.kind) {
    case 'symbol':
      return { kind: 'symbol', name: rename(node.name) };
    case 'opaque':
    case 'text':
      return { kind: node.kind, text: rename(node.text) };
    case 'sum':
    case 'product':
      return mapChildren({ ...node, variable: rename(node.variable) }, visit);
    default:
      return mapChildren(node, visit);
  }
}
