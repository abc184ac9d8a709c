import type { Dialect } from './dialect.js';
import { ExpressionParser } from './expression.js';
import { type Token, unparsable } from './lex.js';
import { measured } from './measure.js';
import { respelled } from './respelled.js';
import { withoutReversedBrackets } from './reversed-brackets.js';
import { type Answer, mapChildren, type Node, negated, some } from './tree.js';

/**
 * The tree of an answer written in LaTeX or plain text; null when it does not parse. Bounded: at most `maxLength`
 * characters, `maxTokens` tokens, groups nested `maxDepth` deep.
 *
 *   answer   list of elements, separated by `;`, then by `,`, `and`, `or`
 *   element  side {relation side}        `x = 1, 2` is x = {1, 2}; `a \approx b` is a, or b where a is a bare symbol
 *   side     sum, or sets joined by union, intersection and difference
 *   sum      product {('+' | '-' | '\pm') product}
 *   product  unary {('\cdot' | '/' | ':' | ...) unary},  factors side by side binding tighter than any sign between
 */
export function parseAnswer(latex: string, dialect: Dialect): Answer | null {
  const tokens = parsing(() => tokensOf(latex, dialect));
  if (tokens === null || tokens.length === 0) return null;
  const answer = parsing(() => parsedTokens(tokens, dialect));
  const measure = dialect.units ? measured(tokens) : null;
  const value = measure && parsing(() => parsedTokens(measure.value, dialect));
  if (!measure || !value || value.unit !== '') return answer;
  const reading: Answer = { tree: value.tree, unit: measure.unit };
  return answer && !measure.certain ? { ...answer, measured: reading } : reading;
}

/** What `work` makes, or null if it cannot be parsed. */
function parsing<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    if (error === unparsable) return null;
    throw error;
  }
}

function tokensOf(latex: string, dialect: Dialect): readonly Token[] {
  const tokens = dialect.lex(latex);
  return joinThousands(dialect.trims ? respelled(withoutReversedBrackets(trimmed(tokens))) : tokens, dialect);
}

function parsedTokens(tokens: readonly Token[], dialect: Dialect): Answer {
  const parser = new ExpressionParser(tokens, dialect);
  const tree = parser.answer();
  return { tree: some(tree, isPlusMinus) ? expandedPlusMinus(tree) : tree, unit: parser.unit };
}

/** Tokens without the punctuation around a sentence's end, and without a leading `=` or approximation sign. */
function trimmed(tokens: readonly Token[]): readonly Token[] {
  let begin = 0;
  let end = tokens.length;
  while (begin < end && isOperator(tokens[begin]!, ['=', 'approx', ':', ',', ';', '->'])) begin += 1;
  while (end > begin && isOperator(tokens[end - 1]!, ['.', ',', ';', ':', '!'])) {
    if (tokens[end - 1]!.text === '!' && !tokens[end - 1]!.space) break; // a factorial
    end -= 1;
  }
  return tokens.slice(begin, end);
}

function isOperator(token: Token, texts: readonly string[]): boolean {
  return token.type === 'operator' && texts.includes(token.text);
}

const head = /^\d{1,3}$/;
const group = /^\d{3}$/;
const lastGroup = /^\d{3}(?:\.\d+)?$/;

/**
 * `1,234,567` as one number: only when all commas outside of brackets group thousands, without space, in one number.
 */
function joinThousands(tokens: readonly Token[], { thousandsAnywhere }: Dialect): readonly Token[] {
  const commas: number[] = [];
  let level = 0;
  tokens.forEach((token, index) => {
    if (token.type !== 'operator') return;
    if (['(', '[', '{', 'lbrace'].includes(token.text)) level += 1;
    else if ([')', ']', '}', 'rbrace'].includes(token.text)) level -= 1;
    else if (level === 0 && (token.text === ',' || token.text === ';')) commas.push(index);
  });
  const first = commas[0];
  const last = commas.at(-1);
  if (first === undefined || last === undefined) return tokens;
  if (!head.test(tokens[first - 1]?.text ?? '')) return tokens;
  let digits = tokens[first - 1]!.text;
  for (const [order, comma] of commas.entries()) {
    const next = tokens[comma + 1];
    if (tokens[comma]!.text !== ',' || comma !== first + 2 * order || tokens[comma]!.space) return tokens;
    if (next?.type !== 'number' || next.space) return tokens;
    if (!(comma === last ? lastGroup : group).test(next.text)) return tokens;
    digits += next.text;
  }
  // 0,125 is a decimal, with a comma for its point
  if (tokens[first - 1]!.text === '0' && commas.length === 1) digits = digits.replace('0', '0.');
  if (!thousandsAnywhere && (last + 2 < tokens.length || first - 1 > (tokens[0]!.text === '-' ? 1 : 0))) return tokens;
  const joined: Token = { type: 'number', text: digits, space: tokens[first - 1]!.space };
  return [...tokens.slice(0, first - 1), joined, ...tokens.slice(last + 2)];
}

function isPlusMinus(node: Node): boolean {
  return node.kind === 'plus-minus';
}

/** `a \pm b` as the two answers a + b, a - b; all signs of an element change together. */
function expandedPlusMinus(tree: Node): Node {
  if (tree.kind === 'list' || tree.kind === 'set') {
    return { ...tree, items: tree.items.flatMap((item) => (some(item, isPlusMinus) ? bothSigns(item) : [item])) };
  }
  if (tree.kind === 'relation') {
    const right = tree.sides.at(-1)!;
    if (!tree.sides.slice(0, -1).some((side) => some(side, isPlusMinus))) {
      return { ...tree, sides: [...tree.sides.slice(0, -1), { kind: 'list', items: bothSigns(right), joint: ',' }] };
    }
  }
  return { kind: 'list', items: bothSigns(tree), joint: ',' };
}

function bothSigns(node: Node): Node[] {
  return [withSign(node, false), withSign(node, true)];
}

function withSign(node: Node, minus: boolean): Node {
  const visit = (child: Node): Node => withSign(child, minus);
  if (node.kind !== 'plus-minus') return mapChildren(node, visit);
  const right = visit(node.right);
  const signed = minus !== node.flipped ? negated(right) : right;
  return node.left ? { kind: 'add', terms: [visit(node.left), signed] } : signed;
}
