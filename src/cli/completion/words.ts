/** What a shell completes: verbs, flags and values, out of the same tables that parse them. */
import { kebabCase, type OptionTable, type Option as TableOption } from '../../option.js';
import { outputOptions } from '../output-options.js';
import type { Verb, VerbGroup } from '../verb.js';

/** What follows a flag or a verb: nothing, one of these words, a number or text of any kind, a file, or a folder. */
export type ValueWords = 'none' | 'free' | 'file' | 'folder' | readonly string[];

export interface FlagWords {
  /** With its dashes. */
  readonly name: string;
  readonly help: string;
  readonly value: ValueWords;
  /** Whether the flag may stand without its value. */
  readonly isOptional: boolean;
}

export interface VerbWords {
  /** ["model", "create"] */
  readonly path: readonly string[];
  readonly summary: string;
  readonly flags: readonly FlagWords[];
  /** What it takes without a flag. */
  readonly argument: ValueWords;
}

/** Every verb that can be run, those of groups with both of their words, and `help`. */
export function verbWords(verbs: readonly (Verb | VerbGroup)[]): VerbWords[] {
  const leaf = (verb: Verb, path: readonly string[]): VerbWords => {
    const { argument, options, configFile = true } = verb;
    const option = argument === undefined ? undefined : options[argument];
    return {
      path,
      summary: verb.summary,
      flags: [...flagsOf(options), ...(configFile ? [configFlag] : []), jsonFlag, ...flagsOf(outputOptions), helpFlag],
      argument: option === undefined ? 'none' : valuesOf(option),
    };
  };
  const leaves = verbs.flatMap((verb) =>
    'verbs' in verb ? verb.verbs.map((inner) => leaf(inner, [verb.name, inner.name])) : [leaf(verb, [verb.name])],
  );
  const help = { path: ['help'], summary: 'everything about one verb', flags: [] };
  return [...leaves, { ...help, argument: firstWords(leaves) }];
}

const flag = (name: string, help: string, value: ValueWords): FlagWords => ({ name, help, value, isOptional: false });
const configFlag = flag('--config', 'YAML file of these options', 'file');
const jsonFlag = flag('--json', 'print one JSON object and nothing else', 'none');
const helpFlag = flag('--help', 'print everything about the verb', 'none');

function flagsOf(table: OptionTable): FlagWords[] {
  return Object.entries(table).flatMap(([name, option]): FlagWords[] => {
    const words = {
      name: `--${kebabCase(name)}`,
      help: brief(option.help),
      value: valuesOf(option),
      isOptional: mayLackValue(option),
    };
    const isOn = option.kind === 'boolean' && option.default;
    return isOn ? [words, flag(`--no-${kebabCase(name)}`, `not ${words.name}`, 'none')] : [words];
  });
}

/** A help sentence without its asides: a menu has one line for it. */
const brief = (help: string): string => help.replace(/^needed: /, '').replace(/(?:;|: | \().*$/s, '');

function mayLackValue(option: TableOption): boolean {
  return option.kind === 'choice'
    ? option.choices.includes('on')
    : option.kind === 'text' && option.preset !== undefined;
}

function valuesOf(option: TableOption): ValueWords {
  switch (option.kind) {
    case 'boolean':
      return 'none';
    case 'choice':
      return option.choices;
    case 'text':
    case 'texts':
      if (option.kind === 'text' && option.words !== undefined) return option.words;
      return /^file\b/.test(option.value) ? 'file' : /^dir\b/.test(option.value) ? 'folder' : 'free';
    default:
      return 'free';
  }
}

/** Words after the first of each path: ["create", "import", "info"] by "model". */
export function groupsOf(verbs: readonly VerbWords[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const { path } of verbs) if (path.length > 1) groups.set(path[0]!, [...(groups.get(path[0]!) ?? []), path[1]!]);
  return groups;
}

/** The first words, each once. */
export const firstWords = (verbs: readonly VerbWords[]): string[] => [...new Set(verbs.map(({ path }) => path[0]!))];

/** A text as one word of a POSIX shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
