/** What `--help` says of one option: how it is written, what it does, what it may be, what it is when nobody gives it. */
import { kebabCase, type NumberOption, type Option } from '../../option.js';

/** Choices longer than this together stand in the text, not in the flag. */
const longestChoices = 26;

export interface FlagText {
  /** "--recipe <auto|none|limr|nano>" */
  readonly term: string;
  readonly text: string;
}

export function flagText(name: string, option: Option): FlagText {
  const { sentence, isNeeded, fallback } = parts(option);
  const facts = [...(isNeeded ? ['required'] : []), ...allowed(option, sentence), ...fallback];
  return { term: termOf(name, option), text: facts.length === 0 ? sentence : `${sentence} (${facts.join('; ')})` };
}

/** What stands for a value: "<dir>", "[auto|on|off]" where it may be left out; "" for a switch. */
export function placeholder(name: string, option: Option): string {
  switch (option.kind) {
    case 'boolean':
      return '';
    case 'choice': {
      const words = inTerm(option.choices) ? option.choices.join('|') : kebabCase(name).replace(/^.*-/, '');
      return option.choices.includes('on') ? `[${words}]` : `<${words}>`;
    }
    case 'text':
      return option.preset === undefined ? `<${option.value}>` : `[${option.value}]`;
    case 'texts':
      return `<${option.value}>`;
    default:
      return `<${unitOf(name, option)}>`;
  }
}

function termOf(name: string, option: Option): string {
  const flag = kebabCase(name);
  if (option.kind === 'boolean') return option.default ? `--[no-]${flag}` : `--${flag}`;
  return `--${flag} ${placeholder(name, option)}`;
}

const inTerm = (choices: readonly string[]): boolean => choices.join('|').length <= longestChoices;

/** Units are in the names of options: tokens, bytes, milliseconds; else a whole number, or any. */
function unitOf(name: string, option: NumberOption): string {
  if (name.endsWith('Ms')) return 'ms';
  if (name.endsWith('Bytes')) return 'bytes';
  if (/(?:[mM]axLen|BufferLen|MaxTokens|minTokens|prefillChunk)$/.test(name)) return 'tokens';
  if (name === 'port') return 'port';
  return option.kind === 'integer' ? 'n' : 'x';
}

/** The help of an option says first what is needed ("needed: "), and last what it is when not given ("; default: ", "; null = "). */
function parts(option: Option): { sentence: string; isNeeded: boolean; fallback: readonly string[] } {
  const [, needed, sentence = option.help, told] = /^(needed: )?(.*?)(?:; (?:default:|null =) (.*))?$/s.exec(
    option.help,
  )!;
  const fallback = told ?? defaultOf(option);
  return { sentence, isNeeded: needed !== undefined, fallback: fallback === undefined ? [] : [`default: ${fallback}`] };
}

function defaultOf(option: Option): string | undefined {
  const { default: initial } = option;
  switch (option.kind) {
    case 'boolean':
      return option.default ? 'on' : undefined;
    case 'texts':
      return undefined;
    case 'integer':
    case 'number':
      return initial === null ? undefined : numberText(initial as number);
    default:
      return initial === '' ? undefined : /\s/.test(String(initial)) ? `"${initial}"` : String(initial);
  }
}

/** 0.000009 -> "9e-6". */
const numberText = (value: number): string =>
  value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : String(value);

/** What may be given, where neither the flag nor the sentence says it. */
function allowed(option: Option, sentence: string): string[] {
  switch (option.kind) {
    case 'choice':
      return inTerm(option.choices) ? [] : [option.choices.join(', ')];
    case 'integer':
    case 'number': {
      const range = rangeText(option);
      return range === '' ? [] : [range];
    }
    case 'text':
      return option.words === undefined || option.words.every((word) => `${option.value} ${sentence}`.includes(word))
        ? []
        : [option.words.join(', ')];
    default:
      return [];
  }
}

/** "1 to 1024", "at least 1", "above 0, at most 1"; "" where 0 is the only bound. */
function rangeText({ kind, min, max, exclusiveMin }: NumberOption): string {
  const isOpen = max === (kind === 'integer' ? Number.MAX_SAFE_INTEGER : Number.MAX_VALUE);
  const isAny = min === -Number.MAX_VALUE;
  if (isOpen) return isAny || (min === 0 && !exclusiveMin) ? '' : `${exclusiveMin ? 'above' : 'at least'} ${min}`;
  if (isAny) return `at most ${max}`;
  return exclusiveMin ? `above ${min}, at most ${max}` : `${min} to ${max}`;
}
