/** Whether the command line has what the documents say of it: verbs, flags and values, asked of its own parser. */
import { type Command, CommanderError } from 'commander';
import { verbs } from '../../src/cli/commands/index.js';
import { outputOptions } from '../../src/cli/output-options.js';
import { type Verb, type VerbGroup, verbCommand } from '../../src/cli/verb.js';
import { flagLayer } from '../../src/config.js';
import { LimrError } from '../../src/errors.js';
import { kebabCase } from '../../src/option.js';

/** "train", "model import" -> its verb. */
const byName: ReadonlyMap<string, Verb> = new Map(
  verbs.flatMap((verb: Verb | VerbGroup) =>
    'verbs' in verb
      ? verb.verbs.map((inner) => [`${verb.name} ${inner.name}`, inner] as const)
      : [[verb.name, verb] as const],
  ),
);
const groups = new Set(verbs.flatMap((verb) => ('verbs' in verb ? [verb.name] : [])));

/** Of the first level, in the order of --help. */
export const verbNames: readonly string[] = verbs.map(({ name }) => name);

/** @returns the verb that words begin with, and what stands behind it */
function verbOf(words: readonly string[]): { verb: Verb; rest: readonly string[] } | undefined {
  const [first = '', second = ''] = words;
  const inner = byName.get(`${first} ${second}`);
  if (inner !== undefined) return { verb: inner, rest: words.slice(2) };
  const verb = byName.get(first);
  return verb === undefined ? undefined : { verb, rest: words.slice(1) };
}

export const isVerb = (word: string): boolean => byName.has(word) || groups.has(word);

/** "--eps-clip" and its siblings of a verb. */
function flagsOf(verb: Verb): Set<string> {
  const names = Object.keys({ ...verb.options, ...outputOptions }).map((name) => `--${kebabCase(name)}`);
  const booleans = Object.entries(verb.options).filter(([, option]) => option.kind === 'boolean');
  return new Set([...names, ...booleans.map(([name]) => `--no-${kebabCase(name)}`), '--json', '--help', '--config']);
}

const flagsByVerb = new Map(Array.from(byName, ([name, verb]) => [name, flagsOf(verb)]));

/** Whether some verb has this flag. */
export const isFlag = (flag: string): boolean =>
  flag === '--version' || Array.from(flagsByVerb.values()).some((flags) => flags.has(flag));

/** The name of every option in every verb. */
export const optionNames: ReadonlySet<string> = new Set(
  Array.from(byName.values(), (verb) => Object.keys(verb.options)).flat(),
);

/**
 * A whole command, as the parser takes it: verb, flags, arguments, values.
 * @param words what stands behind `limr-engine`; "..." stands for flags that are left out
 * @returns what is wrong, or ""
 */
export function checkCommand(words: readonly string[]): string {
  const given = words.filter((word) => word !== '...');
  if (given.length === 0 || /^(?:--help|--version|-h|-V)$/.test(given[0]!)) return '';
  if (groups.has(given[0]!) && given[1] === '--help') return '';
  const isHelp = given[0] === 'help'; // of everything, a verb, or a group of verbs
  if (isHelp && (given.length === 1 || (given.length === 2 && groups.has(given[1]!)))) return '';
  const found = verbOf(isHelp ? [...given.slice(1), '--help'] : given);
  if (found === undefined) return `there is no verb ${given[isHelp ? 1 : 0]}`;
  const command = quiet(verbCommand(found.verb)).action(() => {});
  try {
    command.parse(found.rest, { from: 'user' });
    const options: Record<string, unknown> = command.opts();
    flagLayer(found.verb.options, options);
    return '';
  } catch (error) {
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? '' : (error.message.replace(/^error: /, '').split('\n')[0] ?? '');
    if (error instanceof LimrError) return error.message;
    throw error;
  }
}

const quiet = (command: Command): Command =>
  command.exitOverride().configureOutput({ writeOut: () => {}, writeErr: () => {} });

/** Whether code within a sentence is a command or flag of limr-engine. */
export function isPhrase(text: string): boolean {
  return (
    /^(?:--[a-z]|(?:npx )?limr-engine )/.test(text) ||
    (/ --[a-z]/.test(text) && verbOf(text.split(/\s+/)) !== undefined)
  );
}

/**
 * Code within a sentence, such as `train --resume` or `--eps-clip 0.2`: its flags, but not its values, which may be letters.
 * @param row the first code of its table row: where that is a verb, bare flags are that verb's
 * @param elsewhere whether a flag that no verb has belongs to something else of the project
 * @returns what is wrong, or ""
 */
export function checkPhrase(text: string, row: string, elsewhere: (flag: string) => boolean): string {
  const words = text.split(/\s+/);
  const isCommand = words[0] === 'limr-engine' || (words[0] === 'npx' && words[1] === 'limr-engine');
  const behind = isCommand ? words.slice(words.indexOf('limr-engine') + 1) : words;
  const own = isCommand && behind[0] === 'help' ? behind.slice(1) : behind;
  const flags = Array.from(text.matchAll(/(?<![\w-])--[a-z][\w-]*/g), ([flag]) => flag);
  const found = verbOf(own) ?? (own[0]?.startsWith('--') ? verbOf(row.split(' ')) : undefined);
  if (isCommand && found === undefined && !isVerb(own[0] ?? '') && !/^(?:<verb>|--?\w+|)$/.test(own[0] ?? ''))
    return `there is no verb ${own[0]}`;
  if (found === undefined) {
    if (!(isCommand || own[0]?.startsWith('--'))) return ''; // another program's
    const unknown = flags.find((flag) => !isFlag(flag) && !elsewhere(flag));
    return unknown === undefined ? '' : `no verb has ${unknown}`;
  }
  const known = flagsOf(found.verb);
  const unknown = flags.find((flag) => !known.has(flag));
  return unknown === undefined ? '' : `${found.verb.name} has no ${unknown}`;
}
