/**
 * npm run docs: writes docs/api/ from the docstrings of what src/index.ts exports, a page for each room of src/, by TypeDoc.
 * npm run docs -- --check: writes nothing, and fails where docs/api/ is not what would be written, or where an export says nothing of itself.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Application, Logger, LogLevel, type ProjectReflection, ReflectionKind, type TypeDocOptions } from 'typedoc';
import type { PluginOptions } from 'typedoc-plugin-markdown';
import { root } from './project.js';

const reference = path.join(root, 'docs', 'api');

/** What each room is; the order is the reading order. */
const rooms: Readonly<Record<string, string>> = {
  launch: 'What each verb of the command line does, as a function: options in, results out. Begin here.',
  engine: 'The native engine, models, sampling, log-probs: what `launch` is made of.',
  tokenizer: "Tokenizers and chat templates, as Hugging Face's.",
  dataset: 'Prompts and records of data sets, in every format.',
  reward: 'Graders, rewards, shaping, reward servers and modules of your own.',
  ppo: 'The training loop, its configuration, recipes and events.',
  lim: 'Learning impact: trajectories, scores and selections (arXiv:2502.11886).',
  eval: 'Benchmarks, accuracies and comparisons.',
  sft: 'Supervised fine-tuning and pre-training.',
  plan: 'Memory and time of a run, before it begins.',
  hub: 'Models and data sets of the hub.',
  core: 'Errors, environment variables, and types that the native engine speaks in.',
};

/** Statements of src/index.ts by the room that they export from. */
export function exportsByRoom(index: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const [statement, target = ''] of index.matchAll(/^export [^;]*? from '\.\/([^']+)';/gms)) {
    const room = target.includes('/') ? target.slice(0, target.indexOf('/')) : 'core';
    found.set(room, [...(found.get(room) ?? []), statement.replace("'./", "'../../src/")]);
  }
  return found;
}

/** Keeps what TypeDoc complains of: undocumented exports, links that lead nowhere. */
class Complaints extends Logger {
  readonly messages: string[] = [];

  override log(message: string, level: LogLevel): void {
    if (level >= LogLevel.Warn) this.messages.push(message.replaceAll('limr-engine/src/', 'src/'));
  }
}

/** Modules that export one room each, for TypeDoc to read. */
function writeEntries(folder: string): string[] {
  const byRoom = exportsByRoom(readFileSync(path.join(root, 'src', 'index.ts'), 'utf8'));
  const unknown = [...byRoom.keys()].filter((room) => !Object.hasOwn(rooms, room));
  if (unknown.length > 0) throw new Error(`scripts/api-reference.ts does not say what src/${unknown[0]} is`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const config = {
    extends: '../../tsconfig.json',
    compilerOptions: { noEmit: true, rootDir: '../..' },
    include: ['*.ts'],
    exclude: [],
  };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config));
  return Object.entries(rooms).flatMap(([room, summary]) => {
    const statements = byRoom.get(room);
    if (statements === undefined) return [];
    const file = path.join(folder, `${room}.ts`);
    writeFileSync(file, `/**\n * ${summary}\n * @module\n */\n${statements.join('\n')}\n`);
    return [file];
  });
}

