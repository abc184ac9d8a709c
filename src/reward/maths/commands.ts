/** The LaTeX commands, words and characters that an answer may use. A command that is not here does not parse. */
import type { ConstantName, FunctionName, RelationName } from './tree.js';

/** Space, size and style: they mean nothing. `left` and `right` also take a `.` with them. */
export const ignoredCommands = new Set(
  (
    'quad qquad enspace enskip thinspace medspace thickspace negthinspace space nobreakspace displaystyle textstyle ' +
    'scriptstyle scriptscriptstyle limits nolimits left right middle mleft mright big Big bigg Bigg bigl bigr Bigl Bigr ' +
    'biggl biggr Biggl Biggr bigm Bigm rm bf it sf tt cal em large Large LARGE small normalsize boldmath unboldmath noindent ' +
    'hfill hspace vspace nonumber mathstrut strut phantom relax allowbreak color textcolor pounds euro yen textdollar mathopen mathclose mathbin mathord'
  ).split(' '),
);

/** Commands that set words, and those that only change the face of mathematics. */
export const textCommands = new Set(
  'text textbf textit textrm textsf texttt textnormal textup textsc mbox hbox fbox mathrm operatorname'.split(' '),
);
export const faceCommands = new Set(
  'mathbf mathit mathsf mathtt mathcal mathscr mathfrak boldsymbol bm pmb mathnormal ensuremath boxed smash emph underline'.split(
    ' ',
  ),
);

/** Accents: they make another symbol. */
export const accentCommands = new Map(
  Object.entries({
    vec: 'vec', overrightarrow: 'vec', bar: 'bar', overline: 'bar', hat: 'hat', widehat: 'hat', tilde: 'tilde',
    widetilde: 'tilde', dot: 'dot', ddot: 'ddot', overleftrightarrow: 'line', overarc: 'arc', wideparen: 'arc',
  }), // biome-ignore format: a table
);

/** Commands that stand for one operator. */
export const operatorCommands = new Map(
  Object.entries({
    cdot: '*', times: '*', ast: '*', star: '*', bullet: '*', div: '/', pm: '±', mp: '∓', le: '<=', leq: '<=', leqslant: '<=',
    leqq: '<=', ge: '>=', geq: '>=', geqslant: '>=', geqq: '>=', lt: '<', gt: '>', ne: '!=', neq: '!=', colon: ':', mid: '|', vert: '|',
    lvert: '|', rvert: '|', Vert: '||', lVert: '||', rVert: '||', lbrace: 'lbrace', rbrace: 'rbrace', lbrack: '[', rbrack: ']',
    lparen: '(', rparen: ')', prime: "'", circ: '°', degree: '°', textdegree: '°', ldots: '...', dots: '...', cdots: '...',
    dotsc: '...', dotsb: '...', approx: 'approx', simeq: 'approx', approxeq: 'approx', sim: 'approx', equiv: 'equivalent',
    in: 'in', notin: 'notin', cup: 'cup', bigcup: 'cup', sqcup: 'cup', cap: 'cap', bigcap: 'cap', cr: '\\\\', setminus: 'setminus', backslash: 'setminus',
    smallsetminus: 'setminus', subset: 'subset', subseteq: 'subset', land: 'and', wedge: 'and', lor: 'or', vee: 'or',
    lfloor: 'lfloor', rfloor: 'rfloor', lceil: 'lceil', rceil: 'rceil', langle: '(', rangle: ')', bmod: 'mod', mod: 'mod', to: '->',
    rightarrow: '->', longrightarrow: '->', over: 'over', choose: 'choose', percent: '%', lgroup: '(', rgroup: ')',
  }), // biome-ignore format: a table
);

/** Commands that begin an expression of their own; the parser knows each by name. */
export const structureCommands = new Map(
  Object.entries({
    frac: 'frac', nicefrac: 'frac', sfrac: 'frac', dfrac: 'frac', tfrac: 'frac', cfrac: 'frac', binom: 'binom', dbinom: 'binom', tbinom: 'binom', sqrt: 'sqrt', sum: 'sum',
    prod: 'prod', int: 'int', iint: 'int', iiint: 'int', oint: 'int', lim: 'lim', mathbb: 'mathbb', Bbb: 'mathbb', pmod: 'pmod', not: 'not',
    overset: 'set', underset: 'set', stackrel: 'set',
  }), // biome-ignore format: a table
);

