/** The program of docs/library.md runs as it stands there, against this source. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const before = process.cwd();
let folder: string | undefined;

afterEach(() => {
  process.chdir(before);
  vi.restoreAllMocks();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

it('trains, generates, scores, verifies and selects', async () => {
  const [, program = ''] = /^```ts\n(.*?)^```$/ms.exec(readFileSync(join(root, 'docs/library.md'), 'utf8')) ?? [];
  mkdirSync(join(root, 'build'), { recursive: true });
  folder = mkdtempSync(join(root, 'build', 'library-')); // below the root, so that the source and its packages are found
  const file = join(folder, 'program.ts');
  writeFileSync(file, program.replace("'limr-engine'", `'${relative(folder, join(root, 'src/index.js'))}'`));
  const lines: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((line) => void lines.push(String(line)));
  process.chdir(folder);
  await import(file);
  expect(lines.slice(0, 2)).toEqual([
    expect.stringMatching(/^rollout 1: reward -?\d/),
    expect.stringMatching(/^rollout 2: reward -?\d/),
  ]);
  const sampled = lines.slice(2, -1);
  expect(sampled).toHaveLength(8);
  for (const line of sampled) expect(line).toMatch(/^prompt [0-3]: (right|wrong), log-probs the same$/);
  expect(lines.at(-1)).toMatch(/^4 prompts, /);
}, 120_000);
