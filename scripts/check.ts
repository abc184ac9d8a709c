/** npm run check: what a machine can tell of the style. Last line "N passed, N failed"; exit code 1 when a check failed. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { checkListed, checkReferences } from './check-docs.js';
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
  const { errorCodes } = await import('../src/errors.js');
  const { debugVariables } = await import('../src/env.js');
  return [
    ...checkReferences(documents, files, Object.keys(scripts)),
    ...checkListed(document('docs/errors.md'), errorCodes, /^LIMR_/),
    ...checkListed(document('docs/environment.md'), Object.keys(debugVariables), /^LIMR_(?!TEST)/),
  ];
}

const files = projectFiles();
const checks: readonly [name: string, check: () => Promise<string[]>][] = [
  ['clang-format', () => checkFormat()],
  ['biome', () => command('biome', ['check', '--error-on-warnings', '.'])],
  ['tsc', () => command('tsc', ['--noEmit'])],
  ['tsc of the page', () => command('tsc', ['-p', 'src/report/page', '--noEmit'])],
  ['native layers', async () => checkNativeLayers(readFiles(files, /^native\/.*\.(?:cc|h|cu|cuh)$/))],
  ['typescript layers', async () => checkTypescriptLayers(readFiles(files, /^src\/.*\.ts$/))],
  ['isa', checkIsa],
  ['docs', () => docs(files)],
  ['lock file', async () => checkLock(readFileSync(path.join(root, 'package-lock.json'), 'utf8'))],
];

let failed = 0;
for (const [name, check] of checks) {
  const begin = performance.now();
  const problems = await check().catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  const seconds = ((performance.now() - begin) / 1000).toFixed(1);
  console.log(`${problems.length === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`);
  for (const problem of problems.slice(0, maxShown)) console.log(`  ${problem.replaceAll('\n', '\n  ')}`);
  if (problems.length > maxShown) console.log(`  ... and ${problems.length - maxShown} more`);
  if (problems.length > 0) failed += 1;
}
console.log(`${checks.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
