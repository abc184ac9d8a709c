/** npm run check: what a machine can tell of the style. Last line "N passed, N failed"; exit code 1 when a check failed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  checkChapters,
  checkCommands,
  checkListed,
  checkReferences,
  checkVariables,
  checkVerbTable,
  countCommands,
} from './check-docs.js';
import { checkFormat } from './check-format.js';
import { checkIsa } from './check-isa.js';
import { checkNativeLayers, checkTypescriptLayers } from './check-layers.js';
import { checkLock } from './check-lock.js';
import { projectFiles, readFiles, root, run, tool } from './project.js';

/** Problems shown of one check: the first ones are the ones to mend first. */
const maxShown = 40;

async function command(name: string, args: readonly string[]): Promise<string[]> {
  const { ok, output, how } = await run(tool(name), args);
  return ok ? [] : [`${output.trimEnd()}\n${name}: ${how}`];
}

async function docs(files: readonly string[]): Promise<string[]> {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  const documents = readFiles(files, /^(?:[A-Z]+|docs\/.*)\.md$/);
  const document = (name: string) => documents.find((file) => file.path === name) ?? { path: name, text: '' };
  const { variableOf } = await import('../src/config.js');
  const { errorCodes } = await import('../src/errors.js');
  const { debugVariables } = await import('../src/env.js');
  const { optionNames, verbNames } = await import('./docs/verbs.js');
  const sources = readFiles(
    files,
    /^(?:src|test|native|scripts|bench|\.ci)\/.*\.(?:ts|mjs|cc|h|sh|py)$|^CMakeLists\.txt$/,
  );
  const optionVariables = new Set(Array.from(optionNames, variableOf));
  const hubVariables = new Set(
    sources
      .filter(({ path: name }) => name.startsWith('src/hub/'))
      .flatMap(({ text }) => text.match(/\bHF_[A-Z_]+\b/g) ?? []),
  );
  const testVariables = new Set(
    sources
      .filter(({ path: name }) => !/^test\/config\/|^CMakeLists/.test(name)) // made up; not of the environment
      .flatMap(({ text }) => text.match(/\bLIMR_TEST_[A-Z0-9_]+\b/g) ?? []),
  );
  const environment = document('docs/environment.md');
  const isNamed = (word: string) => sources.some(({ text }) => text.includes(word));
  const isVariable = (name: string) =>
    Object.hasOwn(debugVariables, name) ||
    optionVariables.has(name) ||
    (errorCodes as readonly string[]).includes(name) ||
    hubVariables.has(name) ||
    (/^LIMR_(?:TEST_|CUDA$|WERROR$)/.test(name) && isNamed(name));
  const tools = sources.filter(({ path: name }) => /^(?:scripts|bench|\.ci)\//.test(name));
  const isToolFlag = (flag: string) =>
    tools.some(({ text }) => text.includes(flag) || new RegExp(`^\\s*'?${flag.slice(2)}'?: \\{ type:`, 'm').test(text));
  console.log(`     documents: ${countCommands(documents)}`);
  return [
    ...checkReferences(documents, files, Object.keys(scripts)),
    ...checkCommands(documents, files, isToolFlag),
    ...checkVariables(documents, isVariable),
    ...Array.from(testVariables).flatMap((name) =>
      environment.text.includes(`\`${name}\``) ? [] : [`${environment.path}: ${name} is not described`],
    ),
    ...checkVerbTable(document('README.md'), verbNames),
    ...checkListed(document('docs/troubleshooting.md'), errorCodes, /^LIMR_/),
    ...checkChapters(document('docs/troubleshooting.md'), errorCodes, /^LIMR_/),
    ...checkListed(
      document('docs/environment.md'),
      [...Object.keys(debugVariables), ...hubVariables],
      /^(?:LIMR_(?!TEST)|HF_)/,
    ),
  ];
}

const files = projectFiles();
const checks: readonly [name: string, check: () => Promise<string[]>][] = [
  ['clang-format', () => checkFormat()],
  ['biome', () => command('biome', ['check', '--error-on-warnings', '.'])],
  ['tsc', () => command('tsc', ['--noEmit'])],
  ['api reference', () => command('tsx', ['scripts/api-reference.ts', '--check'])],
  ['tsc of the page', () => command('tsc', ['-p', 'src/report/page', '--noEmit'])],
  ['native layers', async () => checkNativeLayers(readFiles(files, /^native\/.*\.(?:cc|h|cu|cuh)$/))],
  ['typescript layers', async () => checkTypescriptLayers(readFiles(files, /^src\/.*\.ts$/))],
  ['isa', checkIsa],
  ['docs', () => docs(files)],
  ['lock file', async () => checkLock(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))],
];

let failed = 0;
async function report(name: string, check: () => Promise<string[]>): Promise<void> {
  const begin = performance.now();
  const problems = await check().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  for (const problem of problems.slice(0, maxShown)) console.log(`  ${problem.replaceAll('\n', '\n  ')}`);
  if (problems.length > maxShown) console.log(`  ... and ${problems.length - maxShown} more`);
  if (problems.length > 0) failed += 1;
}

/** Two at a time: tsc and TypeDoc take longer than all others together. */
const queue = checks.values();
const takeAll = async () => {
  for (const [name, check] of queue) await report(name, check);
};
await Promise.all([takeAll(), takeAll()]);
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
