/**
 * What the evaluation's grader asks of sympy, answered by the maths core: texts are read as `parse_latex` reads them
 * (sympy-latex.ts), and the trees compared as `symbolic_equal` of LIMR's eval/utils/equal.py compares them:
 *
 *   written alike but for the order of sums and products; or the same value for all values of the variables;
 *   of two relations, whatever their signs, the same |left - right|; of two real constants, within a relative 1e-4, where
 *   everything beyond the range of doubles is infinite.
 *
 * A text that cannot be read is compared as text. sympy's Python reader, the original's second choice, is not reproduced but
 * for a lone number, nor are infinite sums, integrals and limits. Variables are sampled over the reals, sympy's are complex.
 */
import type { Budget } from '../../maths/budget.js';
import { decimalValue } from '../../maths/decimals.js';
import { doubleValue } from '../../maths/doubles.js';
import { equalValues } from '../../maths/equal-values.js';
import { exactValue } from '../../maths/exact.js';
import { key } from '../../maths/key.js';
import { variablesOf } from '../../maths/point.js';
import { infiniteSign } from '../../maths/point-set.js';
import { rational, toDouble } from '../../maths/rational.js';
import { type Node, type NodeOf, negated, type RelationName } from '../../maths/tree.js';
import type { Symbolic } from './math-equal.js';
import { isClose } from './python.js';
import { readSympyLatex } from './sympy-latex.js';

export const sympySymbolic: Symbolic = {
  symbolicEqual: (a, b, budget) => equalReadings(reading(a, budget), reading(b, budget), budget),
  numericValue(text, budget) {
    const node = read(text, budget);
    return node && realValue(node, budget);
  },
};

const relativeTolerance = 1e-4;
const decimalDigits = 40;
/** Longer numbers, or ones with larger exponents, are not read. */
const maxDigits = 1000;
const nowhere = new Map<string, never>();

/** Steps of the budget that a character costs to read. */
const stepsPerCharacter = 10;
const maxLength = 20_000;

function read(text: string, budget: Budget): Node | null {
  if (text.length > maxLength) return null;
  budget.spend(stepsPerCharacter * text.length);
  return readSympyLatex(text);
}

/** What a text is: an expression, a relation, a relation that holds or not, or only a text. */
type Reading = Node | boolean | string;

function reading(text: string, budget: Budget): Reading {
  const node = read(text.replaceAll('\\\\', '\\'), budget) ?? read(text, budget) ?? pythonNumber(text);
  if (node === null) return text;
  return node.kind === 'relation' ? decided(node, budget) : node;
}

/** A number as Python writes it, such as `.5` and `2.5e-01`, which `parse_latex` cannot read. */
function pythonNumber(text: string): Node | null {
  const [, signs, whole, decimals = '', exponent = '0'] =
    /^([+-]*)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,4}))?$/.exec(text.trim()) ?? [];
  const digits = `${whole}${decimals}`;
  const shift = Number(exponent) - decimals.length;
  if (signs === undefined || digits === '' || digits.length > maxDigits || Math.abs(shift) > maxDigits) return null;
  if (!/[.eE]/.test(text)) return null; // whole numbers that cannot be read have leading zeros, in Python too
  const scale = 10n ** BigInt(Math.abs(shift));
  const value = shift < 0 ? rational(BigInt(digits), scale) : rational(BigInt(digits) * scale);
  if (value === null) return null;
  const node: Node = { kind: 'number', value, decimal: true };
  return signs.replaceAll('+', '').length % 2 === 1 ? negated(node) : node;
}

/** A relation as sympy makes it: true or false where that is certain. */
function decided(relation: NodeOf<'relation'>, budget: Budget): Reading {
  const [left, right] = relation.sides as [Node, Node];
  const name = relation.names[0]!;
  if (left.kind === 'relation') {
    // an equation of a relation and a variable is left as it is, and never of a relation and a value
    const inner = decided(left as NodeOf<'relation'>, budget);
    return right.kind === 'symbol'
      ? { ...relation, sides: [typeof inner === 'object' ? inner : left, right] }
      : name === '!=';
  }
  if (name === '=' || name === '!=') {
    const sameness = equalValues(left, right, budget);
    if (sameness === 'same') return name === '=';
    const constant = variablesOf(left, right).names.size === 0;
    return sameness === 'different' && constant ? name === '!=' : relation;
  }
  const x = realValue(left, budget);
  const y = x === null ? null : realValue(right, budget);
  return x === null || y === null ? relation : holds(x, name, y);
}

function holds(x: number, name: RelationName, y: number): boolean {
  switch (name) {
    case '<':
      return x < y;
    case '<=':
      return x <= y;
    case '>':
      return x > y;
    default:
      return x >= y;
  }
}

function equalReadings(a: Reading, b: Reading, budget: Budget): boolean {
  if (typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (key(a) === key(b)) return true;
  if (a.kind === 'relation' && b.kind === 'relation') {
    const x = distance(a);
    const y = distance(b);
    return x !== null && y !== null && equalValues(x, y, budget) === 'same';
  }
  if (a.kind === 'relation' || b.kind === 'relation') return false;
  const x = realValue(a, budget);
  const y = x === null ? null : realValue(b, budget);
  if (x !== null && y !== null && isClose(x, y, relativeTolerance)) return true;
  return equalValues(a, b, budget) === 'same'; // of constants, where doubles have lost all their digits
}

/** |left - right|; null for what has another relation as a side. */
function distance({ sides }: NodeOf<'relation'>): Node | null {
  const [left, right] = sides as [Node, Node];
  if (left.kind === 'relation') return null;
  return { kind: 'call', name: 'abs', args: [{ kind: 'add', terms: [left, negated(right)] }] };
}

/** The value of a real constant as a double, which may be infinite; null for everything else. */
function realValue(node: Node, budget: Budget): number | null {
  if (node.kind === 'relation' || variablesOf(node).names.size > 0) return null;
  const sign = infiniteSign(node);
  if (sign !== 0) return sign * Number.POSITIVE_INFINITY;
  const exact = exactValue(node, nowhere, budget);
  if (exact !== null) return toDouble(exact);
  const value = doubleValue(node, nowhere, budget, { peak: 1 });
  if (value !== null) return isReal(value.re, value.im) ? value.re : null;
  const decimal = decimalValue(node, nowhere, decimalDigits, budget);
  return decimal && isReal(decimal.re.toNumber(), decimal.im.toNumber()) ? decimal.re.toNumber() : null;
}

/** Rounding may leave an imaginary part where there is none. */
function isReal(re: number, im: number): boolean {
  return Math.abs(im) <= 1e-13 * Math.abs(re);
}
