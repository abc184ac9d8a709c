/** `limr-engine <verb> --help`: made from the tables that parse, so that it cannot say anything else. */
import { type OptionTable, snakeCase } from '../../option.js';
import { outputOptions } from '../output-options.js';
import type { Example, Verb, VerbGroup } from '../verb.js';
import { type FlagText, flagText } from './flag-text.js';
import { definitions, wrap } from './wrap.js';

export interface HelpStyle {
  /** Columns. */
  readonly width: number;
  /** Emphasises a heading. */
  readonly heading: (text: string) => string;
}

/**
 * @param called the words that name it: "train", "model create"
 */
export function verbHelp(verb: Verb, called: string, style: HelpStyle): string {
  const { width } = style;
  const groups = flagGroups(verb);
  return page([
    [`${style.heading('Usage:')} limr-engine ${called} [options]${argumentOf(verb)}`],
    wrap(sentence(verb.summary), width),
    ...verb.about.map((paragraph) => wrap(paragraph, width)),
    ...Array.from(groups, ([title, flags]) => [
      style.heading(`${title}:`),
      ...definitions(
        flags.map(({ term, text }) => [term, text] as const),
        width,
      ),
    ]),
    [style.heading('Environment:'), ...definitions(variablesOf(verb), width)],
    exitCodes(style, verb.exits),
    examples(verb.examples, style),
  ]);
}

/** `limr-engine model --help`. */
export function groupHelp({ name, summary, verbs }: VerbGroup, style: HelpStyle): string {
  return page([
    [`${style.heading('Usage:')} limr-engine ${name} <verb> [options]`],
    wrap(sentence(summary), style.width),
    [
      style.heading('Verbs:'),
      ...definitions(
        verbs.map((verb) => [verb.name, verb.summary] as const),
        style.width,
        14,
      ),
    ],
    examples(
      verbs.map((verb) => verb.examples[0]!),
      style,
    ),
    [`limr-engine help ${name} <verb> says everything about one.`],
  ]);
}

export const page = (sections: readonly (readonly string[])[]): string =>
  `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;

export function examples(list: readonly Example[], { heading, width }: HelpStyle): string[] {
  return [
    heading('Examples:'),
    ...list.flatMap(([what, command]) => [
      ...wrap(what.endsWith('?') ? what : `${what}:`, width - 2).map((line) => `  ${line}`),
      `    ${command}`,
    ]),
  ];
}

/** @param own what codes mean beyond what they mean everywhere */
export function exitCodes({ heading, width }: HelpStyle, own: Verb['exits'] = {}): string[] {
  const codes = {
    '0': 'done',
    '1': 'failed; stderr says why, and how to mend it',
    '2': 'wrong use: a flag, value, variable or file of options; nothing was begun',
    '130': 'interrupted (SIGINT, SIGTERM), after what must be whole was saved',
    ...own,
  };
  return [heading('Exit codes:'), ...definitions(Object.entries(codes), width, 8)];
}

/** The flags of a verb by their headings: first the verb's own, then its machine, then how it is configured and what it says. */
function flagGroups({ options, configFile = true }: Verb): ReadonlyMap<string, readonly FlagText[]> {
  const groups = new Map<string, FlagText[]>();
  const add = (title: string, flag: FlagText) => groups.set(title, [...(groups.get(title) ?? []), flag]);
  const addAll = (table: OptionTable, which: (group: string) => boolean) => {
    for (const [name, option] of Object.entries(table)) {
      if (which(option.group)) add(option.group, flagText(name, option));
    }
  };
  addAll(options, (group) => group !== 'Machine');
  addAll(options, (group) => group === 'Machine');
  if (configFile) {
    add('Configuration', {
      term: '--config <file.yaml>',
      text: 'options of this verb, one "name: value" a line; flags and variables beat it',
    });
  }
  add('Output', { term: '--json', text: 'print one JSON object on stdout, and nothing else' });
  addAll(outputOptions, () => true);
  add('Output', { term: '-h, --help', text: 'print this' });
  return groups;
}

function argumentOf({ argument, options }: Verb): string {
  const option = argument === undefined ? undefined : options[argument];
  if (option === undefined) return '';
  if (option.kind === 'texts') return ` [<${option.value}>...]`;
  return option.kind === 'text' ? ` <${option.value}>` : '';
}

/** Environment variables that a verb reads. */
function variablesOf({ options, configFile = true }: Verb): (readonly [string, string])[] {
  const [example] = Object.entries(options).find(([, { kind }]) => kind !== 'boolean') ?? [];
  const readsHub = Object.values(options).some((option) => 'value' in option && option.value.includes('owner/name'));
  const variables: (readonly [string, string])[] = [];
  if (example !== undefined) {
    const own = `any option above by its name in capitals, such as LIMR_${snakeCase(example).toUpperCase()}`;
    variables.push(['LIMR_<OPTION>', `${own}; a flag beats it${configFile ? ', it beats --config' : ''}`]);
  }
  variables.push(['LIMR_LOG', '--log-level, where that is not given']);
  if ('threads' in options) {
    variables.push(['LIMR_THREADS', '--threads of every verb, where that is not given']);
    variables.push(['LIMR_CPU', 'kernels to use, by a name that `limr-engine doctor` lists']);
  }
  if (readsHub) {
    variables.push(['HF_TOKEN', 'who asks the hub for private and gated repositories']);
    variables.push(['HF_HOME', 'folder of what is downloaded (default: ~/.cache/huggingface)']);
    variables.push(['HF_HUB_OFFLINE', '1 = only what has been downloaded']);
  }
  variables.push(['NO_COLOR, FORCE_COLOR', 'no colours; colours in any case']);
  return variables;
}
