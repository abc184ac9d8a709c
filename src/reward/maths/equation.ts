import { variablesOf } from './point.js';
import { type Node, type NodeOf, some } from './tree.js';

/** An assignment chain a = b = c as a = c. */
export function collapsed(node: Node): Node {
  if (!isAssignment(node) || node.names.length === 1) return node;
  return { kind: 'relation', names: ['='], sides: [node.sides[0]!, node.sides.at(-1)!] };
}

export function isEquation(node: Node): node is NodeOf<'relation'> {
  return node.kind === 'relation' && node.names.every((name) => name === '=' || name === 'in' || name === 'equivalent');
}

/** An equation whose left side is made of symbols only: x, (x, y), f(x), a + b, V/t. */
export function isAssignment(node: Node): node is NodeOf<'relation'> {
  return isEquation(node) && onlySymbols(node.sides[0]!);
}

function onlySymbols(node: Node): boolean {
  switch (node.kind) {
    case 'symbol':
    case 'text':
      return true;
    case 'multiply':
      return node.factors.every(onlySymbols);
    case 'add':
      return node.terms.every(onlySymbols);
    case 'tuple':
    case 'list':
      return node.items.every(onlySymbols);
    case 'apply':
      return node.args.every(onlySymbols);
    case 'power':
      return onlySymbols(node.base) && (onlySymbols(node.exponent) || isMinusOne(node.exponent));
    default:
      return node.kind === 'constant' && (node.name === 'e' || node.name === 'i');
  }
}

/** An equation that tells the value of something: x = 5, a + b = 5, f(2) = 5, 2 + 3 = 5; not 2x = 10, x - 1 = 0, y^2 = 4x. */
export function namesValue({ sides }: NodeOf<'relation'>): boolean {
  if (onlySymbols(sides[0]!)) return true;
  if (sides[0]!.kind === 'power' && sides[0]!.base.kind === 'symbol') return false; // x^2 = 5
  const constant = variablesOf(sides.at(-1)!).names.size === 0;
  return sides
    .slice(0, -1)
    .every(
      (side) =>
        variablesOf(side).names.size === 0 ||
        !some(side, (part) => hasCoefficient(part) || (!constant && isPower(part))),
    );
}

function isPower({ kind }: Node): boolean {
  return kind === 'power';
}

/** A constant in a sum, or a factor other than -1. */
function hasCoefficient(node: Node): boolean {
  const isConstant = (part: Node) => variablesOf(part).names.size === 0;
  if (node.kind === 'add') return node.terms.some(isConstant);
  return node.kind === 'multiply' && node.factors.some((factor) => isConstant(factor) && !isMinusOne(factor));
}

export function isMinusOne(node: Node): boolean {
  return node.kind === 'number' && node.value.n === -1n && node.value.d === 1n;
}
