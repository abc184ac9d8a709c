/**
 * npm test: brings the build up to date, runs the native suite and the TypeScript suite, and adds up what they say.
 * npm test -- native [part of a test's name]...    npm test -- ts [part of a file's name]...
 * The last line is "N passed, N failed, N skipped". Exit code 1 when a test failed, a suite broke or a suite ran no test.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root, run, tool } from './project.js';
import { brokenSuite, nativeSummary, type Suite, totals, typescriptSummary } from './test-summary.js';

async function nativeSuite(filters: readonly string[]): Promise<Suite> {
  const { ok, output, how } = await run(path.join(root, 'build', 'limr_test'), filters, { show: true });
  return nativeSummary(output, ok, how);
}

async function typescriptSuite(filters: readonly string[]): Promise<Suite> {
  const file = path.join(root, 'build', 'vitest.json');
  rmSync(file, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...filters];
  const { ok, how } = await run(tool('vitest'), args, { show: true });
  return typescriptSummary(existsSync(file) ? readFileSync(file, 'utf8') : undefined, ok, how);
}

/** @returns what failed, or "" */
async function build(): Promise<string> {
  const steps: [string, string[]][] = [
    [process.execPath, ['scripts/build-addon.mjs', 'limr_test']],
    [tool('tsc'), ['-p', 'tsconfig.build.json']],
    [process.execPath, ['scripts/build-page.mjs']],
  ];
  for (const [command, args] of steps) {
    const { ok, output, how } = await run(command, args);
    if (!ok) return `${output}\nthe build failed: ${[path.basename(command), ...args].join(' ')} (${how})`;
  }
  return '';
}

const suites = new Map([
  ['native', nativeSuite],
  ['ts', typescriptSuite],
]);

async function main(): Promise<void> {
  const [only, ...filters] = process.argv.slice(2);
  if (only !== undefined && !suites.has(only)) {
    console.error(`npm test: unknown suite ${only}; there are ${[...suites.keys()].join(' and ')}`);
    process.exitCode = 2;
    return;
  }
  const results: Suite[] = [];
  const failure = await build();
  if (failure) {
    console.log(failure);
    results.push(brokenSuite('build', 'failed'));
  } else {
    for (const [name, suite] of suites) {
      if (only === undefined || only === name) results.push(await suite(filters));
    }
  }
  const { lines, failed } = totals(results);
  console.log(`\n${lines.join('\n')}`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main();
