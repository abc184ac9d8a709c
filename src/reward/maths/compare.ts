import { Budget, exhausted } from './budget.js';
import { divided } from './build.js';
import { withoutHabits } from './conventions.js';
import { decimalValue } from './decimals.js';
import { doubleValue } from './doubles.js';
import { equalValues } from './equal-values.js';
import { collapsed, isAssignment, isEquation, namesValue } from './equation.js';
import { exactValue } from './exact.js';
import { key } from './key.js';
import { matrixValue } from './matrix.js';
import { samplePoint, variablesOf } from './point.js';
import { equalPointSets, infiniteSign, pointSet } from './point-set.js';
import * as q from './rational.js';
import { lowerCased, renamed } from './rename.js';
import type { Rules } from './rules.js';
import { type Answer, type Node, type NodeOf, negated, numberNode, type RelationName } from './tree.js';
import { canonicalUnit } from './units.js';
import { lettersOf, sameWords } from './words.js';

/** Why two answers are equal or not. */
export type CompareReason =
  | 'same_value' // of numbers and expressions, for all values of their variables
  | 'same_rounded' // a decimal, to the places that count
  | 'same_text'
  | 'same_elements' // sets, tuples, matrices
  | 'same_points' // intervals, unions, inequalities
  | 'same_relation'
  | 'other_value'
  | 'other_text'
  | 'other_elements'
  | 'other_points'
  | 'other_relation'
  | 'other_kind'
  | 'other_unit'
  | 'undecided' // neither shown equal nor different, so not equal
  | 'undecided_budget';

export interface CompareVerdict {
  readonly equal: boolean;
  readonly reason: CompareReason;
}

const zero = numberNode(0n);

/**
 * Whether a gold answer and an answer are equal. Bounded by a budget; never "equal" when in doubt. Letters that may be a unit are read as
 * one if that makes the answers equal and the other side has no variables, or a unit too.
 */
export function compareAnswers(gold: Answer, answer: Answer, rules: Rules): CompareVerdict {
  const verdict = compareReadings(gold, answer, rules);
  if (verdict.equal || !rules.units || (!gold.measured && !answer.measured)) return verdict;
  const [g, a] = [gold.measured ?? gold, answer.measured ?? answer];
  if (!isConstant(g.tree) || !isConstant(a.tree)) return verdict;
  const measured = compareReadings(g, a, rules);
  return measured.equal || (gold.measured && answer.measured) ? measured : verdict;
}

function isConstant(tree: Node): boolean {
  return variablesOf(tree).names.size === 0;
}

function compareReadings(gold: Answer, answer: Answer, rules: Rules): CompareVerdict {
  try {
    if (rules.units && !unitsAgree(gold.unit, answer.unit)) return different('other_unit');
    const comparison = new Comparison(rules, new Budget());
    const [goldTree, answerTree] = rules.habits ? withoutHabits(gold.tree, answer.tree) : [gold.tree, answer.tree];
    const verdict = comparison.trees(goldTree, answerTree);
    if (verdict.equal || !rules.ignoreCase) return verdict;
    const [g, a] = [lowerCased(goldTree), lowerCased(answerTree)];
    if (g === null || a === null || (g === goldTree && a === answerTree)) return verdict;
    const folded = comparison.trees(g, a);
    return folded.equal ? folded : verdict;
  } catch (error) {
    if (error !== exhausted) throw error;
    return rules.habits && key(gold.tree) === key(answer.tree) ? same('same_value') : different('undecided_budget');
  }
}

function same(reason: CompareReason): CompareVerdict {
  return { equal: true, reason };
}

function different(reason: CompareReason): CompareVerdict {
  return { equal: false, reason };
}

function unitsAgree(gold: string, answer: string): boolean {
  if (gold === answer) return true;
  const [g, a] = [canonicalUnit(gold), canonicalUnit(answer)];
  return g === undefined || a === undefined || g === a;
}

class Comparison {
  constructor(
    private readonly rules: Rules,
    private readonly budget: Budget,
  ) {}

