import {
  accentCommands,
  asciiMaths,
  constantNames,
  faceCommands,
  functionNames,
  ignoredCommands,
  operatorCommands,
  structureCommands,
  symbolCommands,
  textCommands,
} from './commands.js';
import { isUnitWord } from './units.js';

/**
 * `number` digits with at most one point, thousands separators gone; `letters` a run of letters; `symbol`, `constant`,
 * `function`, `structure`, `accent`, `face` commands by their name, `set` a set of numbers by its letter; `text` the words inside \text{}; `begin` and `end` an
 * environment; `operator` everything else, `lbrace` and `rbrace` being braces that are seen and `and`, `or` connectives.
 */
export type TokenType =
  | 'number'
  | 'letters'
  | 'symbol'
  | 'constant'
  | 'function'
  | 'structure'
  | 'accent'
  | 'face'
  | 'text'
  | 'set'
  | 'begin'
  | 'end'
  | 'operator';

export interface Token {
  readonly type: TokenType;
  readonly text: string;
  /** Whether space stood before it. */
  readonly space: boolean;
}

/** More tokens than this, or groups deeper than that, do not parse. */
export const maxTokens = 4_000;
export const maxDepth = 200;
export const maxLength = 20_000;

/** Thrown to leave lexer and parser from any depth; carries nothing, so it costs no stack trace. */
export const unparsable = Symbol('unparsable');

