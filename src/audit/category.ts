/** What kind of thing an answer is, by its look: for reports, never for verdicts. */

export const categories = [
  'integer',
  'decimal',
  'fraction',
  'radical',
  'polynomial',
  'tuple',
  'interval',
  'set',
  'matrix',
  'relation',
  'text',
  'choice',
  'percent',
  'degrees',
  'money',
  'complex',
  'base',
  'units',
  'other',
  'empty',
] as const;
export type Category = (typeof categories)[number];

/** A test of what `bareAnswer` leaves; the first that holds decides. */
const tests: readonly (readonly [Category, (bare: string, answer: string) => boolean])[] = [
  ['empty', (bare) => bare === ''],
  ['matrix', (bare) => /\\begin\{\w*(?:matrix|array)\}/.test(bare)],
  ['choice', (_, answer) => /^(?:\\(?:text|textbf|mathrm)\{\s*)?\(?[A-J]\)?(?:\s*\})?$/.test(answer)],
  ['text', (bare) => words(bare) && !/\d|\\(?!text|mbox|mathrm)/.test(bare)],
  ['money', (_, answer) => /\\\$|^\$\d[\d,.]*$|\\text\{ ?(?:dollars|cents)\}/.test(answer)],
  ['percent', (bare) => /\\?%$/.test(bare)],
  [
    'degrees',
    (bare) => !/\\(?:sin|cos|tan|cot|sec|csc)/.test(bare) && /\^\{?\\circ\}?$|°$|\\text\{ ?degrees\}$/.test(bare),
  ],
  ['base', (bare) => /^-?[\dA-Z]+_\{?(?:\d+|\\text\{\w+\})\}?$/.test(bare)],
  ['relation', (bare) => /[=<>]|\\(?:leq?|geq?|ne|neq|approx|in|equiv|sim)(?![a-zA-Z])/.test(bare)],
  ['interval', isInterval],
  ['tuple', (bare) => /^\(.*,.*\)$/.test(bare) || /^\\langle/.test(bare)],
  ['integer', (bare) => /^[-+−]?\d+$|^[-+−]?\d{1,3}(?:(?:\{,\}|,)\d{3})+$/.test(bare)],
  ['decimal', (bare) => /^[-+−]?(?:\d+|\d{1,3}(?:(?:\{,\}|,)\d{3})+)?\.\d*$/.test(bare) && bare !== '.'],
  [
    'set',
    (bare) =>
      /^\\\{.*\\\}$|^\\emptyset|\\varnothing/.test(bare) || /,(?!\d{3}(?!\d))|\\pm|\\text\{ ?(?:and|or) ?\}/.test(bare),
  ],
  ['fraction', (bare) => /^-?\d*(?:\\frac(?:\{-?\d+\}|\d)(?:\{-?\d+\}|\d)|\d+\/\d+)$/.test(bare)],
  ['units', (bare, answer) => /\d.*\\(?:text|textnormal|mbox|mathrm)\b/.test(bare) || /\d\s+[a-zA-Z]{2,}/.test(answer)],
  ['text', words],
  ['complex', (bare) => /(?<![a-zA-Z\\])i(?![a-zA-Z])/.test(letters(bare)) && !/[a-hj-zA-Z]/.test(letters(bare))],
  ['polynomial', (bare) => /[a-zA-Z]/.test(letters(bare))],
  ['radical', (bare) => bare.includes('\\sqrt')],
];

export function categoryOf(answer: string): Category {
  const trimmed = answer.trim();
  const bare = bareAnswer(trimmed);
  return tests.find(([, test]) => test(bare, trimmed))?.[0] ?? 'other';
}

/** The answer without delimiters, `\left`, `\right`, spacing commands, size of fractions, spaces between anything but letters. */
function bareAnswer(answer: string): string {
  return answer
    .replace(/^\$(.*)\$$/s, '$1')
    .replace(/^\\\((.*)\\\)$/s, '$1')
    .replace(/\\(?:left|right)(?![a-zA-Z])|\\[!,;: ]/g, '')
    .replace(/\\[dtc]frac(?![a-zA-Z])/g, '\\frac')
    .replace(/(?<![a-zA-Z}])\s+|\s+(?![a-zA-Z\\])/g, '')
    .replace(/\.$/, '');
}

/** Without commands that are functions or constants, but for the letters of `\text`. */
const letters = (bare: string): string => bare.replace(/\\[a-zA-Z]+/g, ' ');

function words(bare: string): boolean {
  const spoken = bare.replace(/\\(?:text|textnormal|mbox|mathrm|textbf)\{([^{}]*)\}/g, ' $1 ');
  return /[a-zA-Z]{3,}/.test(spoken.replace(/\\[a-zA-Z]+/g, ' ')) && !/[+*^=_]/.test(spoken);
}

function isInterval(bare: string): boolean {
  if (/\\(?:cup|cap)(?![a-zA-Z])|[∪∩]/.test(bare)) return true;
  return /^[[(][^,]+,[^,]+[\])]$/.test(bare) && (/^\[|\]$/.test(bare) || /\\infty|∞/.test(bare));
}