  trees(goldTree: Node, answerTree: Node): CompareVerdict {
    this.budget.spend(20);
    let gold = this.membership(collapsed(matrixValue(this.single(goldTree), this.budget)));
    let answer = this.membership(collapsed(matrixValue(this.single(answerTree), this.budget)));
    if (isEquation(answer) && !isEquation(gold) && (this.rules.anyEquation || this.tellsValue(answer)))
      answer = answer.sides.at(-1)!;
    else if (!isEquation(answer) && (isAssignment(gold) || (this.rules.habits && this.isIdentity(gold))))
      gold = gold.sides.at(-1)!;
    if (gold.kind === 'relation' && answer.kind === 'relation') return this.relations(gold, answer);
    const points = this.points(gold, answer);
    if (points !== null) return points;
    if (gold.kind === 'relation' || answer.kind === 'relation') return different('other_kind');
    if (isCollection(gold) || isCollection(answer)) return this.collections(gold, answer);
    if (gold.kind === 'matrix' || answer.kind === 'matrix') return this.matrices(gold, answer);
    if (gold.kind === 'cases' || answer.kind === 'cases') return this.cases(gold, answer);
    if (gold.kind === 'named-set' || answer.kind === 'named-set') {
      return key(gold) === key(answer) ? same('same_points') : different('other_kind');
    }
    if (gold.kind === 'ratio' || answer.kind === 'ratio') return this.ratios(gold, answer);
    return this.values(gold, answer);
  }

  /** Whether an equation stands for its right side: it names a value, or says nothing but that two spellings of it are equal. */
  private tellsValue(equation: NodeOf<'relation'>): boolean {
    return namesValue(equation) || this.isIdentity(equation);
  }

  private isIdentity(node: Node): node is NodeOf<'relation'> {
    return (
      node.kind === 'relation' &&
      node.names.every((name) => name === '=') &&
      node.sides.every(isExpression) &&
      equalValues(node.sides[0]!, node.sides.at(-1)!, this.budget) === 'same'
    );
  }

  /** A set of one is its element; a union of sets of elements is one set. */
  private single(node: Node): Node {
    if (node.kind === 'set-operation' && node.name === 'union' && node.items.every(({ kind }) => kind === 'set'))
      return this.single({ kind: 'set', items: node.items.flatMap(itemsOf) });
    if ((node.kind !== 'set' && node.kind !== 'list') || node.items.length !== 1) return node;
    const item = node.items[0]!;
    if (node.kind === 'set' && item.kind === 'named-set' && item.name === 'empty') return node;
    return item.kind === 'tuple' && !this.rules.unwrapTuples ? node : this.single(item);
  }

  /** What something is in is a set, so brackets are an interval there and no tuple. */
  private membership(node: Node): Node {
    if (node.kind !== 'relation' || node.names[0] !== 'in' || !this.rules.strictBrackets) return node;
    const [left, right] = node.sides;
    if (right?.kind !== 'tuple' || node.sides.length !== 2) return node;
    return { ...node, sides: [left!, { kind: 'set-operation', name: 'union', items: [right] }] };
  }

  private equal(gold: Node, answer: Node): boolean {
    return this.trees(gold, answer).equal;
  }

  /** Ratios of three or more are equal up to a factor. */
  private ratios(gold: Node, answer: Node): CompareVerdict {
    if (gold.kind !== 'ratio' || answer.kind !== 'ratio' || gold.items.length !== answer.items.length)
      return different('other_kind');
    const [g, a] = [gold.items[0]!, answer.items[0]!];
    const alike = gold.items.every(
      (item, index) => equalValues(product(item, a), product(answer.items[index]!, g), this.budget) === 'same',
    );
    return alike ? same('same_value') : different('other_value');
  }

  // Numbers, expressions, words