export const functionNames = new Map<string, FunctionName>(
  Object.entries({
    sin: 'sin', cos: 'cos', tan: 'tan', tg: 'tan', cot: 'cot', ctg: 'cot', sec: 'sec', csc: 'csc', cosec: 'csc', arcsin: 'arcsin', asin: 'arcsin',
    arccos: 'arccos', acos: 'arccos', arctan: 'arctan', atan: 'arctan', arctg: 'arctan', arccot: 'arccot', arcsec: 'arcsec',
    arccsc: 'arccsc', sinh: 'sinh', cosh: 'cosh', tanh: 'tanh', coth: 'coth', sech: 'sech', csch: 'csch', arsinh: 'arsinh', arcsinh: 'arsinh',
    asinh: 'arsinh', arcosh: 'arcosh', arccosh: 'arcosh', acosh: 'arcosh', artanh: 'artanh', arctanh: 'artanh', atanh: 'artanh', exp: 'exp',
    ln: 'ln', log: 'log', lg: 'log', gcd: 'gcd', lcm: 'lcm', max: 'max', min: 'min', floor: 'floor', ceil: 'ceil', abs: 'abs',
    Re: 're', Im: 'im', arg: 'arg',
  } as const), // biome-ignore format: a table
);

/** Functions with several arguments; the others take one. */
export const manyArguments: ReadonlySet<FunctionName> = new Set<FunctionName>(['gcd', 'lcm', 'max', 'min']);

export const inverseFunctions = new Map<FunctionName, FunctionName>([
  ['sin', 'arcsin'], ['cos', 'arccos'], ['tan', 'arctan'], ['cot', 'arccot'], ['sec', 'arcsec'], ['csc', 'arccsc'],
  ['sinh', 'arsinh'], ['cosh', 'arcosh'], ['tanh', 'artanh'],
]); // biome-ignore format: a table

export const constantNames = new Map<string, ConstantName>(
  Object.entries({ pi: 'pi', infty: 'infinity', infin: 'infinity', imath: 'i' } as const),
);

export const symbolCommands = new Set(
  (
    'alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi rho varrho sigma varsigma tau ' +
    'upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell hbar aleph jmath partial ' +
    'nabla angle measuredangle triangle square parallel perp'
  ).split(' '),
);

/** Plain words that mean mathematics when they stand alone between other characters. */
export const mathWords = new Map(
  Object.entries({
    sqrt: 'sqrt',
    pi: 'pi',
    inf: 'infty',
    infty: 'infty',
    infinity: 'infty',
    Infinity: 'infty',
    oo: 'infty',
    theta: 'theta',
    alpha: 'alpha',
    beta: 'beta',
  }),
);

/** Words that name a set or a constant. */
export const wordSets = new Map<string, 'R' | 'empty'>([
  ['all real numbers', 'R'],
  ['all reals', 'R'],
  ['the set of all real numbers', 'R'],
  ['empty set', 'empty'],
  ['the empty set', 'empty'],
]);

export const relationOperators = new Map<string, RelationName>(
  Object.entries({
    '=': '=', '==': '=', '<': '<', '>': '>', '<=': '<=', '>=': '>=', '!=': '!=', approx: 'approx', equivalent: 'equivalent', in: 'in',
    notin: 'notin', subset: 'subset',
  } as const), // biome-ignore format: a table
);

