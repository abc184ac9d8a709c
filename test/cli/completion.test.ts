/** Completion as shells do it: bash itself is asked; zsh and fish read their scripts where they are installed. */
import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { runCli } from './run-cli.js';

const script = async (shell: string) => (await runCli('completion', shell)).stdout;
const isThere = (shell: string) => spawnSync(shell, ['--version']).status === 0;

describe('bash', () => {
  /** What Tab offers at the end of a line. */
  async function offers(line: string): Promise<string[]> {
    const words = line.split(' ');
    const quoted = words.map((word) => `'${word}'`).join(' ');
    const ask = [
      await script('bash'),
      'compopt() { :; }',
      `COMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _limr_engine; printf '%s\\n' "\${COMPREPLY[@]}"`,
    ].join('\n');
    const { stdout, stderr, status } = spawnSync('bash', ['--norc', '-c', ask], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    return stdout.split('\n').filter((word) => word !== '');
  }

  it.each([
    ['limr-engine tr', ['train']],
    ['limr-engine model ', ['create', 'import', 'info']],
    ['limr-engine train --recipe ', ['auto', 'none', 'limr', 'nano']],
    ['limr-engine train --recipe l', ['limr']],
    ['limr-engine train --eps-clip-', ['--eps-clip-low', '--eps-clip-high']],
    ['limr-engine model create --tok', ['--tokenizer']],
    ['limr-engine completion --', ['--shell', '--json', '--quiet', '--log-level', '--help']],
    ['limr-engine eval --log-level d', ['debug']],
    ['limr-engine train --prompts ', []],
    ['limr-engine train --prompts --', []],
  ])('%s', async (line, words) => {
    expect(await offers(line)).toEqual(words);
  });
});

it.each([
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
] as const)('%s reads its script', async (shell, flags) => {
  const text = await script(shell);
  expect(text).toContain('advantage-estimator');
  expect(text).toContain('group_norm');
  if (!isThere(shell)) return;
  const { status, stderr } = spawnSync(shell, flags, { input: text, encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