/** @returns what TypeDoc complains of */
async function generate(output: string): Promise<readonly string[]> {
  const folder = path.join(root, 'build', 'api-entries');
  const options: TypeDocOptions & Partial<PluginOptions> = {
    name: 'limr-engine',
    entryPoints: writeEntries(folder),
    tsconfig: path.join(folder, 'tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    outputs: [{ name: 'markdown', path: output }],
    readme: 'none',
    disableGit: true,
    disableSources: true,
    excludePrivate: true,
    excludeInternal: true,
    excludeExternals: true,
    githubPages: false,
    skipErrorChecking: true, // tsc's part
    sort: ['source-order'],
    groupOrder: ['Functions', 'Classes', 'Interfaces', 'Type Aliases', 'Variables', '*'],
    sortEntryPoints: false,
    requiredToBeDocumented: ['Function', 'Class', 'Interface', 'TypeAlias', 'Variable', 'Method', 'Accessor'],
    validation: { notDocumented: true, notExported: false, invalidLink: true, invalidPath: true, rewrittenLink: true },
    outputFileStrategy: 'modules',
    entryFileName: 'README',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    useCodeBlocks: true,
    expandParameters: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    classPropertiesFormat: 'table',
    typeAliasPropertiesFormat: 'table',
    propertyMembersFormat: 'table',
    typeDeclarationFormat: 'table',
    tableColumnSettings: {
      hideSources: true,
      hideInherited: true,
      hideModifiers: true,
      hideOverrides: true,
      hideDefaults: true,
    },
  };
  const app = await Application.bootstrapWithPlugins(options);
  const complaints = new Complaints();
  app.logger = complaints;
  const project = await app.convert();
  if (project === undefined) throw new Error(`TypeDoc gave nothing: ${complaints.messages.join('\n')}`);
  app.validate(project);
  await app.generateOutputs(project);
  for (const [name, text] of pages(output)) {
    writeFileSync(path.join(output, name), name === 'README.md' ? contents(text) : compact(text));
  }
  return [...complaints.messages, ...silent(project)];
}

/** Functions whose docstring has parameters or errors, but does not say what they do or give. */
function silent(project: ProjectReflection): string[] {
  return project
    .getReflectionsByKind(ReflectionKind.CallSignature)
    .filter(({ comment }) => comment !== undefined && comment.summary.length === 0 && !comment.getTag('@returns'))
    .map((signature) => `${signature.getFullName()}: its docstring does not say what it does`);
}

/** The list of pages, with what each is about. */
function contents(text: string): string {
  const list = text.replace(/^- \[(\w+)\].*$/gm, (line, room: string) => `${line}: ${rooms[room]}`);
  const head =
    "Everything that `import { ... } from 'limr-engine'` gives, from the docstrings of its source (`npm run docs`).";
  return `${list.replace('# limr-engine\n\n## Modules', `# The library\n\n${head} ${guide}`).trimEnd()}\n`;
}

const guide = '[library.md](../library.md) shows how the parts are used together.';

/** Indented lines of a docstring that begin with an equation; others go on with a sentence. */
const isEquation = (lines: string): boolean => /^ {2,}[^\s()]+(?: [^\s()]+)? = /.test(lines);

/** A page without what says nothing: anchors of rows, rules, headings of what has one line, dashes for "no description". */
export function compact(page: string): string {
  return `${page
    .replace(/<a id="[^"]*"><\/a> /g, '')
    .replace(/^\*\*\*\n\n/gm, '')
    .replace(/^#+ Get Signature\n\n/gm, '')
    .replace(/^#+ (Returns|Throws)\n\n/gm, '$1: ')
    .replace(/^(Returns: .+)\n\n(?!Throws: |#|\||```|\n)(?=.)/gm, '$1, ')
    .replace(/\n((?: {2,}\S.*\n)+)/g, (lines, inner: string) =>
      isEquation(inner) ? `\n\n\`\`\`text\n${inner}\`\`\`\n\n` : lines,
    )
    .replace(/^>/gm, '\\>') // no docstring quotes; one may break a line before ">="
    .replace(/ \| - \|/g, ' | |')
    .replace(/\n{3,}/g, '\n\n')
    .trimEnd()}\n`;
}

const pages = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder)
      .sort()
      .map((name) => [name, readFileSync(path.join(folder, name), 'utf8')]),
  );

async function main(isCheck: boolean): Promise<string[]> {
  const output = isCheck ? mkdtempSync(path.join(tmpdir(), 'limr-api-')) : reference;
  if (!isCheck) rmSync(output, { recursive: true, force: true });
  try {
    const problems = [...(await generate(output))];
    if (!isCheck) return problems;
    const [written, committed] = [pages(output), pages(reference)];
    for (const name of new Set([...written.keys(), ...committed.keys()])) {
      if (written.get(name) === committed.get(name)) continue;
      problems.push(`docs/api/${name} is not what the docstrings say: npm run docs`);
    }
    return problems;
  } finally {
    if (isCheck) rmSync(output, { recursive: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const problems = await main(process.argv.includes('--check'));
  for (const problem of problems) console.log(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
