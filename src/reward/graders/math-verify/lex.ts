import { maxLength, maxTokens, type Token, type TokenType, unparsable } from '../../maths/lex.js';

/**
 * Tokens as Math-Verify's grammar (latex2sympy2_extended 1.10.2) knows them, out of what its normaliser leaves. It is strict:
 * any other command or character does not parse, and Math-Verify relies on that to fall back to plain numbers.
 */
export function mathVerifyLex(text: string): Token[] {
  if (text.length > maxLength) throw unparsable;
  const tokens: Token[] = [];
  let space = false;
  for (let at = 0; at < text.length; ) {
    const match = longest(text, at);
    if (match === null || tokens.length >= maxTokens) throw unparsable;
    const { length, emit } = match;
    if (emit.length === 0) space = true;
    for (const [type, value] of emit) {
      tokens.push({ type, text: value, space });
      space = false;
    }
    at += length;
  }
  return tokens;
}

interface Match {
  readonly length: number;
  /** Nothing for white space. */
  readonly emit: readonly (readonly [TokenType, string])[];
}

const operators: Record<string, readonly string[]> = {
  '+': ['+'], '-': ['-', '−'], '*': ['*', '\\times', '\\cdot', '×', '∗'], '/': ['/', '\\div', '÷'], '(': ['(', '\\(', '\\lgroup'],
  ')': [')', '\\)', '\\rgroup'], '{': ['{'], '}': ['}'], lbrace: ['\\{', '\\lbrace'], rbrace: ['\\}', '\\rbrace'], '[': ['[', '\\lbrack'],
  ']': [']', '\\rbrack'], '|': ['|', '\\vert', '\\lvert', '\\rvert'], lfloor: ['\\lfloor', '\\llcorner'], rfloor: ['\\rfloor', '\\lrcorner'],
  lceil: ['\\lceil', '\\ulcorner'], rceil: ['\\rceil', '\\urcorner'], choose: ['\\choose'], over: ['\\over'], mod: ['\\mod'], '&': ['&'], '\\\\': ['\\\\'], _: ['_'], '^': ['^'],
  ':': [':'], ';': [';'], ',': [','], in: ['\\in'], '=': ['=', '==', '\\equiv'], approx: ['\\approx', '≈'], '<': ['<', '\\lt'], '>': ['>', '\\gt'],
  '<=': ['<=', '\\le', '\\leq', '\\leqslant', '≤'], '>=': ['>=', '\\ge', '\\geq', '\\geqslant', '≥'], '!=': ['!=', '!==', '\\ne', '\\neq', '≠'], '!': ['!'],
  cup: ['\\cup', '∪'], cap: ['\\cap', '∩'], setminus: ['\\setminus'], '±': ['\\pm', '±'], '∓': ['\\mp'], notin: ['\\notin'], subset: ['\\subseteq'],
  '°': ['^\\circ', '^\\degree', '^\\circle', '^°', '^{\\circ}', '^{\\degree}', '^{\\circle}', '^{°}'], transpose: ['^T', '^{T}', '^{\\top}', "'"],
}; // biome-ignore format: a table
const spaces = [
  '\\,',
  '\\thinspace',
  '\\:',
  '\\medspace',
  '\\;',
  '\\thickspace',
  '\\quad',
  '\\qquad',
  '\\!',
  '\\negthinspace',
  '\\negmedspace',
  '\\negthickspace',
  '\\$',
];
const structures: Record<string, readonly string[]> = {
  frac: ['\\frac', '\\dfrac', '\\tfrac', '\\cfrac'], binom: ['\\binom', '\\dbinom', '\\tbinom'], sqrt: ['\\sqrt'], sum: ['\\sum'], prod: ['\\prod'],
  int: ['\\int'], lim: ['\\lim'], emptyset: ['\\emptyset', '\\{\\}', '\\O'], 'N': ['\\mathbb{N}'], 'Z': ['\\mathbb{Z}'], 'Q': ['\\mathbb{Q}'], 'R': ['\\mathbb{R}'], 'C': ['\\mathbb{C}'],
}; // biome-ignore format: a table
const functions =
  'log ln exp sin cos tan csc sec cot arcsin arccos arctan arccsc arcsec arccot sinh cosh tanh arsinh arcosh artanh gcd lcm floor ceil max min'.split(
    ' ',
  );
const aliases: Record<string, string> = { arcsinh: 'arsinh', arccosh: 'arcosh', arctanh: 'artanh' };
const greek = (
  'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma varsigma tau upsilon phi varphi chi psi ' +
  'omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega'
).split(' ');
const symbols = 'Re Im imath jmath hbar ell nabla angle triangle square varnothing prime wp forall exists bot'.split(
  ' ',
);
const greekCharacters: Record<string, string> = {
  α: 'alpha', β: 'beta', γ: 'gamma', δ: 'delta', ε: 'epsilon', ζ: 'zeta', η: 'eta', θ: 'theta', ι: 'iota', κ: 'kappa', λ: 'lambda', μ: 'mu', ν: 'nu', ξ: 'xi', ρ: 'rho',
  σ: 'sigma', τ: 'tau', υ: 'upsilon', φ: 'phi', χ: 'chi', ψ: 'psi', ω: 'omega',
}; // biome-ignore format: a table
/** Names of functions that the grammar reserves even where letters stand alone. */
const reserved =
  'arsinh arcsinh arcosh arccosh artanh arctanh gcd lcm floor ceil eye zeros ones cols rows diag norm rank rref hstack vstack nullspace'.split(
    ' ',
  );

