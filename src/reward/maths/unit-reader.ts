import { unreadable } from './build.js';
import { functionNames, mathWords } from './commands.js';
import { Cursor } from './cursor.js';
import type { Token } from './lex.js';
import { isUnitWord, isWordyUnit } from './units.js';

/** Small words inside of a unit: `5 miles per hour`, `7 years old`. */
const unitPhrase = new Set([
  'per',
  'a',
  'an',
  'old',
  'of',
  'the',
  'for',
  'each',
  'in',
  'tall',
  'long',
  'wide',
  'high',
  'left',
  'away',
  'ago',
  'more',
  'less',
]);

/** Units of measure behind values. */
export class UnitReader extends Cursor {
  /** Words behind a value: `\text{ cm}^2`, `square units`, `km/h`. False when none stand here. */
  protected acceptUnit(): boolean {
    if (!this.dialect.units) return false;
    const token = this.token!;
    const isUnit =
      token.type === 'text'
        ? isWordyUnit(token.text)
        : token.type === 'letters' && this.previousIsValue() && this.isPlainUnit(token);
    if (!isUnit) return false;
    this.at += 1;
    this.unit = `${this.unit} ${token.text.toLowerCase()}`.trim();
    if (this.isOperator('^') && !this.isOperator('°', 1)) {
      this.at += 1;
      this.unit += `^${this.isOperator('{') || this.token?.type === 'number' ? this.subscriptText() : unreadable()}`;
    }
    const divided = (this.isOperator('/') || this.isOperator('*')) && this.tokens[this.at + 1];
    if (divided && (divided.type === 'text' || (divided.type === 'letters' && isUnitWord(divided.text)))) {
      this.unit += this.tokens[this.at]!.text;
      this.at += 1;
      return this.acceptUnit() || unreadable();
    }
    return true;
  }

  protected previousIsValue(): boolean {
    const previous = this.tokens[this.at - 1];
    if (previous === undefined) return false;
    return (
      ['number', 'letters', 'constant'].includes(previous.type) || [')', '}', '°', '%', '!'].includes(previous.text)
    );
  }

  /** A run of letters that is a unit: a known one, or a word of some length set apart, with nothing but words behind it. */
  protected isPlainUnit(token: Token): boolean {
    if (this.tokens[this.at - 1]!.type === 'letters' && this.unit === '') return false;
    if (isUnitWord(token.text)) return token.text.length > 1;
    if (this.unit !== '' && token.space && unitPhrase.has(token.text)) return true;
    if (!token.space || token.text.length < 4 || functionNames.has(token.text) || mathWords.has(token.text))
      return false;
    const next = this.tokens[this.at + 1];
    return (
      next === undefined ||
      next.type === 'letters' ||
      next.type === 'text' ||
      this.isOperator(',', 1) ||
      this.isOperator('and', 1)
    );
  }

  /** The C or F behind degrees. */
  protected acceptScale(): void {
    const token = this.token;
    if (
      !this.dialect.units ||
      (token?.type !== 'letters' && token?.type !== 'text') ||
      (token.text !== 'C' && token.text !== 'F')
    )
      return;
    this.at += 1;
    this.unit = `${this.unit} °${token.text.toLowerCase()}`.trim();
  }
}
