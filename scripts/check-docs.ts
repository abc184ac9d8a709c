/** What the documents name exists: paths, npm scripts, error codes, environment variables. */
import path from 'node:path';
import type { SourceFile } from './project.js';

/** Backticked words that start with one of these are paths of the project. */
const folders = /^(?:native|src|test|bench|scripts|docs|cmake|models|\.ci)\/[\w./*@-]*$/;

const toPattern = (glob: string) =>
  new RegExp(
    `^${glob.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*+/g, (stars) => (stars === '*' ? '[^/]*' : '.*'))}$`,
  );

/** A file, a folder, or a glob that matches one. */
function exists(name: string, files: readonly string[]): boolean {
  const bare = name.replace(/\/$/, '');
  if (bare.includes('*')) return files.some((file) => toPattern(bare).test(file));
  return files.some((file) => file === bare || file.startsWith(`${bare}/`));
}

/**
 * @param documents the Markdown files
 * @param files every file of the project
 * @param scripts names of package.json's scripts
 */
export function checkReferences(
  documents: readonly SourceFile[],
  files: readonly string[],
  scripts: readonly string[],
): string[] {
  const problems: string[] = [];
  for (const { path: document, text } of documents) {
    text.split('\n').forEach((line, index) => {
      const place = `${document}:${index + 1}`;
      for (const [, word = ''] of line.matchAll(/`([^`\s]+)`/g)) {
        if (folders.test(word) && !exists(word, files)) problems.push(`${place}: ${word} does not exist`);
      }
      for (const [, link = ''] of line.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const target = path.posix.normalize(path.posix.join(path.posix.dirname(document), link));
        if (!exists(target, files)) problems.push(`${place}: the link to ${link} leads nowhere`);
      }
      for (const [, script = ''] of line.matchAll(/\bnpm run ([\w:-]+)/g)) {
        if (!scripts.includes(script)) problems.push(`${place}: npm run ${script} is not a script of package.json`);
      }
    });
  }
  return problems;
}

/** Each of `names` has a table row or heading of its own in the document, and no other name of that shape has one. */
export function checkListed(document: SourceFile, names: readonly string[], shape: RegExp): string[] {
  const listed = document.text
    .split('\n')
    .filter((line) => /^(?:\||#)/.test(line))
    .flatMap((line) => [/`([A-Z][A-Z0-9_]+)`/.exec(line)?.[1] ?? ''])
    .filter((name) => shape.test(name));
  return [
    ...names.filter((name) => !listed.includes(name)).map((name) => `${document.path}: ${name} is not described`),
    ...listed.filter((name) => !names.includes(name)).map((name) => `${document.path}: ${name} is not in the code`),
  ];
}