/** Characters beyond ASCII, as the LaTeX that they stand for. */
const characters: Record<string, string> = {
  '−': '-', '–': '-', '—': '-', '‐': '-', '‑': '-', '×': '\\times ', '·': '\\cdot ', '⋅': '\\cdot ', '∙': '\\cdot ', '∗': '*', '÷': '/', '∕': '/', '⁄': '/',
  '√': '\\sqrt ', '∛': '\\sqrt[3] ', '∞': '\\infty ', '≤': '\\le ', '⩽': '\\le ', '≦': '\\le ', '≥': '\\ge ', '⩾': '\\ge ', '≧': '\\ge ', '≠': '\\ne ',
  '≈': '\\approx ', '≡': '\\equiv ', '±': '\\pm ', '∓': '\\mp ', '∈': '\\in ', '∉': '\\notin ', '∪': '\\cup ', '∩': '\\cap ', '∖': '\\setminus ',
  '⊂': '\\subset ', '⊆': '\\subset ', '∅': '\\emptyset ', 'Ø': '\\emptyset ', 'ø': '\\emptyset ', 'ℝ': '\\mathbb{R}', 'ℤ': '\\mathbb{Z}', 'ℕ': '\\mathbb{N}', 'ℚ': '\\mathbb{Q}',
  'ℂ': '\\mathbb{C}', '°': '^\\circ ', '˚': '^\\circ ', 'º': '^\\circ ', '′': "'", '’': "'", '‘': "'", '″': "''", '“': '"', '”': '"', '∠': '\\angle ', '△': '\\triangle ',
  '∑': '\\sum ', '∏': '\\prod ', '∫': '\\int ', '⌊': '\\lfloor ', '⌋': '\\rfloor ', '⌈': '\\lceil ', '⌉': '\\rceil ', '→': '\\to ', '⟨': '\\langle ', '⟩': '\\rangle ',
  '∣': '|', '∥': '\\Vert ', '∧': '\\land ', '∨': '\\lor ', '…': '\\ldots ', '⋯': '\\ldots ', '½': '\\frac{1}{2}', '⅓': '\\frac{1}{3}', '⅔': '\\frac{2}{3}', '¼': '\\frac{1}{4}',
  '¾': '\\frac{3}{4}', '⅕': '\\frac{1}{5}', '⅖': '\\frac{2}{5}', '⅗': '\\frac{3}{5}', '⅘': '\\frac{4}{5}', '⅙': '\\frac{1}{6}', '⅚': '\\frac{5}{6}', '⅛': '\\frac{1}{8}',
  '⅜': '\\frac{3}{8}', '⅝': '\\frac{5}{8}', '⅞': '\\frac{7}{8}', 'α': '\\alpha ', 'β': '\\beta ', 'γ': '\\gamma ', 'δ': '\\delta ', 'ε': '\\epsilon ', 'ζ': '\\zeta ', 'η': '\\eta ',
  'θ': '\\theta ', 'κ': '\\kappa ', 'λ': '\\lambda ', 'μ': '\\mu ', 'µ': '\\mu ', 'ν': '\\nu ', 'ξ': '\\xi ', 'π': '\\pi ', 'ρ': '\\rho ', 'σ': '\\sigma ', 'τ': '\\tau ', 'φ': '\\phi ',
  'ϕ': '\\phi ', 'χ': '\\chi ', 'ψ': '\\psi ', 'ω': '\\omega ', 'Γ': '\\Gamma ', 'Δ': '\\Delta ', 'Θ': '\\Theta ', 'Λ': '\\Lambda ', 'Σ': '\\Sigma ', 'Φ': '\\Phi ',
  'Ψ': '\\Psi ', 'Ω': '\\Omega ', 'ℓ': '\\ell ', '∂': '\\partial ', '（': '(', '）': ')', '［': '[', '］': ']', '｛': '\\{', '｝': '\\}', '，': ',', '、': ',', '；': ';', '：': ':',
  '或': ' or ', '且': ' and ', '和': ' and ', '﹣': '-', '﹢': '+', '∶': ':', '．': '.', '。': '.', '＝': '=', '＋': '+', '－': '-', '＜': '<', '＞': '>', '％': '\\%', '＄': '\\$', '€': '\\$', '£': '\\$', '¥': '\\$', '₹': '\\$', '\u00a0': ' ', '\u2009': ' ', '\u202f': ' ',
  '\u200b': '', '\u2061': '', '\u2062': '', '\u2063': '', '\ufeff': '', '⁰': '^{0}', '¹': '^{1}', '²': '^{2}', '³': '^{3}', '⁴': '^{4}', '⁵': '^{5}', '⁶': '^{6}', '⁷': '^{7}', '⁸': '^{8}', '⁹': '^{9}', '⁻': '^{-}',
  '₀': '_{0}', '₁': '_{1}', '₂': '_{2}', '₃': '_{3}', '₄': '_{4}', '₅': '_{5}', '₆': '_{6}', '₇': '_{7}', '₈': '_{8}', '₉': '_{9}', '𝑥': 'x', '𝑦': 'y', '𝜋': '\\pi ',
}; // biome-ignore format: a table

const beyondAscii = /[\u0080-\u{10ffff}]/u;
const eachBeyondAscii = /[\u0080-\u{10ffff}]/gu;
const joinedSuperscripts = /\}\^\{(?=[-\d])/g;
const unicodeRoot = /√\s*(\d+)/g;
const fullwidthDigit = /[\uff10-\uff19]/g;

/** Text with characters beyond ASCII written as LaTeX, where they are known. */
export function asciiMaths(text: string): string {
  if (!beyondAscii.test(text)) return text;
  return text
    .replace(unicodeRoot, '\\sqrt{$1}')
    .replace(fullwidthDigit, (digit) => String(digit.charCodeAt(0) - 0xff10))
    .replace(eachBeyondAscii, (character) => characters[character] ?? character)
    .replace(joinedSuperscripts, '');
}