const whitespace = /\s/;
const digit = /[0-9]/;
const letter = /[a-zA-Z]/;
const han = /\p{Script=Han}/u;
const spaced = new Set([',', ';', ':', '!', ' ', '\n', '\t', '>', '/']);
const wordOperators = new Map([
  ['and', 'and'], ['or', 'or'], ['percent', '%'], ['percentage', '%'], ['pct', '%'], ['degree', '°'], ['mod', 'mod'], ['degrees', '°'], ['deg', '°'],
]); // biome-ignore format: a table
/** Words for powers of ten, by their zeros. */
const scales = new Map([['hundred', 2], ['thousand', 3], ['million', 6], ['billion', 9], ['trillion', 12]]); // biome-ignore format: a table
const sizes = new Set(
  'left right middle big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr mleft mright'.split(' '),
);
const commandsWithArgument = new Set(['hspace', 'vspace', 'phantom', 'color', 'textcolor']);
/** Environments in which an ampersand only aligns. */
const aligning = /^(?:aligned|align|split|gathered|gather|alignedat|eqnarray)\*?$/;
const numberAndWords = /^([-+]?[\d.,]*\d)\s*([a-zA-Z°%][a-zA-Z°%. ^\d]*)$/;
const letterList = /^\(?[A-Za-z]\)?(?:\s*(?:,\s*(?:and\b)?|\band\b|&)\s*\(?[A-Za-z]\)?)+$/;
const oneLetterUnit = /^[mgshlLNJWVK]$/;
const baseWords = /^\(?base\s+(\d{1,2})\)?$/;
/** Numbers, tuples of them and the like: mathematics that was put into \text{} for no reason. */
const plainContent = /^(?=.*\d)[\d\s.,()[\]+\-*/^=xyz]+\\?%?$/;
/** A number whose thousands are set apart in LaTeX's ways: braced comma, comma or thin space with or without \!. */
const grouped = /\d{1,3}(?:(?:\{,\}|,\s*\\!\s*|\\!\s*,\s*|\\,\s*|\{\\,\}|\\;\s*|\\ )\d{3}(?!\d))+(?:\.\d+)?/y;
const spacedGroups = /[1-9]\d{0,2}(?:[ ~]\d{3}(?!\d))+(?:\.\d+)?(?!\s*[/\d])/y;
const plainNumber = /(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d{1,4}(?![\d.a-zA-Z{]))?/y;
const separators = /[^\d.]+/g;
const trailingPoint = /\.(?!\d)/y;

/** @throws {unparsable} for unknown commands and characters, unbalanced text groups and texts too long */
export function lex(answer: string): Token[] {
  if (answer.length > maxLength) throw unparsable;
  return new Lexer(asciiMaths(answer)).run();
}

class Lexer {
  private at = 0;
  private space = false;
  private readonly tokens: Token[] = [];
  /** Environments that are open: inside one, a doubled backslash ends a row. */
  private readonly environments: string[] = [];

  constructor(
    private readonly text: string,
    private readonly depth = 0,
  ) {}

  run(): Token[] {
    while (this.at < this.text.length) this.next();
    return this.tokens;
  }

  private push(type: TokenType, text: string): void {
    if (this.tokens.length >= maxTokens) throw unparsable;
    this.tokens.push({ type, text, space: this.space });
    this.space = false;
  }

  private next(): void {
    const { text } = this;
    const c = text[this.at]!;
    if (whitespace.test(c) || c === '~' || c === '$') {
      this.space = true;
      this.at += 1;
    } else if (c === '\\') {
      this.command();
    } else if (digit.test(c) || (c === '.' && digit.test(text[this.at + 1] ?? ''))) {
      this.number();
    } else if (letter.test(c)) {
      let end = this.at + 1;
      while (end < text.length && letter.test(text[end]!)) end += 1;
      this.letters(text.slice(this.at, end));
      this.at = end;
    } else if (han.test(c)) {
      let end = this.at + 1;
      while (end < text.length && han.test(text[end]!)) end += 1;
      this.push('text', text.slice(this.at, end));
      this.at = end;
    } else {
      this.operator(c);
    }
  }

  private letters(run: string): void {
    const word = run.length > 1 ? wordOperators.get(run.toLowerCase()) : undefined;
    const scale = scales.get(run.toLowerCase());
    if (scale !== undefined && this.space && this.tokens.at(-1)?.type === 'number') this.scaled(scale);
    else if (word === undefined || (run.length < 3 && !this.space && this.at > 0)) this.push('letters', run);
    else this.push('operator', word);
  }

  /** `2.5 million` as a product. */
  private scaled(zeros: number): void {
    this.push('operator', '*');
    this.push('number', `1${'0'.repeat(zeros)}`);
  }

  private number(): void {
    grouped.lastIndex = this.at;
    spacedGroups.lastIndex = this.at;
    const withGroups = (grouped.exec(this.text) ?? spacedGroups.exec(this.text))?.[0];
    if (withGroups !== undefined) {
      this.at += withGroups.length;
      this.push('number', withGroups.replace(/\{\\,\}|\\./g, '').replace(separators, ''));
      return;
    }
    plainNumber.lastIndex = this.at;
    const plain = plainNumber.exec(this.text)![0];
    this.at += plain.length;
    trailingPoint.lastIndex = this.at;
    // "5." at the very end is a full stop, before other things it is a decimal point without decimals
    if (trailingPoint.test(this.text) && this.text[this.at + 1] === '\\' && !plain.includes('.')) {
      this.at += 1;
      this.push('number', `${plain}.`);
      return;
    }
    this.push('number', plain);
  }

  private operator(c: string): void {
    const pair = this.text.slice(this.at, this.at + 2);
    if (
      pair === '<=' ||
      pair === '>=' ||
      pair === '!=' ||
      pair === '==' ||
      pair === '**' ||
      pair === '->' ||
      pair === '||'
    ) {
      this.at += 2;
      this.push('operator', pair === '**' ? '^' : pair);
    } else if (pair === '..') {
      const begin = this.at;
      while (this.text[this.at] === '.') this.at += 1;
      this.push('operator', this.at - begin === 2 ? '.' : '...');
    } else if (c === '&') {
      this.at += 1;
      this.ampersand();
    } else if ("+-*/^_=<>()[]{}|!',;:%.".includes(c)) {
      this.at += 1;
      this.push('operator', c);
    } else if (c === '"' || c === '`') {
      this.at += 1;
      this.space = true;
    } else {
      throw unparsable;
    }
  }

  /** Between cells in an environment, of no meaning where it aligns, "and" elsewhere. */
  private ampersand(): void {
    const environment = this.environments.at(-1);
    if (environment === undefined) this.push('operator', 'and');
    else if (!aligning.test(environment)) this.push('operator', '&');
  }

  private command(): void {
    const { text } = this;
    const c = text[this.at + 1] ?? '';
    if (letter.test(c)) {
      let end = this.at + 2;
      while (end < text.length && letter.test(text[end]!)) end += 1;
      const name = text.slice(this.at + 1, end);
      this.at = end;
      this.named(name);
    } else if (c === '\\') {
      this.doubled();
    } else if (spaced.has(c) || c === '' || digit.test(c)) {
      this.at += digit.test(c) ? 1 : 2;
      this.space = true;
    } else if (c === '$') {
      this.at += 2; // a currency sign
      this.space = true;
    } else {
      this.at += 2;
      const seen = {
        '{': 'lbrace',
        '}': 'rbrace',
        '%': '%',
        '|': '||',
        '(': '(',
        ')': ')',
        '[': '[',
        ']': ']',
        '&': 'and',
        _: '_',
      }[c];
      if (seen === undefined) throw unparsable;
      this.push('operator', seen);
    }
  }

  /** `\\`: the end of a row inside an environment, elsewhere one backslash too many, or a line break. */
  private doubled(): void {
    const after = this.text[this.at + 2] ?? '';
    if (this.environments.length > 0) {
      this.at += 2;
      if (this.text[this.at] === '[') this.at = Math.max(this.at, this.text.indexOf(']', this.at) + 1); // \\[2pt]
      this.push('operator', '\\\\');
    } else if (letter.test(after) || '()[]{}%$,;!'.includes(after)) {
      this.at += 1;
    } else {
      this.at += 2;
      this.space = true;
    }
  }

  private named(name: string): void {
    const operator = operatorCommands.get(name);
    if (operator !== undefined) this.push('operator', operator);
    else if (ignoredCommands.has(name)) this.ignored(name);
    else if (textCommands.has(name)) this.textGroup(name);
    else if (structureCommands.has(name)) this.push('structure', structureCommands.get(name)!);
    else if (functionNames.has(name)) this.push('function', functionNames.get(name)!);
    else if (constantNames.has(name)) this.push('constant', constantNames.get(name)!);
    else if (symbolCommands.has(name)) this.push('symbol', name);
    else if (accentCommands.has(name)) this.push('accent', accentCommands.get(name)!);
    else if (faceCommands.has(name)) this.push('face', name);
    else if (name === 'begin' || name === 'end') this.environment(name);
    else if (name === 'emptyset' || name === 'varnothing' || name === 'O') this.push('structure', 'emptyset');
    else if (name === 'i' || name === 'e' || name === 'd') this.push('letters', name);
    else this.glued(name);
  }

  private ignored(name: string): void {
    if (!sizes.has(name)) this.space = true;
    if (name === 'left' || name === 'right' || name === 'middle') {
      while (whitespace.test(this.text[this.at] ?? '')) this.at += 1;
      if (this.text[this.at] === '.') this.at += 1; // the delimiter that is not there
    } else if (commandsWithArgument.has(name)) {
      this.braced();
    }
  }

  /** `\quadx`, `\pir`: the longest known command, then the rest as it stands. */
  private glued(name: string): void {
    for (let length = name.length - 1; length >= 2; length -= 1) {
      const head = name.slice(0, length);
      if (
        operatorCommands.has(head) ||
        ignoredCommands.has(head) ||
        constantNames.has(head) ||
        symbolCommands.has(head) ||
        functionNames.has(head) ||
        structureCommands.has(head)
      ) {
        this.at -= name.length - length;
        this.named(head);
        return;
      }
    }
    throw unparsable;
  }

  private environment(kind: 'begin' | 'end'): void {
    const name = this.braced();
    if (name === null) throw unparsable;
    if (kind === 'begin') this.environments.push(name.trim());
    else this.environments.pop();
    this.push(kind, name.replace('*', '').trim());
    if (kind === 'begin' && (name === 'array' || name === 'tabular')) this.braced(); // the columns' alignment
  }

  private textGroup(name: string): void {
    const content = this.braced();
    if (content === null) {
      if (name === 'mathrm' || name === 'operatorname') return;
      throw unparsable;
    }
    const words = content
      .replace(/\\(?:big|Big|bigg|Bigg)[lrm]?(?![a-z])|\\(?:left|right)(?![a-z])/g, '')
      .replace(/\\[ ,;:!]|[~$\s]+/g, ' ')
      .trim();
    const lower = words.toLowerCase().replace(/^,\s*(?=and|or)/, '');
    if (words === '' || words === '.' || words === '\\') this.space = true;
    else if (letterList.test(words)) this.list(words);
    else if (lower === 'cis') this.push('letters', 'cis');
    else if (words === '\\%' || words === '%') this.push('operator', '%');
    else if (words === ':' || words === ',' || words === ';') this.push('operator', words);
    else if (lower === 'to' && this.tokens.at(-1)?.type === 'number') this.push('operator', ':');
    else if (name === 'mathrm' && /^(?:\\pi|\^?\s*\{?\\circ\}?)$/.test(words)) this.inline(words);
    else if (words === 'o' && this.tokens.at(-1)?.text === '^') this.push('operator', '°');
    else if (words.length === 1 && letter.test(words) && this.continuesSum()) this.push('letters', words);
    else if (baseWords.test(words)) this.base(baseWords.exec(words)![1]!);
    else if (plainContent.test(words) || (name === 'fbox' && this.depth < 4)) this.inline(words);
    else if (plainContent.test(words.replace(/\b(?:and|or)\b/g, ','))) this.inline(words);
    else if (numberAndWords.test(words)) this.numberAndWords(words);
    else if (scales.has(lower) && this.tokens.at(-1)?.type === 'number') this.scaled(scales.get(lower)!);
    else if (wordOperators.has(lower)) this.push('operator', wordOperators.get(lower)!);
    else if (functionNames.has(words) && words.length > 1 && !(isUnitWord(words) && this.followsValue()))
      this.push('function', functionNames.get(words)!);
    else if (oneLetterUnit.test(words) && name === 'mathrm' && this.followsValue()) this.push('text', words);
    else if (words.length === 1 && (name === 'mathrm' || name === 'textit' || words === 'i' || words === 'e'))
      this.push('letters', words);
    else if (words === 'T' && name === 'mathrm') this.push('letters', words);
    else this.push('text', words);
  }

  /** `\text{A, B and C}`: choices, one by one. */
  private list(words: string): void {
    words.split(/\s*(?:,|\band\b|&)\s*/).forEach((choice, index) => {
      if (choice === '') return;
      if (index > 0) this.push('operator', ',');
      this.push('text', choice);
    });
  }

  private followsValue(): boolean {
    const previous = this.tokens.at(-1);
    if (previous === undefined) return false;
    return ['number', 'constant'].includes(previous.type) || previous.text === '}' || previous.text === ')';
  }

  private continuesSum(): boolean {
    const previous = this.tokens.at(-1);
    return previous?.type === 'operator' && (previous.text === '+' || previous.text === '-');
  }

  /** `\text{(base 8)}` as a subscript. */
  private base(digits: string): void {
    this.push('operator', '_');
    this.push('operator', '{');
    this.push('number', digits);
    this.push('operator', '}');
  }

  /** `\text{5 cm}`. */
  private numberAndWords(words: string): void {
    const [, number = '', rest = ''] = numberAndWords.exec(words)!;
    this.inline(number);
    this.space = true;
    this.push('text', rest);
  }

  private inline(words: string): void {
    const inner = new Lexer(words, this.depth + 1).run();
    for (const token of inner) this.push(token.type, token.text);
  }

  /** The content of the braces that stand here; null when none do. */
  private braced(): string | null {
    const { text } = this;
    let begin = this.at;
    while (whitespace.test(text[begin] ?? '')) begin += 1;
    if (text[begin] !== '{') return null;
    let level = 0;
    for (let end = begin; end < text.length; end += 1) {
      const c = text[end]!;
      if (c === '\\') end += 1;
      else if (c === '{') level += 1;
      else if (c === '}') level -= 1;
      if (level === 0) {
        this.at = end + 1;
        return text.slice(begin + 1, end);
      }
    }
    throw unparsable;
  }
}
