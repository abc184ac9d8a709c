/** What the documents name exists: paths, npm scripts, verbs, flags, error codes, environment variables. */
import path from 'node:path';
import { type Fate, type Step, spans, steps } from './docs/markdown.js';
import { engineArguments, simpleCommands } from './docs/shell.js';
import { checkCommand, checkPhrase, isPhrase } from './docs/verbs.js';
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

/** What `#...` may name in a page: its headings as GitHub spells them, and ids. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of text.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#+ +(.*?) *$/gm)) {
    const words = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const slug = words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replaceAll(' ', '-');
    let anchor = slug;
    for (let n = 1; anchors.has(anchor); n += 1) anchor = `${slug}-${n}`;
    anchors.add(anchor);
  }
  for (const [, id = ''] of text.matchAll(/\bid="([^"]+)"/g)) anchors.add(id);
  return anchors;
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
      for (const [, link = '', anchor = ''] of line.matchAll(/\]\(([^)#\s]*)#?([^)\s]*)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(link) || `${link}${anchor}` === '') continue;
        const target =
          link === '' ? document : path.posix.normalize(path.posix.join(path.posix.dirname(document), link));
        if (link !== '' && !exists(target, files)) problems.push(`${place}: the link to ${link} leads nowhere`);
        const page = anchor === '' ? undefined : documents.find((other) => other.path === target);
        if (page !== undefined && !anchorsOf(page.text).has(anchor)) {
          problems.push(`${place}: ${target} has no heading #${anchor}`);
        }
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

/** Each of `names` has a chapter of its own, which says why it comes and how to mend it; no other name of that shape has one. */
export function checkChapters({ path: document, text }: SourceFile, names: readonly string[], shape: RegExp): string[] {
  const chapters = new Map<string, string>();
  for (const chapter of text.split(/^## /m).slice(1)) {
    const [, name = ''] = /^`(\w+)`\n/.exec(chapter) ?? [];
    if (shape.test(name)) chapters.set(name, chapter);
  }
  return [
    ...names.flatMap((name) => {
      const chapter = chapters.get(name);
      if (chapter === undefined) return [`${document}: ${name} has no chapter`];
      const lacks = ['**Why**', '**Mend**'].find((word) => !chapter.includes(word));
      return lacks === undefined ? [] : [`${document}: the chapter of ${name} has no ${lacks}`];
    }),
    ...Array.from(chapters.keys())
      .filter((name) => !names.includes(name))
      .map((name) => `${document}: ${name} is not in the code`),
  ];
}

/** The README's table of verbs has a row for every verb, and for nothing else. */
export function checkVerbTable({ path: document, text }: SourceFile, verbs: readonly string[]): string[] {
  const table = text.slice(text.indexOf('\n| verb |')).split('\n\n')[0] ?? '';
  const rows = Array.from(table.matchAll(/^\| `([\w-]+)`/gm), ([, name = '']) => name);
  return [
    ...verbs.filter((name) => !rows.includes(name)).map((name) => `${document}: the table of verbs lacks ${name}`),
    ...rows
      .filter((name) => !verbs.includes(name))
      .map((name) => `${document}: the table of verbs has ${name}, which is none`),
  ];
}

/** History says what was true on its day, and docs/api is made from the code: their commands are not looked at. */
const isHistory = (document: string): boolean => /^docs\/(?:LOG|api.*)\.md$|^docs\/api\//.test(document);

/**
 * Pages whose commands all have one fate, and the reason.
 * @returns undefined where each block has its own
 */
export function pageFate(document: string): Fate | undefined {
  if (document === 'docs/performance.md')
    return { kind: 'not run', why: 'benches of minutes to hours; test/bench runs them on small shapes' };
  return document === 'CONTRIBUTING.md' ? { kind: 'not run', why: 'they are the stages of .ci' } : undefined;
}

/** The commands of a document, with what becomes of them. @throws {Error} naming the line of a comment or block that is wrong */
export function stepsOf({ path: document, text }: SourceFile): Step[] {
  if (isHistory(document)) return [];
  const fate = pageFate(document);
  return steps(text).map((step) => (fate === undefined ? step : { ...step, fate }));
}

/**
 * Verbs, flags and values in blocks of commands; verbs and flags in sentences; paths that commands name.
 * @param elsewhere whether a flag that no verb has belongs to a script or bench of the project
 */
export function checkCommands(
  documents: readonly SourceFile[],
  files: readonly string[],
  elsewhere: (flag: string) => boolean,
): string[] {
  const problems: string[] = [];
  for (const document of documents.filter(({ path: name }) => !isHistory(name))) {
    const say = (line: number, problem: string) => {
      if (problem !== '') problems.push(`${document.path}:${line}: ${problem}`);
    };
    for (const { line, text, row } of spans(document.text)) say(line, checkPhrase(text, row, elsewhere));
    for (const step of stepsOf(document)) {
      for (const words of simpleCommands(step.text)) {
        const own = engineArguments(words);
        if (own !== undefined && !(step.fate.kind === 'fails' && step.fate.code === 2))
          say(step.line, checkCommand(own));
        const gone = words.find(
          (word) => folders.test(word) && !/^(?:docs|models)\//.test(word) && !exists(word, files),
        );
        if (gone !== undefined) say(step.line, `${gone} does not exist`);
      }
    }
  }
  return problems;
}

/** How many commands of limr-engine have which fate, in words. */
export function countCommands(documents: readonly SourceFile[]): string {
  const all = documents.flatMap(stepsOf).flatMap(({ text, fate }) =>
    simpleCommands(text)
      .filter((words) => engineArguments(words) !== undefined)
      .map(() => fate),
  );
  const count = (test: (fate: Fate) => boolean) => all.filter(test).length;
  const parsed = count(({ kind }) => kind === 'not run');
  const quick = count((fate) => (fate.kind === 'run' || fate.kind === 'fails') && fate.quick);
  const failing = count(({ kind }) => kind === 'fails');
  const phrases = documents
    .filter(({ path: name }) => !isHistory(name))
    .flatMap(({ text }) => spans(text))
    .filter(({ text }) => isPhrase(text));
  return `${all.length} commands: ${all.length - parsed} are run (${quick} in npm test too, ${failing} in blocks that must fail), ${parsed} say why not and are parsed; so are ${phrases.length} flags and commands in sentences`;
}

/** A line that shows what becomes of a wrong name. */
const misspelt = /# a misspelt name$|there is no environment variable/;

/**
 * `LIMR_*` and `HF_*` within sentences and commands.
 * @param isVariable whether something reads it
 */
export function checkVariables(documents: readonly SourceFile[], isVariable: (name: string) => boolean): string[] {
  return documents
    .filter(({ path: name }) => !isHistory(name))
    .flatMap(({ path: document, text }) =>
      text.split('\n').flatMap((line, index) =>
        misspelt.test(line)
          ? []
          : Array.from(line.matchAll(/(?<![\w-])(?:LIMR|HF)_[A-Z0-9_]*[A-Z0-9](?![\w*])/g), ([name]) => name)
              .filter((name) => !isVariable(name))
              .map((name) => `${document}:${index + 1}: nothing reads ${name}`),
      ),
    );
}
