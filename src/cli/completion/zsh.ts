import { firstWords, groupsOf, quoted, type ValueWords, type VerbWords } from './words.js';

/** Help within a specification of _arguments or _describe, where brackets and colons mean something. */
const plain = (text: string) =>
  text
    .replace(/[[\]:]/g, ' ')
    .replaceAll('\\', '\\\\')
    .replace(/\s+/g, ' ')
    .trim();

function actionOf(value: ValueWords): string {
  switch (value) {
    case 'none':
      return '';
    case 'free':
      return ':value: ';
    case 'file':
      return ':file:_files';
    case 'folder':
      return ':folder:_files -/';
    default:
      return `:value:(${value.map((word) => word.replaceAll(':', '\\:')).join(' ')})`;
  }
}

export function zshScript(verbs: readonly VerbWords[]): string[] {
  const list = (entries: readonly (readonly [string, string])[]) =>
    entries.map(([word, help]) => `    ${quoted(`${word}:${plain(help)}`)}`);
  const firsts = firstWords(verbs).map((word) => {
    const own = verbs.filter(({ path }) => path[0] === word);
    return [word, own.length === 1 ? own[0]!.summary : own.map(({ path }) => path[1]).join(', ')] as const;
  });
  const specsOf = ({ flags, argument }: VerbWords) => [
    ...flags.map(({ name, help, value, isOptional }) =>
      quoted(`*${name}[${plain(help)}]${isOptional ? ':' : ''}${actionOf(value)}`),
    ),
    ...(argument === 'none' ? [] : [quoted(`*${actionOf(argument)}`)]),
  ];
  return [
    '#compdef limr-engine',
    '# zsh completion of limr-engine: a file _limr-engine in a folder of $fpath, or source <(limr-engine completion zsh)',
    '_limr_engine() {',
    '  local verb=$words[2] at=2',
    '  local -a verbs',
    '  if ((CURRENT == 2)); then',
    '    verbs=(',
    ...list(firsts),
    '    )',
    "    _describe 'verb' verbs; return",
    '  fi',
    '  case $verb in',
    ...Array.from(groupsOf(verbs), ([group, words]) => {
      const inner = verbs.filter(({ path }) => path.length > 1 && path[0] === group);
      return [
        `    ${group})`,
        `      if ((CURRENT == 3)); then`,
        '        verbs=(',
        ...list(inner.map(({ path, summary }, i) => [path[1] ?? words[i]!, summary] as const)),
        '        )',
        "        _describe 'verb' verbs; return",
        '      fi',
        '      at=3; verb="$verb $words[3]" ;;',
      ];
    }).flat(),
    '  esac',
    '  shift $((at - 1)) words; ((CURRENT -= at - 1))',
    '  case $verb in',
    ...verbs.map((verb) => `    ${quoted(verb.path.join(' '))}) _arguments -S ${specsOf(verb).join(' ')} ;;`),
    '  esac',
    '}',
    'if [[ $funcstack[1] == _limr-engine ]]; then _limr_engine; else compdef _limr_engine limr-engine; fi',
  ];
}
