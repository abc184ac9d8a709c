import type { Node } from '../../maths/index.js';
import { rational } from '../../maths/rational.js';
import { negated, numberNode } from '../../maths/tree.js';
import { type Expression, parseExpression, parseNumber } from './expression.js';

/** The tree of plain arithmetic, or null if it does not parse or is too long. */
export function expressionTree(text: string): Node | null {
  const parsed = parseExpression(text);
  return parsed.ok ? treeOf(parsed.tree) : null;
}

/** The tree of a plain number; null where Math-Verify fails, and ends its search (parseNumber). */
export function numberTree(text: string, percent: boolean): Node | null {
  const parsed = parseNumber(text, percent);
  const tree = parsed.ok ? treeOf(parsed.tree) : null;
  return tree && (percent ? { kind: 'percent', inner: tree } : tree);
}

function treeOf(expression: Expression): Node | null {
  switch (expression.op) {
    case 'integer':
      return numberNode(expression.value);
    case 'decimal':
      return decimalNode(expression.text);
    case 'negate': {
      const of = treeOf(expression.of);
      return of && negated(of);
    }
    default: {
      const left = treeOf(expression.left);
      const right = treeOf(expression.right);
      return left && right && joined(expression.op, left, right);
    }
  }
}

function decimalNode(text: string): Node | null {
  const [integer = '', fraction = ''] = text.split('.');
  const value = rational(BigInt(integer + fraction), 10n ** BigInt(fraction.length));
  return value && { kind: 'number', value, decimal: true };
}

function joined(op: Exclude<Expression['op'], 'integer' | 'decimal' | 'negate'>, left: Node, right: Node): Node {
  switch (op) {
    case 'add':
      return { kind: 'add', terms: [left, right] };
    case 'subtract':
      return { kind: 'add', terms: [left, negated(right)] };
    case 'multiply':
      return { kind: 'multiply', factors: [left, right] };
    case 'divide':
      return { kind: 'multiply', factors: [left, inverse(right)] };
    case 'floor-divide':
      return { kind: 'call', name: 'floor', args: [{ kind: 'multiply', factors: [left, inverse(right)] }] };
    case 'power':
      return { kind: 'power', base: left, exponent: right };
  }
}

function inverse(node: Node): Node {
  return { kind: 'power', base: node, exponent: numberNode(-1n) };
}
