/** Command-line flags out of an option table. What `--help` says of them is in help/flag-text.ts. */
import { type Command, Option } from 'commander';
import { kebabCase, type OptionTable, type Option as TableOption } from '../option.js';
import { placeholder } from './help/flag-text.js';

/**
 * Adds a flag for every option. Flags have no default of their own: a flag that is absent leaves the choice to environment, file,
 * recipe and table.
 */
export function addFlags(command: Command, table: OptionTable): Command {
  for (const [name, option] of Object.entries(table)) {
    for (const flag of flagsOf(name, option)) command.addOption(flag);
  }
  return command;
}

/**
 * Words of a command line whose switches keep off the word behind them, unless that is their value: `report --watch runs/a` is a
 * switch and a folder.
 */
export function withSwitches(table: OptionTable, words: readonly string[]): string[] {
  const switches = new Set(
    Object.entries(table).flatMap(([name, { kind }]) => (kind === 'boolean' ? [`--${kebabCase(name)}`] : [])),
  );
  const isValue = (word: string | undefined) => word !== undefined && /^(?:true|false|0|1)$/.test(word);
  return words.map((word, i) => (switches.has(word) && !isValue(words[i + 1]) ? `${word}=true` : word));
}

function flagsOf(name: string, option: TableOption): Option[] {
  const flag = `--${kebabCase(name)}`;
  if (option.kind === 'boolean') return [new Option(`${flag} [bool]`), new Option(`--no-${kebabCase(name)}`)];
  const own = new Option(`${flag} ${placeholder(name, option)}`);
  switch (option.kind) {
    case 'texts':
      return [own.argParser((text: string, list: string[] = []) => [...list, text])];
    case 'choice': // OpenRLHF's --apply-chat-template has no value, so where there is an "on" it may be left out
      return [option.choices.includes('on') ? own.preset('on') : own];
    case 'text':
      return [option.preset === undefined ? own : own.preset(option.preset)];
    default:
      return [own];
  }
}
