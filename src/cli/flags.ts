/** Command-line flags out of an option table. */
import { type Command, Option } from 'commander';
import { describeRange, kebabCase, type OptionTable, type Option as TableOption } from '../option.js';

/**
 * Adds a flag for every option, grouped as the table says. Flags have no default of their own: a flag that is absent leaves the
 * choice to environment, file, recipe and table.
 */
export function addFlags(command: Command, table: OptionTable): Command {
  for (const [name, option] of Object.entries(table)) {
    for (const flag of flagsOf(name, option)) command.addOption(flag.helpGroup(`${option.group}:`));
  }
  return command;
}

function flagsOf(name: string, option: TableOption): Option[] {
  const flag = `--${kebabCase(name)}`;
  const help = `${option.help} (${[...allowed(option), `default: ${shown(option)}`].join('; ')})`;
  switch (option.kind) {
    case 'boolean':
      return [new Option(`${flag} [bool]`, help), new Option(`--no-${kebabCase(name)}`).hideHelp()];
    case 'texts':
      return [
        new Option(`${flag} <text>`, option.help).argParser((text: string, list: string[] = []) => [...list, text]),
      ];
    case 'choice': // OpenRLHF's --apply-chat-template has no value, so where there is an "on" it may be left out
      return [
        option.choices.includes('on')
          ? new Option(`${flag} [name]`, help).preset('on')
          : new Option(`${flag} <name>`, help),
      ];
    case 'text': {
      const text = option.default === '' ? option.help : help;
      if (option.preset === undefined) return [new Option(`${flag} <text>`, text)];
      return [new Option(`${flag} [text]`, text).preset(option.preset)];
    }
    default:
      return [new Option(`${flag} <n>`, help)];
  }
}

/** What may be given, where the help sentence alone does not say it. */
function allowed(option: TableOption): string[] {
  switch (option.kind) {
    case 'choice':
      return [option.choices.join(', ')];
    case 'integer':
    case 'number':
      return option.min === 0 && !option.exclusiveMin && option.max >= Number.MAX_SAFE_INTEGER
        ? []
        : [describeRange(option).replace(/^a (whole )?number /, '')];
    default:
      return [];
  }
}

function shown(option: TableOption): string {
  return option.default === null ? 'null' : String(option.default);
}
