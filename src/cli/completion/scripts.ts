/** Completion scripts. They hold all words, so that a shell need not start this program to complete one. */
import { bashScript } from './bash.js';
import { fishScript } from './fish.js';
import type { VerbWords } from './words.js';
import { zshScript } from './zsh.js';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export type Shell = keyof typeof scripts;

export const completionScript = (shell: Shell, verbs: readonly VerbWords[]): string[] => scripts[shell](verbs);
