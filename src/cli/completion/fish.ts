import { firstWords, groupsOf, type ValueWords, type VerbWords } from './words.js';

const quoted = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;

/** Of a flag or a verb: its words, files, folders; -x keeps files away. */
function valuesOf(value: ValueWords): string {
  switch (value) {
    case 'none':
      return '';
    case 'free':
      return ' -x';
    case 'file':
      return ' -r -F';
    case 'folder':
      return " -x -a '(__fish_complete_directories)'";
    default:
      return ` -x -a ${quoted(value.join(' '))}`;
  }
}

export function fishScript(verbs: readonly VerbWords[]): string[] {
  const program = 'complete -c limr-engine';
  const after = (...path: readonly string[]) => quoted(['__limr_engine_after', ...path].join(' '));
  const next = (...path: readonly string[]) => quoted(['__limr_engine_next', ...path].join(' '));
  const groups = groupsOf(verbs);
  return [
    '# fish completion of limr-engine: limr-engine completion fish > ~/.config/fish/completions/limr-engine.fish',
    '# Whether the words behind the program begin with these, and whether there are no others.',
    'function __limr_engine_after',
    '  set -l words (commandline -opc)',
    '  set -e words[1]',
    '  for i in (seq (count $argv))',
    '    test "$words[$i]" = "$argv[$i]"; or return 1',
    '  end',
    'end',
    'function __limr_engine_next',
    '  __limr_engine_after $argv; and test (count (commandline -opc)) -eq (math 1 + (count $argv))',
    'end',
    `${program} -f`,
    ...firstWords(verbs).map((word) => {
      const own = verbs.filter(({ path }) => path[0] === word);
      const help = groups.has(word) ? own.map(({ path }) => path[1]).join(', ') : own[0]!.summary;
      return `${program} -n ${next()} -a ${word} -d ${quoted(help)}`;
    }),
    ...verbs.flatMap(({ path, summary, flags, argument }) => [
      ...(path.length > 1 ? [`${program} -n ${next(path[0]!)} -a ${path[1]} -d ${quoted(summary)}`] : []),
      ...flags.map(
        ({ name, help, value }) =>
          `${program} -n ${after(...path)} -l ${name.slice(2)}${valuesOf(value)} -d ${quoted(help)}`,
      ),
      ...argumentsOf(argument).map((values) => `${program} -n ${after(...path)}${values}`),
    ]),
  ];
}

/** What a verb takes without a flag; -x would mean the value of a flag there. */
function argumentsOf(value: ValueWords): string[] {
  if (value === 'none' || value === 'free') return [];
  if (value === 'file') return [' -F'];
  if (value === 'folder') return [" -a '(__fish_complete_directories)'"];
  return [` -a ${quoted(value.join(' '))}`];
}
