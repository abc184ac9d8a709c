/**
 * Options as data. A table of them (such as src/ppo/config.ts) gives the type of the configuration, its defaults, its validation, and
 * the command line's flags, environment variables and YAML keys.
 */
import { didYouMean } from './did-you-mean.js';
import { LimrError } from './errors.js';

interface OptionBase {
  /** One sentence for `--help`, with the unit. */
  readonly help: string;
  /** Heading under which `--help` lists it. */
  readonly group: string;
  /** True when changing it cannot change a weight or a metric, so a resumed run may have another value. */
  readonly free: boolean;
}

export interface NumberOption<D extends number | null = number | null> extends OptionBase {
  readonly kind: 'integer' | 'number';
  readonly default: D;
  /** Both ends are allowed unless `exclusiveMin`. */
  readonly min: number;
  readonly max: number;
  readonly exclusiveMin: boolean;
}

export interface BooleanOption extends OptionBase {
  readonly kind: 'boolean';
  readonly default: boolean;
}

export interface ChoiceOption<C extends string = string> extends OptionBase {
  readonly kind: 'choice';
  readonly default: C;
  readonly choices: readonly C[];
}

export interface TextOption extends OptionBase {
  readonly kind: 'text';
  /** What `--help` calls the value: "file.jsonl", "dir", "url". Words that begin with "file" or "dir" are completed as paths. */
  readonly value: string;
  readonly default: string;
  /** What the whole value must match; `expected` says it in words. */
  readonly pattern: RegExp;
  readonly expected: string;
  /** The value of a flag that is given without one; without this a flag needs one. */
  readonly preset?: string;
  /** Words that the value is made of, one or several with commas between, where these are few: for completion and mistypings. */
  readonly words?: readonly string[];
}

export interface TextsOption extends OptionBase {
  readonly kind: 'texts';
  /** As in TextOption. */
  readonly value: string;
  readonly default: readonly string[];
}

export type Option = NumberOption | BooleanOption | ChoiceOption | TextOption | TextsOption;
export type OptionTable = Readonly<Record<string, Option>>;

/** The value that an option holds: `number | null` for a number whose default is null ("follow something else"). */
export type OptionValue<O> =
  O extends NumberOption<infer D>
    ? null extends D
      ? number | null
      : number
    : O extends BooleanOption
      ? boolean
      : O extends ChoiceOption<infer C>
        ? C
        : O extends TextOption
          ? string
          : O extends TextsOption
            ? readonly string[]
            : never;

/** A complete configuration over a table. */
export type OptionValues<T extends OptionTable> = { readonly [K in keyof T]: OptionValue<T[K]> };

/** `evalNSamples` -> `eval-n-samples`, the flag without its dashes. */
export const kebabCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
/** `evalNSamples` -> `eval_n_samples`, the key in YAML and, upper-cased after `LIMR_`, the environment variable. */
export const snakeCase = (name: string): string => kebabCase(name).replaceAll('-', '_');

/**
 * Reads an option's value from text (a flag or an environment variable). "null" and "auto" stand for null where it is
 * allowed.
 * @param called what the user called the option, such as "--eps-clip"
 * @throws {LimrError} LIMR_USAGE
 */
export function parseOption(table: OptionTable, name: string, text: string, called = name): unknown {
  const option = find(table, name);
  switch (option.kind) {
    case 'integer':
    case 'number':
      if (option.default === null && (text === 'null' || text === 'auto')) return null;
      return checkOption(table, name, text.trim() === '' || Number.isNaN(Number(text)) ? text : Number(text), called);
    case 'boolean':
      if (text === 'true' || text === '1') return true;
      if (text === 'false' || text === '0') return false;
      throw mismatch(name, option, text, 'true or false', called);
    case 'texts':
      return text === '' ? [] : checkOption(table, name, [text], called);
    default:
      return checkOption(table, name, text, called);
  }
}

/**
 * Checks one value against its option's type and range and returns it.
 * @throws {LimrError} LIMR_USAGE, naming the option, the value found and the values allowed
 */
export function checkOption(table: OptionTable, name: string, value: unknown, called = name): unknown {
  const option = find(table, name);
  const refuse = (expected: string): never => {
    throw mismatch(name, option, value, expected, called);
  };
  switch (option.kind) {
    case 'integer':
    case 'number': {
      if (value === null && option.default === null) return value;
      const whole = option.kind === 'integer';
      const inside =
        typeof value === 'number' &&
        (whole ? Number.isSafeInteger(value) : Number.isFinite(value)) &&
        (option.exclusiveMin ? value > option.min : value >= option.min) &&
        value <= option.max;
      if (!inside) refuse(describeRange(option));
      return value;
    }
    case 'boolean':
      if (typeof value !== 'boolean') refuse('true or false');
      return value;
    case 'choice':
      if (typeof value !== 'string' || !option.choices.includes(value)) {
        const meant = typeof value === 'string' ? didYouMean(value, option.choices) : '';
        throw mismatch(name, option, value, `one of ${option.choices.join(', ')}`, called, meant);
      }
      return value;
    case 'text':
      if (typeof value !== 'string' || !option.pattern.test(value)) {
        const words = typeof value === 'string' ? value.split(',').filter((word) => !option.words?.includes(word)) : [];
        throw mismatch(name, option, value, option.expected, called, didYouMean(words[0] ?? '', option.words ?? []));
      }
      return value;
    case 'texts':
      if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && item !== ''))
        refuse('a list of strings that are not empty');
      return value;
  }
}

/** "a number in (0, 10]", for help texts and errors. */
export function describeRange(option: NumberOption): string {
  const noun = option.kind === 'integer' ? 'a whole number' : 'a number';
  const low = option.min === -Number.MAX_VALUE ? '' : ` ${option.exclusiveMin ? '>' : '>='} ${option.min}`;
  const high = option.max === Number.MAX_SAFE_INTEGER || option.max === Number.MAX_VALUE ? '' : ` and <= ${option.max}`;
  return `${noun}${low}${high}${option.default === null ? ', or null' : ''}`;
}

function find(table: OptionTable, name: string): Option {
  const option = Object.hasOwn(table, name) ? table[name] : undefined;
  if (option) return option;
  throw new LimrError('LIMR_USAGE', `there is no option "${name}"`, didYouMean(name, Object.keys(table)));
}

function mismatch(
  name: string,
  { help }: Option,
  value: unknown,
  expected: string,
  called: string,
  meant = '',
): LimrError {
  const shown = typeof value === 'number' ? String(value) : JSON.stringify(value);
  return new LimrError(
    'LIMR_USAGE',
    `${called} is ${shown}, expected ${expected}`,
    `${meant === '' ? '' : `${meant} `}--${kebabCase(name)}: ${help}.`,
  );
}
