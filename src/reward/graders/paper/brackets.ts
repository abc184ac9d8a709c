/** Lists in brackets and matrices, as the evaluation's grader finds them: by their first and last characters. */
import { pythonStrip } from '../../python-text.js';
import { stripCharacters } from './python.js';

export function inBrackets(text: string, open: string, close: string): boolean {
  return text.startsWith(open) && text.endsWith(close);
}

/**
 * What is between the first and the last character, cut at every comma, however deep; null unless the text begins with `(`
 * or `[` and its first line has `)` or `]` at the third place or later. The last character need not be a bracket.
 */
export function bracketItems(text: string): string[] | null {
  if (!/^[([]/.test(text)) return null;
  const newline = text.indexOf('\n', 1);
  const line = newline < 0 ? text : text.slice(0, newline);
  return /[)\]]/.test(line.slice(2)) ? text.slice(1, -1).split(',') : null;
}

const begins = ['\\begin{pmatrix}', '\\begin{bmatrix}'];
const ends = ['\\end{pmatrix}', '\\end{bmatrix}'];

/** Cells of a pmatrix or bmatrix by row, without rows of whitespace; null for everything else. */
export function matrixCells(text: string): string[][] | null {
  if (!begins.some((begin) => text.startsWith(begin)) || !ends.some((end) => text.endsWith(end))) return null;
  return text
    .slice(begins[0]!.length, -ends[0]!.length)
    .split('\\\\')
    .map(pythonStrip)
    .filter((row) => row !== '')
    .map((row) => row.split('&'));
}

/**
 * The pmatrix that stands for braces with commas in a text, one a line, `, ` between; '' when there are none. Their commas
 * become single backslashes, as in the original, so that the result is rarely equal to anything.
 */
export function toPmatrix(text: string): string {
  const matrices: string[] = [];
  for (const line of text.split('\n')) {
    const open = line.indexOf('{');
    const close = line.lastIndexOf('}');
    const comma = open < 0 ? -1 : line.indexOf(',', open);
    if (comma < 0 || comma > close) continue;
    const cells = stripCharacters(line.slice(open, close + 1), '{}').replaceAll(',', '\\');
    matrices.push(`\\begin{pmatrix}${cells}\\end{pmatrix}`);
  }
  return matrices.join(', ');
}
