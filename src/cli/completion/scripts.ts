/** Completion scripts. They hold all words, so that a shell need not start this program to complete one. */
import { type FlagWords, firstWords, groupsOf, quoted, type VerbWords } from './words.js';

export type Shell = 'bash' | 'zsh' | 'fish';

const program = 'limr-engine';

export function completionScript(shell: Shell, verbs: readonly VerbWords[]): string[] {
  switch (shell) {
    case 'bash':
      return bash(verbs);
    case 'zsh':
      return zsh(verbs);
    case 'fish':
      return fish(verbs);
  }
}

function bash(verbs: readonly VerbWords[]): string[] {
  const isWords = (value: FlagWords['value']): value is readonly string[] => typeof value !== 'string';
  const groups = [...groupsOf(verbs)];
  const word = (at: string | number) => `\${COMP_WORDS[${at}]}`;
  const reply = (words: readonly string[]) => `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$cur"))`;
  const values = verbs.flatMap(({ path, flags }) =>
    flags.flatMap(({ name, value }) =>
      isWords(value) ? [`    ${quoted(`${path.join(' ')} ${name}`)}) ${reply(value)}; return ;;`] : [],
    ),
  );
  const withValue = new Set(
    verbs.flatMap(({ flags }) => flags.filter(({ value }) => value === 'file')).map(({ name }) => name),
  );
  return [
    `# bash completion of ${program}; in ~/.bashrc: source <(${program} completion bash)`,
    '_limr_engine() {',
    `  local cur=${word('COMP_CWORD')} prev=${word('COMP_CWORD-1')} verb=${word(1)} words=1`,
    '  COMPREPLY=()',
    `  if ((COMP_CWORD == 1)); then ${reply([...firstWords(verbs), '--help', '--version'])}; return; fi`,
    '  case $verb in',
    ...groups.map(
      ([group, words]) => `    ${group}) words=2; if ((COMP_CWORD == 2)); then ${reply(words)}; return; fi ;;`,
    ),
    '  esac',
    `  ((words == 2)) && verb="$verb ${word(2)}"`,
    '  case "$verb $prev" in',
    ...values,
    '  esac',
    `  case $prev in ${[...withValue].join('|')}) return ;; esac`,
    '  [[ $cur == -* ]] || return',
    '  case $verb in',
    ...verbs.map(({ path, flags }) => `    ${quoted(path.join(' '))}) ${reply(flags.map(({ name }) => name))} ;;`),
    '  esac',
    '}',
    '# Where nothing is found, files are.',
    `complete -o bashdefault -o default -F _limr_engine ${program}`,
  ];
}

function zsh(verbs: readonly VerbWords[]): string[] {
  const plain = (text: string) =>
    text
      .replace(/[[\]:]/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
  const spec = ({ name, help, value }: FlagWords) => {
    const action =
      value === 'none'
        ? ''
        : value === 'file'
          ? ':file:_files'
          : value === 'free'
            ? ':value: '
            : `:value:(${value.join(' ')})`;
    return quoted(`*${name}[${plain(help)}]${action}`);
  };
  const list = (entries: readonly (readonly [string, string])[]) =>
    entries.map(([word, help]) => `    ${quoted(`${word}:${plain(help)}`)}`);
  const firsts = firstWords(verbs).map((word) => {
    const own = verbs.filter(({ path }) => path[0] === word);
    return [word, own.length === 1 ? own[0]!.summary : own.map(({ path }) => path[1]).join(', ')] as const;
  });
  return [
    `#compdef ${program}`,
    `# zsh completion of ${program}: put this into a folder of $fpath as _${program}, or source <(${program} completion zsh)`,
    '_limr_engine() {',
    '  local verb=$words[2] at=2',
    '  local -a verbs',
    '  verbs=(',
    ...list(firsts),
    '  )',
    "  if ((CURRENT == 2)); then _describe 'verb' verbs; return; fi",
    '  case $verb in',
    ...[...groupsOf(verbs)].flatMap(([group, words]) => [
      `    ${group})`,
      '      at=3',
      `      if ((CURRENT == 3)); then verbs=(${words.join(' ')}); _describe 'verb' verbs; return; fi`,
      '      verb="$verb $words[3]" ;;',
    ]),
    '  esac',
    '  shift $((at - 1)) words; ((CURRENT -= at - 1))',
    '  case $verb in',
    ...verbs.map(
      ({ path, flags }) => `    ${quoted(path.join(' '))}) _arguments ${flags.map(spec).join(' ')} '*:file:_files' ;;`,
    ),
    '  esac',
    '}',
    'if [[ $funcstack[1] == _limr-engine ]]; then _limr_engine; else compdef _limr_engine limr-engine; fi',
  ];
}

function fish(verbs: readonly VerbWords[]): string[] {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const seen = (path: readonly string[]) => path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  const groups = [...groupsOf(verbs)];
  const none = '__fish_use_subcommand';
  const lines = verbs.flatMap(({ path, summary, flags }) => {
    const [first = '', second] = path;
    const before =
      second === undefined
        ? none
        : `${seen([first])}; and not __fish_seen_subcommand_from ${groups.find(([group]) => group === first)![1].join(' ')}`;
    return [
      `complete -c ${program} -f -n ${quote(before)} -a ${second ?? first} -d ${quote(summary)}`,
      ...flags.map(({ name, help, value }) => {
        const argument =
          value === 'none'
            ? ''
            : value === 'file'
              ? ' -r -F'
              : value === 'free'
                ? ' -x'
                : ` -x -a ${quote(value.join(' '))}`;
        return `complete -c ${program} -n ${quote(seen(path))} -l ${name.slice(2)}${argument} -d ${quote(help)}`;
      }),
    ];
  });
  return [
    `# fish completion of ${program}: ${program} completion fish > ~/.config/fish/completions/${program}.fish`,
    ...groups.map(([group, words]) => `complete -c ${program} -f -n ${none} -a ${group} -d ${quote(words.join(', '))}`),
    ...lines,
  ];
}