  private values(gold: Node, answer: Node): CompareVerdict {
    const words = this.words(gold, answer);
    if (words !== null) return words;
    if (gold.kind === 'apply' && answer.kind === 'apply' && gold.name === 'pmod' && answer.name === 'pmod')
      return this.residues(gold.args, answer.args);
    if (gold.kind === 'based' || answer.kind === 'based') return this.based(gold, answer);
    const [g, a] = [infiniteSign(gold), infiniteSign(answer)];
    if (g !== 0 || a !== 0) return g === a ? same('same_value') : different('other_value');
    if (isDecimal(gold) || isDecimal(answer)) {
      const rounded = this.rounded(gold, answer);
      if (rounded !== null) return rounded ? same('same_rounded') : different('other_value');
    }
    const sameness = equalValues(gold, answer, this.budget);
    if (sameness === 'same') return same('same_value');
    if (key(gold) === key(answer)) return same('same_value');
    return different(sameness === 'different' ? 'other_value' : 'undecided');
  }

  /** Words, and letters that stand for them; null when either side is more than that. */
  private words(gold: Node, answer: Node): CompareVerdict | null {
    if (gold.kind !== 'text' && answer.kind !== 'text' && gold.kind !== 'symbol' && answer.kind !== 'symbol')
      return null;
    const g = lettersOf(gold);
    const a = lettersOf(answer);
    if (g !== null && a !== null && sameWords(g, a, this.rules.punctuation)) return same('same_text');
    if (gold.kind === 'text' || answer.kind === 'text') return different('other_text');
    return null;
  }

  /** a mod m and b mod n: m = n divides a - b. */
  private residues([a, m]: readonly Node[], [b, n]: readonly Node[]): CompareVerdict {
    if (!this.equal(m!, n!)) return different('other_value');
    if (this.equal(a!, b!)) return same('same_value');
    const quotient = exactValue(divided(difference(a!, b!), m!), new Map(), this.budget);
    return quotient?.d === 1n && this.rules.habits ? same('same_value') : different('other_value');
  }

  /** Numbers in a base: by their digits when only one says its base, else by base and value. */
  private based(gold: Node, answer: Node): CompareVerdict {
    if (gold.kind === 'based' && answer.kind === 'based') {
      if (gold.base === answer.base) {
        return BigInt(gold.digits) === BigInt(answer.digits) ? same('same_value') : different('other_value');
      }
      return equalValues(gold, answer, this.budget) === 'same' ? same('same_value') : different('other_value');
    }
    const [digits, other] = gold.kind === 'based' ? [gold.digits, answer] : [(answer as NodeOf<'based'>).digits, gold];
    const sameDigits = other.kind === 'number' && other.value.d === 1n && other.value.n === BigInt(digits);
    return sameDigits ? same('same_value') : different('other_value');
  }

  /** Both to so many decimal places; null when a side is not a real constant. */
  private rounded(gold: Node, answer: Node): boolean | null {
    const g = this.constantValue(gold);
    const a = g && this.constantValue(answer);
    if (g === null || a === null) return null;
    const { roundingPlaces, maxRelativeError } = this.rules;
    if (q.roundedUnits(g, roundingPlaces) !== q.roundedUnits(a, roundingPlaces)) {
      // rounded by its writer to more places, where six of them round another way
      const places = Math.max(decimalPlaces(gold), decimalPlaces(answer));
      if (!this.rules.writtenPlaces || places <= roundingPlaces) return false;
      if (q.roundedUnits(g, places) !== q.roundedUnits(a, places)) return false;
    }
    const [x, y] = [q.toDouble(g), q.toDouble(a)];
    if (this.rules.wholeNumbersExact && (q.isInteger(g) || q.isInteger(a))) return q.equal(g, a);
    return x === y || Math.abs(x - y) <= maxRelativeError * Math.max(Math.abs(x), Math.abs(y));
  }

  private constantValue(node: Node): q.Rational | null {
    if (variablesOf(node).names.size > 0) return null;
    const exact = exactValue(node, new Map(), this.budget);
    if (exact !== null) return exact;
    const value = decimalValue(node, new Map(), 60, this.budget);
    if (value === null || value.im.abs().gt(1e-40)) return null;
    if (value.re.abs().gt(1e40)) return null;
    return q.rational(BigInt(value.re.times(1e30).toFixed(0)), 10n ** 30n);
  }

