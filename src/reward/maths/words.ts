import { asciiMaths } from './commands.js';
import type { Node } from './tree.js';

/** The letters that a node spells: words, one symbol, or letters that stood together; null when it is more than that. */
export function lettersOf(node: Node): string | null {
  if (node.kind === 'text') return node.text;
  if (node.kind === 'symbol') return node.name.replaceAll("'", '\u2032'); // a prime is no quotation mark
  if (node.kind === 'constant') return node.name === 'e' || node.name === 'i' ? node.name : null;
  if (node.kind !== 'multiply') return null;
  if (node.word !== undefined) return node.word;
  const parts = node.factors.map(lettersOf);
  return parts.includes(null) ? null : parts.join('');
}

/** Whether words are the same but for case and spaces, and brackets and punctuation around them unless those count. */
export function sameWords(a: string, b: string, punctuation: boolean): boolean {
  return bare(a, punctuation) === bare(b, punctuation);
}

const around = /^(?:an?\s+(?=\p{L}{2})|the\s+(?=\p{L}{2})|[\s([{'`"“”‘’.*])+|[\s)\]}'"“”‘’.,;:!*]+$/giu;

function bare(text: string, punctuation: boolean): string {
  if (!punctuation && enumeration.test(text)) {
    return text
      .split(enumeration)
      .map((part) => spelled(part, false))
      .sort()
      .join();
  }
  return spelled(text, punctuation);
}

/** Words in a list: their order says nothing. */
const enumeration = /\s*(?:,\s*(?:and\b)?|\band\b|&)\s*/;

function spelled(text: string, punctuation: boolean): string {
  if (!punctuation && /^\s*dne[\s.]*$/i.test(text)) return 'doesnotexist';
  return (punctuation ? text : text.replace(around, '').replace(/[_-]+/g, '')).replace(/\s+/g, '').toLowerCase();
}

const faces =
  /\\(?:text(?:bf|it|rm|sf|tt|normal)?|mbox|hbox|mathrm|mathbf|mathit|operatorname|emph|underline|boxed|displaystyle|left|right|,|;|:|!|quad|qquad)(?![a-zA-Z])/g;

/** An answer as plain words, for when it is not mathematics: no commands of face or space, no braces, one space between words. */
export function plainWords(answer: string): string {
  return asciiMaths(answer)
    .replace(/\\[dtc]frac/g, '\\frac')
    .replace(faces, ' ')
    .replace(/\\[ $]|[{}$~\s]+/g, ' ')
    .replace(/(?<![.,])\s+(?=[^\p{L}\p{N}\s])|(?<=[^\p{L}\p{N}\s])\s+(?!\d)|(?<=[^\p{L}\p{N}\s.,])\s+/gu, '')
    .trim()
    .replace(/[.,;:]+$/, '')
    .replace(/^\(([a-z])\)$/i, '$1')
    .replace(/^(?:an?|the)\s+(?=\p{L}{2})/iu, '')
    .trim()
    .toLowerCase();
}
