/** Completion as shells do it: bash, zsh and fish themselves are asked what Tab offers, where they are installed. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './run-cli.js';

const shells = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof shells)[number];

const zshOffers = fileURLToPath(new URL('shells/zsh-offers.zsh', import.meta.url));

/** Has bash complete what is in COMP_WORDS, as it does after Tab, but without the files that it offers where nothing is found. */
const bashOffers = `for line in "$@"; do
  IFS=' ' read -ra COMP_WORDS <<< "$line"
  [[ $line == *' ' ]] && COMP_WORDS+=('')
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  _limr_engine
  printf '%s\\n' "\${COMPREPLY[@]}" ''
done`;

/** The command that prints what is offered at the end of each line, with an empty line behind each list. */
function command(shell: Shell, folder: string, lines: readonly string[]): readonly string[] {
  const script = join(folder, '_limr-engine');
  switch (shell) {
    case 'bash':
      return ['--norc', '-c', `source ${script}\n${bashOffers}`, 'bash', ...lines];
    case 'zsh':
      return ['-f', zshOffers, folder, ...lines];
    case 'fish':
      return ['--no-config', '-c', `source ${script}; for line in $argv; complete -C $line; echo; end`, ...lines];
  }
}

const everywhere: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['limr-engine tr', ['train']],
  ['limr-engine model ', ['create', 'import', 'info']],
  ['limr-engine help mo', ['model']],
  ['limr-engine train --recipe ', ['auto', 'limr', 'nano', 'none']],
  ['limr-engine train --recipe l', ['limr']],
  ['limr-engine train --resume --grader math', ['math-verify']],
  ['limr-engine train --eps-clip-', ['--eps-clip-high', '--eps-clip-low']],
  ['limr-engine train --no-save', ['--no-save-samples']],
  ['limr-engine train --seed ', []],
  ['limr-engine model create --tok', ['--tokenizer']],
  ['limr-engine completion ', ['bash', 'fish', 'zsh']],
  ['limr-engine eval --log-level d', ['debug']],
  ['limr-engine generate --apply-chat-template o', ['off', 'on']],
  ['limr-engine generate --apply-chat-template --app', ['--apply-chat-template']],
  ['limr-engine train --output ru', ['runs']],
  ['limr-engine report ru', ['runs']],
];
/** Where the script has nothing to offer, bash offers files by itself: its `-o default`. */
const files: typeof everywhere = [
  ['limr-engine verify --input ru', ['rule.jsonl', 'runs']],
  ['limr-engine model import ru', ['rule.jsonl', 'runs']],
];
const all = ['limr-engine ', 'limr-engine sft --'] as const;

for (const shell of shells) {
  const isThere = spawnSync(shell, ['--version']).status === 0;
  if (!isThere)
    console.log(`test/cli/completion.test.ts: ${shell} is not installed, skipped (apt-get install ${shell})`);

  describe.skipIf(!isThere)(shell, () => {
    const cases = shell === 'bash' ? everywhere : [...everywhere, ...files];
    const offered = new Map<string, readonly string[]>();
    let folder: string;

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'limr-completion-'));
      mkdirSync(join(folder, 'runs'));
      writeFileSync(join(folder, 'rule.jsonl'), '');
      writeFileSync(join(folder, '_limr-engine'), (await runCli('completion', shell)).stdout);
      const lines = [...cases.map(([line]) => line), ...all];
      const { stdout, stderr, status } = spawnSync(shell, command(shell, folder, lines), {
        encoding: 'utf8',
        cwd: folder,
        env: { ...process.env, TERM: 'xterm', HOME: folder },
      });
      expect([status, stderr]).toEqual([0, '']);
      const lists = stdout.split(/(?<=^|\n)\n/);
      const bare = (word: string) => word.replace(/\t.*$/, '').replace(/\/$/, ''); // fish describes, zsh and fish mark folders
      lines.forEach((line, i) => {
        const words = (lists[i] ?? '').split('\n').map(bare);
        offered.set(line, [...new Set(words)].filter((word) => word !== '').sort());
      });
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(cases)('%s', (line, words) => {
      expect(offered.get(line)).toEqual(words);
    });

    it('offers every verb, and every flag of one', async () => {
      expect(offered.get(all[0])?.filter((word) => !word.startsWith('-'))).toHaveLength(16);
      const { stdout } = await runCli('sft', '--help');
      const flags = Array.from(stdout.matchAll(/^ {2}(--[a-z0-9-]+)/gm), ([, flag = '']) => flag);
      expect(flags.length).toBeGreaterThan(30);
      expect(offered.get(all[1])).toEqual(expect.arrayContaining(flags));
    });
  });
}
