import { type Candidate, candidateKey, type LatexPart, mathVerifyCandidates } from '../../extract/index.js';
import { type Answer, type Node, parseAnswer } from '../../maths/index.js';
import { mathVerifyDialect } from './dialect.js';
import { parseNumber } from './expression.js';
import { normaliseLatex } from './normalise.js';
import { expressionTree, numberTree } from './plain-tree.js';

/** What Math-Verify's parse() finds in a text: a value, and the text of the first thing that it tried, each perhaps missing. */
export interface Reading {
  readonly value: Value | null;
  readonly text: string;
}

export interface Value {
  readonly answer: Answer;
  /** The LaTeX speaks of complex numbers: then no variable of it equals one of a text that does not. */
  readonly complex: boolean;
}

const nothing: Reading = { value: null, text: '' };

/**
 * The first candidate that has a value, as parse() with its default settings; its text is that of the first candidate of all.
 * A number that cannot be converted ends the search with nothing at all, as the error that it raises there.
 */
export function mathVerifyRead(text: string): Reading {
  let first = '';
  const failed = new Set<string>(); // the same formula often is a candidate of several patterns
  for (const candidate of mathVerifyCandidates(text)) {
    if (failed.size > 0 && failed.has(candidateKey(candidate))) continue;
    if (candidate.kind === 'number' && !parseNumber(candidate.text, candidate.percent).ok) return nothing;
    const { value, text: shown } = readCandidate(candidate);
    if (first === '') first = shown;
    if (value !== null) return { value, text: first };
    failed.add(candidateKey(candidate));
  }
  return first === '' ? nothing : { value: null, text: first };
}

/** The value and the text of one candidate. */
export function readCandidate(candidate: Candidate): Reading {
  switch (candidate.kind) {
    case 'latex':
      return readLatex(candidate.parts);
    case 'expression':
      return plain(expressionTree(candidate.text), candidate.text);
    case 'number':
      return plain(numberTree(candidate.text, candidate.percent), candidate.text);
  }
}

function plain(tree: Node | null, text: string): Reading {
  return { value: tree && { answer: { tree, unit: '' }, complex: false }, text };
}

/** Pieces that all parse are the elements of one set, else the first is all that counts. */
function readLatex(parts: readonly LatexPart[]): Reading {
  const texts = parts.map((part) => normaliseLatex(part.text, { boxed: part.boxed }));
  const values = parts.map((part, index) => parsed(texts[index]!, part.percent));
  const [value = null] = values;
  const [text = ''] = texts;
  if (parts.length === 1 || values.includes(null)) return { value, text };
  const items = (values as Value[]).flatMap(({ answer: { tree } }) =>
    tree.kind === 'list' || tree.kind === 'set' ? tree.items : [tree],
  );
  const complex = (values as Value[]).some((one) => one.complex);
  return { value: { answer: { tree: { kind: 'set', items }, unit: '' }, complex }, text: texts.join(' and ') };
}

function parsed(text: string, percent: boolean): Value | null {
  const whole = parseAnswer(text, mathVerifyDialect);
  const shorter = whole === null ? lastSide(text) : text;
  const answer = whole ?? (shorter === text ? null : parseAnswer(shorter, mathVerifyDialect));
  if (answer === null) return null;
  const tree: Node = percent ? { kind: 'percent', inner: answer.tree } : answer.tree;
  return { answer: { tree, unit: '' }, complex: speaksOfComplexNumbers(shorter) };
}

const equalsSign = /(?<![\\<!>])=/;

/** What stands behind the last of two or more equals signs, unless commas or semicolons make a list of the text. */
function lastSide(text: string): string {
  if (/[,;]/.test(text)) return text;
  const sides = text.split(equalsSign);
  return sides.length > 2 ? sides.at(-1)! : text;
}

const complexSigns =
  /\\mathbb\{C\}|\\i\b|\bi\b|\\text\{i\}|\\mathrm\{i\}|\\imath\b|\\det|\\operatorname\{(?:tr|rank|Re|Im)\}|\\text\{(?:rank|Re|Im)\}|\\(?:arg|Re|Im)\{/;

function speaksOfComplexNumbers(latex: string): boolean {
  return complexSigns.test(latex);
}
