/**
 * Other ways to write the same answer, as models write them. Each is a pure function that rewrites an answer to which it applies,
 * and nothing else; what it writes means the same to any reader.
 */
export interface Respelling {
  readonly name: string;
  /** @returns the respelled answer; null where it does not apply, or changes nothing */
  apply(answer: string): string | null;
}

/** A respelling by a function that may return its input unchanged. */
function respelling(name: string, rewrite: (answer: string) => string | null): Respelling {
  return {
    name,
    apply(answer) {
      if (answer.trim() === '') return null;
      const written = rewrite(answer);
      return written === answer ? null : written;
    },
  };
}

/** A respelling by a pattern, everywhere in the answer. */
const replacing = (name: string, pattern: RegExp, replacement: string): Respelling =>
  respelling(name, (answer) => answer.replace(pattern, replacement));

/** A respelling of whole answers of one look. */
const whole = (name: string, pattern: RegExp, replacement: string): Respelling =>
  respelling(name, (answer) => (pattern.test(answer) ? answer.replace(pattern, replacement) : null));

const delimited = /\$|\\\(|\\\[|\\boxed/;
const fraction = /^(-?)\\[dt]?frac\{(\d+)\}\{(\d+)\}$/;
const end = '(?![a-zA-Z])';

export const respellings: readonly Respelling[] = [
  // What stands around an answer.
  respelling('in dollars', (answer) => (delimited.test(answer) ? null : `$${answer}$`)),
  respelling('in \\( \\)', (answer) => (delimited.test(answer) ? null : `\\(${answer}\\)`)),
  respelling('boxed', (answer) => (delimited.test(answer) ? null : `\\boxed{${answer}}`)),
  whole('without dollars', /^\$([^$]+)\$$/, '$1'),
  respelling('full stop', (answer) => (answer.endsWith('.') ? null : `${answer}.`)),
  respelling('spaces around', (answer) => ` ${answer} `),

  // Fractions.
  replacing('\\dfrac for \\frac', /\\frac(?![a-zA-Z])/g, '\\dfrac'),
  replacing('\\frac for \\dfrac', /\\[dt]frac(?![a-zA-Z])/g, '\\frac'),
  replacing('\\frac without braces', /\\frac\{(\d)\}\{(\d)\}/g, '\\frac$1$2'),
  replacing('\\frac with braces', /\\([dt]?)frac\s*(\d)\s*(\d)/g, '\\$1frac{$2}{$3}'),
  whole('a/b for \\frac', fraction, '$1$2/$3'),
  whole('\\frac for a/b', /^(-?)(\d+)\s*\/\s*(\d+)$/, '$1\\frac{$2}{$3}'),
  whole('minus in the numerator', /^-\\([dt]?)frac\{(\d+)\}\{(\d+)\}$/, '\\$1frac{-$2}{$3}'),

  // Brackets and space.
  respelling('with \\left and \\right', (answer) =>
    answer.includes('\\left') || !/^[[(][^()[\]]*[\])]$/.test(answer)
      ? null
      : `\\left${answer.slice(0, -1)}\\right${answer.slice(-1)}`,
  ),
  replacing('without \\left and \\right', new RegExp(`\\\\(?:left|right)${end}\\s*`, 'g'), ''),
  respelling('no spaces', (answer) =>
    hasWords(answer) ? null : answer.replace(/(?<!\\)(?<![a-zA-Z\d}]) +| +(?![a-zA-Z\d\\])/g, ''),
  ),
  respelling('spaces after commas', (answer) =>
    isOneNumber(answer) ? null : answer.replace(/,(?=[^\s}!\\])(?!\d{3}(?!\d))/g, ', '),
  ),
  respelling('thin spaces after commas', (answer) =>
    isOneNumber(answer) || hasWords(answer) ? null : answer.replace(/, +(?=[^\\])/g, ',\\,'),
  ),
  respelling('without thin spaces', (answer) => answer.replace(/\s*\\!\s*/g, '').replace(/\\[,;:](?=\s*\S)/g, '')),
  respelling('spaces around signs', (answer) =>
    answer.includes('\\phantom') ? null : answer.replace(/(?<=[\w}]) ?([-+=]) ?(?=[\w\\{(])(?![^{]*\})/g, ' $1 '),
  ),

  // Numbers.
  respelling('thousands by commas', (answer) => grouped(answer, ',')),
  respelling('thousands by {,}', (answer) => grouped(answer, '{,}')),
  respelling('thousands by ,\\!', (answer) => grouped(answer, ',\\!')),
  respelling('no thousands separators', (answer) =>
    isOneNumber(answer) ? answer.replace(/(?:,\\!|\{,\}|,)(?=\d{3})/g, '') : null,
  ),
  whole('leading zero', /^(-?)\.(\d+)$/, '$10.$2'),
  whole('no leading zero', /^(-?)0\.(\d+)$/, '$1.$2'),
  whole('trailing zero', /^(-?\d*\.\d+)$/, '$10'),

  // Symbols.
  respelling('unicode', unicode),
  replacing('\\times for \\cdot', new RegExp(`\\\\cdot${end}`, 'g'), '\\times'),
  replacing('\\cdot for \\times', new RegExp(`\\\\times${end}`, 'g'), '\\cdot'),
  replacing('braces around exponents', /\^(\w)/g, '^{$1}'),
  replacing('no braces around exponents', /\^\{(\w)\}/g, '^$1'),
  replacing('braces around subscripts', /_(\w)/g, '_{$1}'),
  replacing('no braces around subscripts', /_\{(\w)\}/g, '_$1'),
  replacing('\\sqrt without braces', /\\sqrt\{(\d)\}/g, '\\sqrt$1'),
  replacing('\\sqrt with braces', /\\sqrt\s*(\d)/g, '\\sqrt{$1}'),
  replacing('\\le for \\leq', new RegExp(`\\\\([lg])eq${end}`, 'g'), '\\$1e'),
  replacing('\\leq for \\le', new RegExp(`\\\\([lg])e${end}`, 'g'), '\\$1eq'),
  replacing('plus before infinity', /(?<=[,[(] ?)\\infty/g, '+\\infty'),
  replacing('no plus before infinity', /\+\\infty/g, '\\infty'),
  replacing('braces around degrees', /\^\\circ/g, '^{\\circ}'),
  replacing('no braces around degrees', /\^\{\\circ\}/g, '^\\circ'),
  replacing('degree sign', /\^\\circ|\^\{\\circ\}/g, '°'),
  replacing('plain percent sign', /\\%/g, '%'),
  replacing('escaped percent sign', /(?<!\\)%/g, '\\%'),
  whole('without dollar sign', /^\\\$\s*(\d[\d.,]*)$/, '$1'),
  replacing('bmatrix for pmatrix', /\{pmatrix\}/g, '{bmatrix}'),
  replacing('pmatrix for bmatrix', /\{bmatrix\}/g, '{pmatrix}'),

  // Words.
  whole('in \\text', /^([A-Za-z]{3,}(?: [A-Za-z]+)*)$/, '\\text{$1}'),
  replacing('\\mathrm for \\text', /\\text\{(\w+)\}/g, '\\mathrm{$1}'),
  replacing('\\mbox for \\text', /\\text\{/g, '\\mbox{'),
  whole('without \\text', /^\\text\{([^{}]+)\}$/, '$1'),
  whole('choice in parentheses', /^(?:\\text\{)?([A-J])\}?$/, '\\text{($1)}'),
  whole('choice without parentheses', /^(?:\\text\{)?\(([A-J])\)\}?$/, '\\text{$1}'),
];

/** All that apply, with what they write. */
export function respell(answer: string): { readonly name: string; readonly text: string }[] {
  return respellings.flatMap(({ name, apply }) => {
    const text = apply(answer);
    return text === null ? [] : [{ name, text }];
  });
}

const hasWords = (answer: string): boolean => /\\(?:text|mbox|mathrm|textbf)\b|[a-zA-Z]{3,} [a-zA-Z]/.test(answer);

/** A number, with or without separators of thousands: a comma in it separates no elements. */
const isOneNumber = (answer: string): boolean =>
  /^[-+]?\d{1,3}(?:(?:,\\!|\{,\}|,)\d{3})*(?:\.\d+)?$/.test(answer.replace(/\s/g, ''));

/** A whole number of at least five digits with a separator between its thousands. */
function grouped(answer: string, separator: string): string | null {
  const [, sign = '', digits = ''] = /^(-?)([1-9]\d{4,})$/.exec(answer) ?? [];
  return digits === '' ? null : sign + digits.replace(/\B(?=(?:\d{3})+$)/g, separator);
}

const symbols: readonly (readonly [RegExp, string])[] = [
  [/\\pi(?![a-zA-Z])\s*/g, 'π'],
  [/\\infty(?![a-zA-Z])\s*/g, '∞'],
  [/\s*\\cup(?![a-zA-Z])\s*/g, ' ∪ '],
  [/\\leq?(?![a-zA-Z])/g, '≤'],
  [/\\geq?(?![a-zA-Z])/g, '≥'],
  [/\\cdot(?![a-zA-Z])/g, '·'],
  [/\\times(?![a-zA-Z])/g, '×'],
  [/\\sqrt\{(\d+)\}/g, '√$1'],
  [/\^\{?\\circ\}?/g, '°'],
  [/(?<![a-zA-Z])-(?=[\d\\∞π√(a-zA-Z])/g, '−'],
];

/** Signs for commands and for the hyphen, outside of words. */
function unicode(answer: string): string | null {
  if (hasWords(answer) || answer.includes('\\begin')) return null;
  return symbols.reduce((text, [pattern, sign]) => text.replace(pattern, sign), answer);
}
