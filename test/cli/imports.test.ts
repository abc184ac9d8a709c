/** `--help` starts fast because it loads next to nothing: what the command line imports before a verb runs is a list. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

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

it('imports nothing heavy before a verb runs', () => {
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
  visit(join(src, 'cli/main.ts'));
  expect([...packages]).toEqual(['commander']);
  const folders = new Set([...modules].map((file) => relative(src, dirname(file))));
  expect([...folders].sort()).toEqual(['', 'cli', 'cli/commands', 'dataset', 'launch', 'ppo', 'sft']);
  expect(modules).not.toContain(join(src, 'native.ts'));
  expect(modules.size).toBeLessThan(50);
});