  // Sets of reals

  /** As point sets, where both sides are one and at least one is an interval, a union or an inequality. */
  private points(gold: Node, answer: Node): CompareVerdict | null {
    if (!describesPoints(gold) && !describesPoints(answer)) return null;
    if (!isSetLike(gold) || !isSetLike(answer)) return null;
    if (gold.kind === 'tuple' && answer.kind === 'tuple') return null; // element by element, brackets too
    if (answer.kind === 'relation' && !this.rules.relationForSet) return null;
    const g = pointSet(gold, this.budget);
    const a = g && pointSet(answer, this.budget);
    if (g === null || a === null) return null;
    return equalPointSets(g, a, this.budget) ? same('same_points') : different('other_points');
  }

  // Lists, sets, tuples

  private collections(goldSet: Node, answerSet: Node): CompareVerdict {
    // an interval that stands alone is compared with another end by end, where its ends are not numbers
    const gold = answerSet.kind === 'tuple' ? onlyPart(goldSet) : goldSet;
    const answer = goldSet.kind === 'tuple' ? onlyPart(answerSet) : answerSet;
    if (gold.kind === 'set-operation' || answer.kind === 'set-operation') {
      const alike =
        gold.kind === 'set-operation' &&
        answer.kind === 'set-operation' &&
        gold.name === answer.name &&
        (gold.name === 'difference'
          ? this.inOrder(gold.items, answer.items)
          : this.inAnyOrder(gold.items, answer.items));
      return alike ? same('same_elements') : different('other_elements');
    }
    if (gold.kind === 'tuple') return this.tuple(gold, answer);
    const goldItems = itemsOf(gold);
    const answerItems = itemsOf(answer);
    if (!isCollection(gold) || !isCollection(answer)) return different('other_kind');
    if (answer.kind === 'tuple' && !isPlainTuple(answer, this.budget)) return different('other_kind');
    if (this.rules.habits && answer.kind === 'tuple' && answerItems.length !== goldItems.length)
      return different('other_elements');
    return this.inAnyOrder(goldItems, answerItems) ? same('same_elements') : different('other_elements');
  }

  /** A gold tuple is ordered whatever the answer is: a tuple, a list, or a set as it was written. */
  private tuple(gold: NodeOf<'tuple'>, answer: Node): CompareVerdict {
    if (answer.kind === 'tuple') {
      const brackets = gold.open === answer.open && gold.close === answer.close;
      if (!brackets && this.rules.strictBrackets && gold.items.length === 2) return different('other_elements');
      if (!brackets && !(isPlainTuple(gold, this.budget, true) && isPlainTuple(answer, this.budget, true))) {
        return different('other_elements');
      }
    } else if (!isPlainTuple(gold, this.budget)) {
      return different('other_kind');
    }
    return this.inOrder(gold.items, itemsOf(answer)) ? same('same_elements') : different('other_elements');
  }

  private inOrder(gold: readonly Node[], answer: readonly Node[]): boolean {
    return gold.length === answer.length && gold.every((item, index) => this.equal(item, answer[index]!));
  }

  private inAnyOrder(goldItems: readonly Node[], answerItems: readonly Node[]): boolean {
    const gold = this.distinct(goldItems);
    const answer = new Map(this.distinct(answerItems).map((element) => [element.key, element]));
    if (gold.length !== answer.size) return false;
    const left = gold.filter((element) => !answer.delete(element.key));
    return left.every((element) => {
      for (const [otherKey, other] of answer) {
        if (!this.sameElement(element, other)) continue;
        answer.delete(otherKey);
        return true;
      }
      return false;
    });
  }

  /** Elements without repetitions: those written alike first, then those that are equal. */
  private distinct(items: readonly Node[]): readonly Element[] {
    const byKey = new Map(items.map((node) => [key(node), node]));
    this.budget.spend(10 * items.length);
    const kept: Element[] = [];
    for (const [elementKey, node] of byKey) {
      const element = { key: elementKey, node, size: this.sizeOf(node) };
      if (!kept.some((other) => this.sameElement(element, other))) kept.push(element);
    }
    return kept;
  }

