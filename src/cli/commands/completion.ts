import { completeOptions } from '../../config.js';
import { LimrError } from '../../errors.js';
import { optionGroup } from '../../option-group.js';
import type { Verb } from '../verb.js';

const shells = ['bash', 'zsh', 'fish'] as const;
const options = {
  shell: optionGroup('Shell').choice('none', ['none', ...shells], 'the shell whose script is printed'),
} as const;

export const completionVerb: Verb = {
  name: 'completion',
  summary: 'print a script that completes verbs, flags and their values in a shell',
  options,
  argument: 'shell',
  configFile: false,
  notes: 'The script holds all words of this version: load it again after an update.',
  examples: [
    'completion bash > ~/.local/share/bash-completion/completions/limr-engine',
    'completion zsh > ~/.zfunc/_limr-engine',
    'completion fish > ~/.config/fish/completions/limr-engine.fish',
  ],
  async run(given) {
    const { shell } = completeOptions(options, given);
    if (shell === 'none') {
      throw new LimrError('LIMR_USAGE', 'a shell is missing', `Name one: ${shells.join(', ')}.`);
    }
    const { verbs } = await import('./index.js');
    const { completionScript } = await import('../completion/scripts.js');
    const { verbWords } = await import('../completion/words.js');
    const lines = completionScript(shell, verbWords(verbs));
    return { json: { shell, script: lines.join('\n') }, lines };
  },
};
