/**
 * Tokens of LaTeX as sympy 1.14's `parse_latex` cuts it (its grammar: sympy/parsing/latex/LaTeX.g4): the longest match wins,
 * space and sizes are skipped, and every letter and digit is a token of its own, but for `d` with a letter after it, which is a
 * differential: `dog` is do times g.
 */

export type TokenType =
  | 'letter'
  | 'digit'
  | 'differential' // its text is the variable
  | 'symbol' // a command without a meaning of its own; its text is without the backslash
  | 'function' // sin, log and the like, by their name
  | 'command' // a command of the grammar, by its name
  | 'relation' // = < <= > >= !=
  | 'quotes'
  | 'sign' // an operator or a bracket, as written, but `\{` and `\}` with their backslash
  | 'error'
  | 'end';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
}

/** More tokens are not read. */
export const maxTokens = 4_000;

const functions = new Set(
  'exp log lg ln sin cos tan csc sec cot arcsin arccos arctan arccsc arcsec arccot sinh cosh tanh arsinh arcosh artanh'.split(
    ' ',
  ),
);
const skipped = new Set(
  (
    'thinspace medspace thickspace quad qquad negthinspace negmedspace negthickspace left right vrule vcenter vbox vskip ' +
    'vspace hfil'
  ).split(' '),
);
const commands = new Set(
  'langle rangle lim to int sum prod lfloor rfloor lceil rceil sqrt overline times cdot div frac binom mathit'.split(
    ' ',
  ),
);
const aliases = new Map([
  ['dfrac', 'frac'], ['tfrac', 'frac'], ['dbinom', 'binom'], ['tbinom', 'binom'], ['rightarrow', 'to'], ['Rightarrow', 'to'],
  ['longrightarrow', 'to'], ['Longrightarrow', 'to'],
]); // biome-ignore format: a table
const relations = new Map([
  ['neq', '!='], ['leq', '<='], ['le', '<='], ['leqq', '<='], ['leqslant', '<='], ['geq', '>='], ['ge', '>='], ['geqq', '>='],
  ['geqslant', '>='],
]); // biome-ignore format: a table

const space = /[ \t\r\n]+|\\[,:;!*\-./"(=]/y;
const command = /\\([a-zA-Z]+)/y;
const bar = /\\(?:left|right)\|/y;
const differential = /d[ \t\r\n]*(?:\\([a-zA-Z]+)|([a-zA-Z]))/y;
const equality = /&[ \t\r\n]*=|=&?/y;
const quotes = /'+/y;
const signs = new Set(['+', '-', '*', '/', '(', ')', '{', '}', '[', ']', '|', '_', '^', ':', '!', '.', ',']);

/** The tokens of a text and an `end`; or, in place of what cannot be cut, an `error` that ends them. */
export function tokens(text: string): Token[] {
  const result: Token[] = [];
  for (let at = 0; at < text.length && result.length < maxTokens; ) {
    const [token, end] = tokenAt(text, at);
    if (token !== null) result.push(token);
    if (token?.type === 'error') return result;
    at = end;
  }
  result.push(result.length < maxTokens ? { type: 'end', text: '' } : { type: 'error', text: '' });
  return result;
}

/** The token that begins at a place, null for what is skipped, and where the next begins. */
function tokenAt(text: string, at: number): readonly [Token | null, number] {
  const skip = match(space, text, at);
  if (skip !== null) return [null, at + skip[0].length];
  const unit = text[at]!;
  if (unit === '\\') return commandAt(text, at);
  const difference = unit === 'd' ? match(differential, text, at) : null;
  if (difference !== null)
    return [{ type: 'differential', text: difference[1] ?? difference[2]! }, at + difference[0].length];
  if (/[a-zA-Z]/.test(unit)) return [{ type: 'letter', text: unit }, at + 1];
  if (/[0-9]/.test(unit)) return [{ type: 'digit', text: unit }, at + 1];
  if (unit === '<' || unit === '>') return [{ type: 'relation', text: unit }, at + 1];
  const equal = match(equality, text, at);
  if (equal !== null) return [{ type: 'relation', text: '=' }, at + equal[0].length];
  const primes = match(quotes, text, at);
  if (primes !== null) return [{ type: 'quotes', text: primes[0] }, at + primes[0].length];
  return [{ type: signs.has(unit) ? 'sign' : 'error', text: unit }, at + 1];
}

function commandAt(text: string, at: number): readonly [Token | null, number] {
  const sized = match(bar, text, at);
  if (sized !== null) return [{ type: 'command', text: sized[0] }, at + sized[0].length];
  const brace = text.slice(at, at + 2);
  if (brace === '\\{' || brace === '\\}') return [{ type: 'sign', text: brace }, at + 2];
  const named = match(command, text, at);
  if (named === null) return [{ type: 'error', text: '\\' }, at + 1];
  const name = aliases.get(named[1]!) ?? named[1]!;
  const end = at + named[0].length;
  if (name === 'int' && text.startsWith('\\limits', end)) return [{ type: 'command', text: name }, end + 7];
  if (skipped.has(name)) return [null, end];
  const relation = relations.get(name);
  if (relation !== undefined) return [{ type: 'relation', text: relation }, end];
  const type = functions.has(name) ? 'function' : commands.has(name) ? 'command' : 'symbol';
  return [{ type, text: name }, end];
}

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