  private sameElement(a: Element, b: Element): boolean {
    this.budget.spend(1);
    if (a.node.kind === 'symbol' && b.node.kind === 'symbol')
      return lettersOf(a.node)!.toLowerCase() === lettersOf(b.node)!.toLowerCase();
    return couldEqual(a.size, b.size) && this.equal(a.node, b.node);
  }

  /** An element's value as a double, so that most pairs need no comparison; null when it has none. */
  private sizeOf(node: Node): number | null {
    if (node.kind === 'number') return q.toDouble(node.value);
    if (['relation', 'list', 'set', 'tuple', 'text', 'symbol'].includes(node.kind) || variablesOf(node).names.size > 0)
      return null;
    const value = doubleValue(node, new Map(), this.budget, { peak: 1 });
    return value === null ? null : value.re;
  }

  // Matrices

  private matrices(gold: Node, answer: Node): CompareVerdict {
    if (gold.kind !== 'matrix' || answer.kind !== 'matrix') return different('other_kind');
    return this.rows(gold.rows, answer.rows);
  }

  private cases(gold: Node, answer: Node): CompareVerdict {
    return gold.kind === 'cases' && answer.kind === 'cases'
      ? this.rows(gold.rows, answer.rows)
      : different('other_kind');
  }

  private rows(gold: readonly (readonly Node[])[], answer: readonly (readonly Node[])[]): CompareVerdict {
    const alike = gold.length === answer.length && gold.every((row, index) => this.inOrder(row, answer[index]!));
    return alike ? same('same_elements') : different('other_elements');
  }

  // Relations

  private relations(gold: NodeOf<'relation'>, answer: NodeOf<'relation'>): CompareVerdict {
    const alike =
      gold.names.length === answer.names.length &&
      (this.chain(gold, answer) || (gold.names.length > 1 && this.chain(gold, reversed(answer))));
    if (alike) return same('same_relation');
    const g = pointSet(gold, this.budget);
    const a = g && pointSet(answer, this.budget);
    return g && a && equalPointSets(g, a, this.budget) && sameVariable(gold, answer)
      ? same('same_relation')
      : different('other_relation');
  }

  private chain(gold: NodeOf<'relation'>, answer: NodeOf<'relation'>): boolean {
    return gold.names.every((name, index) =>
      this.link(
        { left: gold.sides[index]!, name, right: gold.sides[index + 1]! },
        { left: answer.sides[index]!, name: answer.names[index]!, right: answer.sides[index + 1]! },
      ),
    );
  }

  private link(gold: Link, answer: Link): boolean {
    const goldName = gold.name === 'in' ? '=' : gold.name;
    const answerName = answer.name === 'in' ? '=' : answer.name;
    const flipped = mirroredName[answerName] === goldName;
    if (goldName !== answerName && !flipped) return false;
    if (goldName === answerName && this.equal(gold.left, answer.left) && this.equal(gold.right, answer.right))
      return true;
    if (flipped && this.equal(gold.left, answer.right) && this.equal(gold.right, answer.left)) return true;
    if (![gold.left, gold.right, answer.left, answer.right].every(isExpression)) return false;
    const g = difference(gold.left, gold.right);
    const a = difference(answer.left, answer.right);
    if (goldName === answerName && equalValues(g, a, this.budget) === 'same') return true;
    if (flipped && equalValues(g, negated(a), this.budget) === 'same') return true;
    return this.rules.factors && mirroredName[goldName] !== undefined && this.proportional(g, a, goldName, answerName);
  }

