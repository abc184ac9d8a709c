/** What grading threads load: rewards and nothing else, never the addon, and of packages only the ones listed here. */
import { readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const src = resolve(dirname(fileURLToPath(import.meta.url)), '../../src');

/** Modules that a module imports when it is loaded, not for types alone. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^(?:import|export)\s(?!type\b)(?:([^;'"]*?)from\s+)?'([^']+)';/gms)].flatMap(
    ([, names = '', target = '']) => {
      const named = /^\{(.*)\}\s*$/s.exec(names.trim())?.[1];
      const isTypeOnly = named?.split(',').every((name) => name.trim() === '' || /^\s*type\s/.test(name)) ?? false;
      return isTypeOnly ? [] : [target];
    },
  );
}

it.each(['reward/pool-worker.ts', 'reward/rule-task.ts', 'reward/pairs-task.ts', 'serve/grade-task.ts'])(
  '%s loads no addon',
  (entry) => {
    const [modules, packages] = [new Set<string>(), new Set<string>()];
    const visit = (file: string): void => {
      if (modules.has(file)) return;
      modules.add(file);
      for (const target of importsOf(file)) {
        if (target.startsWith('.')) visit(join(dirname(file), target).replace(/\.js$/, '.ts'));
        else if (!target.startsWith('node:')) packages.add(target);
      }
    };
    visit(join(src, entry));
    const folders = new Set([...modules].map((file) => relative(src, file).split('/')[0]!));
    const allowed = ['reward', 'serve', 'did-you-mean.ts', 'errors.ts', 'random.ts'];
    expect([...folders].filter((folder) => !allowed.includes(folder))).toEqual([]);
    expect([...packages].filter((name) => name !== 'decimal.js')).toEqual([]);
  },
);
