import { firstWords, groupsOf, quoted, type ValueWords, type VerbWords } from './words.js';

export function bashScript(verbs: readonly VerbWords[]): string[] {
  const word = (at: string | number) => `\${COMP_WORDS[${at}]}`;
  const reply = (words: readonly string[]) => `COMPREPLY=($(compgen -W ${quoted(words.join(' '))} -- "$cur"))`;
  const isWords = (value: ValueWords): value is readonly string[] => typeof value !== 'string';
  /** Of a value: words, folders, or (by the "default" below) files; nothing where it is free. */
  const offer = (value: ValueWords) =>
    isWords(value) ? reply(value) : value === 'folder' ? 'COMPREPLY=($(compgen -d -- "$cur"))' : ':';
  const values = verbs.flatMap(({ path, flags }) => {
    const byOffer = new Map<string, string[]>();
    for (const { name, value, isOptional } of flags) {
      if (value === 'none') continue;
      const key =
        (isOptional ? '[[ $cur == -* ]] || { ' : '') + offer(value) + (isOptional ? '; return; }' : '; return');
      byOffer.set(key, [...(byOffer.get(key) ?? []), quoted(`${path.join(' ')} ${name}`)]);
    }
    return Array.from(byOffer, ([action, names]) => `    ${names.join('|')}) ${action} ;;`);
  });
  return [
    '# bash completion of limr-engine; in ~/.bashrc: source <(limr-engine completion bash)',
    '_limr_engine() {',
    `  local cur=${word('COMP_CWORD')} prev=${word('COMP_CWORD-1')} verb=${word(1)} words=1`,
    '  COMPREPLY=()',
    `  if ((COMP_CWORD == 1)); then ${reply([...firstWords(verbs), '--help', '--version'])}; return; fi`,
    '  case $verb in',
    ...Array.from(
      groupsOf(verbs),
      ([group, words]) => `    ${group}) words=2; if ((COMP_CWORD == 2)); then ${reply(words)}; return; fi ;;`,
    ),
    '  esac',
    `  ((words == 2)) && verb="$verb ${word(2)}"`,
    '  case "$verb $prev" in',
    ...values,
    '  esac',
    '  if [[ $cur == -* ]]; then case $verb in',
    ...verbs.map(({ path, flags }) => `    ${quoted(path.join(' '))}) ${reply(flags.map(({ name }) => name))} ;;`),
    '  esac; else case $verb in',
    ...verbs
      .filter(({ argument }) => argument !== 'none')
      .map(({ path, argument }) => `    ${quoted(path.join(' '))}) ${offer(argument)} ;;`),
    '  esac; fi',
    '}',
    '# Where nothing is found, files are.',
    'complete -o bashdefault -o default -F _limr_engine limr-engine',
  ];
}
