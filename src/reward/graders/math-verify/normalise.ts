import { spaceClass } from '../../extract/source-text.js';
import { pythonStrip } from '../../python-text.js';
import { extractBoxed } from './boxes.js';
import { fixMalformed } from './malformed.js';
import { respell } from './replacements.js';
import { removeUnits } from './units.js';

/**
 * The text that Math-Verify 0.8.0 hands to its LaTeX parser: latex2sympy2_extended 1.10.2's `normalize_latex` with
 * basic_latex, units, malformed_operators and nits, character by character, its faults included. What `standard` does not
 * want of it (units of one letter, `\frac\pi4`) is the reason that it is in this folder. Linear time.
 */
export function normaliseLatex(text: string, options: { readonly boxed: 'all' | 'last' }): string {
  const answer = removeUnits(cleanCommands(extractBoxed(text, options.boxed)));
  const leading = answer.startsWith('.') ? `0${answer}` : answer;
  return pythonStrip(fixMalformed(leading === '0.5' ? '\\frac{1}{2}' : leading));
}

const leftDelimiter =
  /\\m?left(\\\{|\{|\\\||\||\[|\(|\\rbracl|\\lgroup|\\lbrace|\\lbrack|\\vert|\\lvert|\\lceil|\\lfloor|\\langle|\\llcorner|\\ulcorner)/g;
const rightDelimiter =
  /\\m?right(\\\}|\}|\\\||\||\]|\)|\\rbrack|\\rgroup|\\rbrace|\\vert|\\rvert|\\rceil|\\rfloor|\\rangle|\\lrcorner|\\urcorner)/g;
/** `(n)_{k}`, the permutations of k of n. */
const permutations = /\(([a-zA-Z0-9+\-*/\\ ]+?)\)_\{([a-zA-Z0-9+\-*/\\ ]+?)\}/g;
const meaningless = new RegExp(
  `\\\\mathrm\\{th\\}|\\\\![${spaceClass}]*|\\\\text[${spaceClass}]*\\{[${spaceClass}]*\\}|\\\\?\\$|(?<!\\\\)["']|\\\\displaystyle`,
  'g',
);
const doubledBackslash = /\\\\(?=[a-zA-Z])/g;

function cleanCommands(text: string): string {
  const cleaned = text
    .replaceAll('\\mathrm{T}', 'T')
    .replaceAll('\\mathrm{d}', 'd')
    .replaceAll('{\\rm d}', 'd')
    .replaceAll('\\left[\\begin{matrix}', '\\begin{bmatrix}')
    .replaceAll('\\end{matrix}\\right]', '\\end{bmatrix}')
    .replace(leftDelimiter, '$1')
    .replace(rightDelimiter, '$1')
    .replace(permutations, '\\frac{($1)!}{(($1)-($2))!}')
    .replace(meaningless, '');
  const respelled = respell(cleaned).replace(/[\n\t]/g, ' ');
  return respelled.includes('matrix') ? respelled : respelled.replace(doubledBackslash, '\\');
}