const fixed = new Map<string, Match['emit']>([
  ...Object.entries(operators).flatMap(([text, spellings]) =>
    spellings.map((s): [string, Match['emit']] => [s, text === 'transpose' ? [] : [['operator', text]]]),
  ),
  ...spaces.map((s): [string, Match['emit']] => [s, []]),
  ...Object.entries(structures).flatMap(([text, spellings]) =>
    spellings.map((s): [string, Match['emit']] => [s, [[/^[NZQRC]$/.test(text) ? 'set' : 'structure', text]]]),
  ),
  ...functions.map((name): [string, Match['emit']] => [`\\${name}`, [['function', name]]]),
  ...Object.entries(aliases).map(([name, alias]): [string, Match['emit']] => [`\\${name}`, [['function', alias]]]),
  ...[...greek, ...symbols].map((name): [string, Match['emit']] => [`\\${name}`, [['symbol', name]]]),
  ...Object.entries(greekCharacters).map(([c, name]): [string, Match['emit']] => [c, [['symbol', name]]]),
  ['\\pi', [['constant', 'pi']]],
  ['π', [['constant', 'pi']]],
  ['\\infty', [['constant', 'infinity']]],
]);
const longestFixed = Math.max(...[...fixed.keys()].map(({ length }) => length));

const number = /(?:\d+(?:\.\d+)?|\.\d+)(?:(E-?\d+)|(\s*\\?%))?/y;
const white = /[ \t\r\n]+/y;
const accent =
  /\\(text\w*|mbox|math(?:rm|bf|cal|frak|it|sf|tt|scr)|boldsymbol|bar|overline|vec|overrightarrow|hat|widehat|tilde|widetilde|dot|ddot|underline)\s*\{([^{}]*)\}/y;
const named = /\\operatorname\s*\{([^{}]*)\}/y;
const environment = /\\(begin|end)\s*\{\s*(?:(matrix|pmatrix|bmatrix|vmatrix)\s*\}|(array)\s*\}(?:\s*\{[^{}]*\})?)/y;
const letter = /[a-zA-Z]/;
const differential = /d\s*([a-zA-Z])/y;

function matched(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** The token at a position: the longest that any rule finds, as lexer generators choose. */
function longest(text: string, at: number): Match | null {
  const c = text[at]!;
  const blank = matched(white, text, at);
  if (blank) return { length: blank[0].length, emit: [] };
  const digits = matched(number, text, at);
  if (digits) return { length: digits[0].length, emit: numberTokens(digits) };
  if (letter.test(c)) return letters(text, at);
  if (c === '\\') {
    const command = commandAt(text, at);
    if (command) return command;
  }
  for (let length = Math.min(longestFixed, text.length - at); length > 0; length -= 1) {
    const emit = fixed.get(text.slice(at, at + length));
    if (emit !== undefined) return { length, emit };
  }
  return null;
}

function numberTokens([whole, exponent, percent]: RegExpExecArray): Match['emit'] {
  if (percent !== undefined)
    return [
      ['number', whole.slice(0, -percent.length)],
      ['operator', '%'],
    ];
  if (exponent === undefined) return [['number', whole]];
  const sign = exponent[1] === '-';
  return [
    ['number', whole.slice(0, -exponent.length)],
    ['operator', '*'],
    ['number', '10'],
    ['operator', '^'],
    ['operator', '{'],
    ...(sign ? [['operator', '-'] as const] : []),
    ['number', exponent.slice(sign ? 2 : 1)],
    ['operator', '}'],
  ];
}

function letters(text: string, at: number): Match | null {
  if (reserved.some((name) => text.startsWith(name, at))) return null;
  const small = matched(differential, text, at);
  if (small) return { length: small[0].length, emit: [['symbol', `d${small[1]}`]] };
  return { length: 1, emit: [['letters', text[at]!]] };
}

function commandAt(text: string, at: number): Match | null {
  const face = matched(accent, text, at);
  if (face) {
    const [whole, name, content] = face as unknown as [string, string, string];
    const bare = content.replace(/ /g, '');
    if (name.startsWith('text') || name === 'mbox')
      return { length: whole.length, emit: [['symbol', bare.replace(/[()]/g, '')]] };
    if (/^\\mathbb/.test(whole)) return null;
    const kind = name.startsWith('math')
      ? 'math'
      : name === 'overline'
        ? 'bar'
        : name === 'overrightarrow'
          ? 'vec'
          : name.replace('wide', '');
    return { length: whole.length, emit: [['symbol', `${kind}{${bare}}`]] };
  }
  const operator = matched(named, text, at);
  if (operator) {
    const name = operator[1]!;
    const known = functions.includes(name) || name in aliases;
    return known && reserved.includes(name)
      ? { length: operator[0].length, emit: [['function', aliases[name] ?? name]] }
      : null;
  }
  const block = matched(environment, text, at);
  if (block) return { length: block[0].length, emit: [[block[1] as 'begin' | 'end', block[2] ?? block[3]!]] };
  return null;
}
