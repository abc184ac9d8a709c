/**
 * `normalize_final_answer` of LIMR's evaluation (eval/utils/equal.py), which is appendix D of Lewkowycz et al. 2022
 * (arXiv:2206.14858) with changes. It works on characters, not on mathematics: `area` loses nothing, but `the square root`
 * loses `square`, `can ` loses `an `, and `\sqrt[3]{x}` becomes `\sqrt{[}3]{x}`. Both sides go through it.
 *
 * The original also looks for what stands between two dollar signs; no dollar sign is left by then, so that is not here.
 */
import { pythonStrip } from '../../python-text.js';
import { isPythonDigits } from './python.js';

/** In this order, everywhere. */
const replacements: readonly (readonly [from: string, to: string])[] = [
  ['an ', ''],
  ['.$', '$'],
  ['\\$', ''],
  ['\\ ', ''],
  [' ', ''],
  ['mbox', 'text'],
  [',\\text{and}', ','],
  ['\\text{and}', ','],
  ['\\text{m}', '\\text{}'],
  ['\\left', ''],
  ['\\right', ''],
  ['\u2236', ':'],
  ['\uff0c', ','],
  ['$', ''],
  ['\\approx', '='],
  ['\\simeq', '='],
  ['\\sim', '='],
  ['^\\prime', "'"],
  ['^{\\prime}', "'"],
  ['\\dfrac', '\\frac'],
  ['\\tfrac', '\\frac'],
  ['^\\circ', ''],
  ['%', ''],
  ['\u221a', '\\sqrt'],
  ['\u221e', '\\infty'],
  ['\u222a', '\\cup'],
];

/** Then deleted in this order, wherever they stand. */
const deletions: readonly string[] = [
  ...(
    'square ways integers dollars mph inches hours km units \\ldots sue points feet minutes digits cents degrees cm gm ' +
    'pounds meters meals edges students childrentickets multiples \\text{s} \\text{.}'
  ).split(' '),
  '\\text{\ns}',
  '\\text{}^2',
  '\\text{}^3',
  '\\text{\n}',
  ...'\\text{} \\mathrm{th} ^\\circ ^{\\circ} \\; ,\\! {,} " \\dots'.split(' '),
];

/** The answer in the form that `mathEqual` compares. Linear. */
export function normalizeFinalAnswer(answer: string): string {
  let text = withoutMathDelimiters(pythonStrip(answer));
  for (const [from, to] of replacements) text = text.replaceAll(from, () => to);
  for (const deletion of deletions) text = text.replaceAll(deletion, '');
  for (const command of ['\\text{', '\\textbf{', '\\overline{']) text = unwrap(text, command);
  text = unwrapWidest(text, '\\boxed{');
  text = text.replace(/frac([^{])([^\n])/gu, 'frac{$1}{$2}').replace(/sqrt([^{])/gu, 'sqrt{$1}');
  const joined = text.replaceAll(',', '');
  return pythonStrip(withoutMathDelimiters(isPythonDigits(joined) ? joined : text));
}

/** Without `\(` or `\[` at the beginning and `\)` or `\]` at the end, paired or not. */
function withoutMathDelimiters(text: string): string {
  const opened = text.startsWith('\\(') || text.startsWith('\\[') ? text.slice(2) : text;
  return opened.endsWith('\\)') || opened.endsWith('\\]') ? opened.slice(0, -2) : opened;
}

/** Each `command...}` without the command and the first closing brace, both of one line. */
function unwrap(text: string, command: string): string {
  let out = '';
  let done = 0;
  let end = -1;
  let newline = -1;
  for (let at = text.indexOf(command); at >= 0; ) {
    const begin = at + command.length;
    if (end < begin) end = text.indexOf('}', begin);
    if (end < 0) break;
    if (newline < begin) newline = indexOrEnd(text, '\n', begin);
    if (end < newline) {
      out += text.slice(done, at) + text.slice(begin, end);
      done = end + 1;
      at = text.indexOf(command, done);
    } else {
      at = text.indexOf(command, newline); // what opens before the newline closes after it
    }
  }
  return out + text.slice(done);
}

function indexOrEnd(text: string, part: string, from: number): number {
  const at = text.indexOf(part, from);
  return at < 0 ? text.length : at;
}

/** As `unwrap`, from the first command of a line to the last closing brace of that line. */
function unwrapWidest(text: string, command: string): string {
  if (!text.includes(command)) return text;
  return text
    .split('\n')
    .map((line) => {
      const at = line.indexOf(command);
      const end = at < 0 ? -1 : line.lastIndexOf('}');
      return end < at + command.length
        ? line
        : line.slice(0, at) + line.slice(at + command.length, end) + line.slice(end + 1);
    })
    .join('\n');
}