  /**
   * Whether g = c a for a constant c other than 0, of the sign that the relations ask for: g(x) a(y) = g(y) a(x) for all x and y,
   * and neither is zero everywhere.
   */
  private proportional(g: Node, a: Node, goldName: RelationName, answerName: RelationName): boolean {
    if (variablesOf(g).names.size === 0 || variablesOf(a).names.size === 0) return false;
    const crossed = equalValues(product(g, renamed(a)), product(renamed(g), a), this.budget);
    if (crossed !== 'same') return false;
    if (equalValues(g, zero, this.budget) !== 'different' || equalValues(a, zero, this.budget) !== 'different')
      return false;
    if (goldName === '=' || goldName === '!=') return true;
    const point = samplePoint(variablesOf(g, a), 0);
    const [x, y] = [g, a].map((node) => doubleValue(node, point, this.budget, { peak: 1 }));
    if (!x || !y || x.im !== 0 || y.im !== 0 || x.re === 0 || y.re === 0) return false;
    return x.re > 0 === y.re > 0 ? goldName === answerName : mirroredName[answerName] === goldName;
  }
}

interface Element {
  readonly key: string;
  readonly node: Node;
  readonly size: number | null;
}

interface Link {
  readonly left: Node;
  readonly name: RelationName;
  readonly right: Node;
}

const mirroredName: Partial<Record<RelationName, RelationName>> = {
  '<': '>',
  '>': '<',
  '<=': '>=',
  '>=': '<=',
  '=': '=',
  '!=': '!=',
};

function reversed({ names, sides }: NodeOf<'relation'>): NodeOf<'relation'> {
  return {
    kind: 'relation',
    names: [...names].reverse().map((name) => mirroredName[name] ?? name),
    sides: [...sides].reverse(),
  };
}

function sameVariable(a: Node, b: Node): boolean {
  return [...variablesOf(a).names].join() === [...variablesOf(b).names].join();
}

function onlyPart(node: Node): Node {
  return node.kind === 'set-operation' && node.items.length === 1 ? node.items[0]! : node;
}

function isCollection(node: Node): boolean {
  return node.kind === 'list' || node.kind === 'set' || node.kind === 'tuple' || node.kind === 'set-operation';
}

function isSetLike(node: Node): boolean {
  return isCollection(node) || node.kind === 'relation' || node.kind === 'named-set';
}

function describesPoints(node: Node): boolean {
  return (
    node.kind === 'relation' ||
    node.kind === 'set-operation' ||
    node.kind === 'named-set' ||
    (node.kind === 'list' && node.joint !== ',')
  );
}

function isExpression(node: Node): boolean {
  return !isSetLike(node) && node.kind !== 'matrix' && node.kind !== 'cases';
}

function itemsOf(node: Node): readonly Node[] {
  if (node.kind === 'list' || node.kind === 'set' || node.kind === 'tuple') return node.items;
  return node.kind === 'named-set' && node.name === 'empty' ? [] : [node];
}

/**
 * Whether brackets around items are no interval, or one that stands for its two ends as well: open on both sides, or (for
 * `orInterval` = false) any two equal or falling ends.
 */
function isPlainTuple({ items, open, close }: NodeOf<'tuple'>, budget: Budget, strictly = false): boolean {
  if ((open === '(') !== (close === ')')) return false;
  if (items.length !== 2) return true;
  if (open === '(' && !strictly) return true;
  return (
    items.every((item) => variablesOf(item).names.size === 0) &&
    pointSet({ kind: 'tuple', items, open, close }, budget) === null
  );
}

function isDecimal(node: Node): boolean {
  if (node.kind === 'percent') return isDecimal(node.inner);
  return node.kind === 'number' && node.decimal;
}

/** The decimal places of a decimal, without zeros at the end; 0 for everything else. */
function decimalPlaces(node: Node): number {
  if (node.kind !== 'number' || !node.decimal) return 0;
  let places = 0;
  for (let unit = 1n; unit % node.value.d !== 0n; unit *= 10n) places += 1;
  return places;
}

function difference(left: Node, right: Node): Node {
  return { kind: 'add', terms: [left, negated(right)] };
}

function product(left: Node, right: Node): Node {
  return { kind: 'multiply', factors: [left, right] };
}

function couldEqual(a: number | null, b: number | null): boolean {
  return a === null || b === null || Math.abs(a - b) <= 1e-5 * (1 + Math.abs(a) + Math.abs(b));
}
