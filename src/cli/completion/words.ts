/** What a shell completes: verbs and flags, out of the same tables that parse them. */
import { kebabCase, type OptionTable, type Option as TableOption } from '../../option.js';
import { outputOptions } from '../output-options.js';
import type { Verb, VerbGroup } from '../verb.js';

export interface FlagWords {
  /** With its dashes. */
  readonly name: string;
  readonly help: string;
  /** What follows it: nothing, one of these words, a number or text of any kind, or a file. */
  readonly value: 'none' | 'free' | 'file' | readonly string[];
}

export interface VerbWords {
  /** ["model", "create"] */
  readonly path: readonly string[];
  readonly summary: string;
  readonly flags: readonly FlagWords[];
}

/** Every verb that can be run, those of groups with both of their words. */
export function verbWords(verbs: readonly (Verb | VerbGroup)[]): VerbWords[] {
  const leaf = (verb: Verb, path: readonly string[]): VerbWords => ({
    path,
    summary: verb.summary,
    flags: [
      ...flagsOf(verb.options),
      ...((verb.configFile ?? true) ? [configFlag] : []),
      jsonFlag,
      ...flagsOf(outputOptions),
      helpFlag,
    ],
  });
  return verbs.flatMap((verb) =>
    'verbs' in verb ? verb.verbs.map((inner) => leaf(inner, [verb.name, inner.name])) : [leaf(verb, [verb.name])],
  );
}

const configFlag: FlagWords = { name: '--config', help: 'YAML file of these options', value: 'file' };
const jsonFlag: FlagWords = { name: '--json', help: 'print one JSON object and nothing else', value: 'none' };
const helpFlag: FlagWords = { name: '--help', help: 'display help', value: 'none' };

function flagsOf(table: OptionTable): FlagWords[] {
  return Object.entries(table).flatMap(([name, option]): FlagWords[] => {
    const flag = `--${kebabCase(name)}`;
    const words = { name: flag, help: option.help, value: argumentOf(option) };
    const off = { name: `--no-${kebabCase(name)}`, help: `not --${kebabCase(name)}`, value: 'none' } as const;
    return option.kind === 'boolean' && option.default ? [words, off] : [words];
  });
}

function argumentOf(option: TableOption): FlagWords['value'] {
  switch (option.kind) {
    case 'boolean':
      return 'none';
    case 'choice':
      return option.choices;
    case 'text':
    case 'texts':
      return option.group === 'Files' ? 'file' : 'free';
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
