import { completeOptions } from '../../config.js';
import { LimrError } from '../../errors.js';
import { optionGroup } from '../../option-group.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

const shells = ['bash', 'zsh', 'fish'] as const;
const options = {
  shell: optionGroup('Shell').text(
    'bash|zsh|fish',
    '',
    'needed: the shell whose script is printed',
    /^(?:bash|zsh|fish)$/,
    'bash, zsh or fish',
    { words: shells },
  ),
} as const;

export const completionVerb: Verb = {
  name: 'completion',
  summary: summaries.completion,
  options,
  argument: 'shell',
  configFile: false,
  about: [
    'The script holds all words of this version, so that nothing is started when you press Tab: print it again after an update.',
  ],
  examples: [
    ['bash', 'limr-engine completion bash > ~/.local/share/bash-completion/completions/limr-engine'],
    ['zsh, with fpath+=(~/.zfunc) before compinit in ~/.zshrc', 'limr-engine completion zsh > ~/.zfunc/_limr-engine'],
    ['fish', 'limr-engine completion fish > ~/.config/fish/completions/limr-engine.fish'],
  ],
  async run(given) {
    const chosen = completeOptions(options, given).shell;
    const shell = shells.find((name) => name === chosen);
    if (shell === undefined) {
      throw new LimrError('LIMR_USAGE', 'a shell is missing', `Name one: ${shells.join(', ')}.`);
    }
    const { verbs } = await import('./index.js');
    const { completionScript } = await import('../completion/scripts.js');
    const { verbWords } = await import('../completion/words.js');
    const lines = completionScript(shell, verbWords(verbs));
    return { json: { shell, script: lines.join('\n') }, lines };
  },
};
