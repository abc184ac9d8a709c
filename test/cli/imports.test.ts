/** `--help` starts fast because it loads next to nothing: what is imported before a verb runs is counted. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loaders } from '../../src/cli/chapters.js';

const src = resolve(dirname(fileURLToPath(import.meta.url)), '../../src');

/** Modules of src/ and packages that a module imports when it is loaded, not by import() and not for types alone. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^(?:import|export)\s(?!type\b)([^;]*?)from\s+'([^']+)';/gms)].flatMap(
    ([, names = '', target = '']) => {
      const named = /^\{(.*)\}\s*$/s.exec(names.trim())?.[1];
      const isTypeOnly = named?.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name)) ?? false;
      return isTypeOnly ? [] : [target];
    },
  );
}

/** What is loaded with modules of src/. */
function loadedWith(...starts: readonly string[]): { readonly packages: Set<string>; readonly modules: Set<string> } {
  const packages = new Set<string>();
  const modules = new Set<string>();
  const visit = (file: string) => {
    if (modules.has(file)) return;
    modules.add(file);
    for (const target of importsOf(file)) {
      if (target.startsWith('.')) visit(join(dirname(file), target).replace(/\.js$/, '.ts'));
      else if (!target.startsWith('node:')) packages.add(target);
    }
  };
  for (const start of starts) visit(join(src, start));
  return { packages, modules };
}

const general = ['cli/main.ts', 'cli/help/general-help.ts', 'cli/help/style.ts'];

it('--help loads no package, and no verb', () => {
  const { packages, modules } = loadedWith(...general);
  expect([...packages]).toEqual([]);
  expect(modules.size).toBeLessThan(20);
  expect([...modules].filter((file) => file.includes('commands'))).toEqual([]);
});

it.each([...loaders.keys()])('--help of %s loads tables, no parser and nothing that works', (name) => {
  const { packages, modules } = loadedWith(...general, 'cli/help/verb-help.ts', `cli/commands/${name}.ts`);
  expect([...packages]).toEqual([]);
  const folders = new Set([...modules].map((file) => relative(src, dirname(file))));
  for (const heavy of ['engine', 'tokenizer', 'lim', 'eval', 'hub', 'reward/graders', 'reward/maths', 'report'])
    expect(folders).not.toContain(heavy);
  expect(modules).not.toContain(join(src, 'native.ts'));
  expect(modules.size).toBeLessThan(46);
});
