/**
 * npm test: brings the build up to date, runs the native suite and the TypeScript suite, and adds up what they say.
 * npm test -- native [part of a test's name]...    npm test -- ts [part of a file's name]...
 * The last line is "N passed, N failed, N skipped". Exit code 1 when a test failed, a suite broke or a suite ran no test.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { root, run, tool } from './project.js';

interface Suite {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why the suite counts as failed beyond its failed tests; empty when it does not. */
  readonly problem: string;
}

const broken = (name: string, problem: string): Suite => ({ name, passed: 0, failed: 0, skipped: 0, problem });

async function nativeSuite(filters: readonly string[]): Promise<Suite> {
  const { ok, output, how } = await run(path.join(root, 'build', 'limr_test'), filters, { show: true });
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output);
  if (!counts) return broken('native', `ended without a summary (${how})`);
  const [passed, failed, skipped] = counts.slice(1).map(Number) as [number, number, number];
  const problem = passed + failed === 0 ? 'ran no test' : !ok && failed === 0 ? how : '';
  return { name: 'native', passed, failed, skipped, problem };
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

async function typescriptSuite(filters: readonly string[]): Promise<Suite> {
  const file = path.join(root, 'build', 'vitest.json');
  rmSync(file, { force: true });
  const args = ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...filters];
  const { ok, how } = await run(tool('vitest'), args, { show: true });
  if (!existsSync(file)) return broken('typescript', `ended without a report (${how})`);
  const report = JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  const { numPassedTests: passed, numFailedTests: failed } = report;
  const skipped = report.numPendingTests + report.numTodoTests;
  const problem = passed + failed === 0 ? 'ran no test' : !ok && failed === 0 ? `a file did not run (${how})` : '';
  return { name: 'typescript', passed, failed, skipped, problem };
}

async function build(): Promise<string> {
  const steps: [string, string[]][] = [
    [process.execPath, ['scripts/build-addon.mjs', 'limr_test']],
    [tool('tsc'), ['-p', 'tsconfig.build.json']],
  ];
  for (const [command, args] of steps) {
    const { ok, output, how } = await run(command, args);
    if (!ok) return `${output}\nthe build failed: ${[path.basename(command), ...args].join(' ')} (${how})`;
  }
  return '';
}

async function main(): Promise<void> {
  const [only, ...filters] = process.argv.slice(2);
  const suites: Record<string, typeof nativeSuite> = { native: nativeSuite, ts: typescriptSuite };
  if (only !== undefined && !(only in suites)) {
    console.error(`npm test: unknown suite ${only}; there are ${Object.keys(suites).join(' and ')}`);
    process.exitCode = 2;
    return;
  }
  const results: Suite[] = [];
  const failure = await build();
  if (failure) {
    console.log(failure);
    results.push(broken('build', 'failed'));
  } else {
    for (const [name, suite] of Object.entries(suites)) {
      if (only === undefined || only === name) results.push(await suite(filters));
    }
  }
  console.log('');
  for (const { name, passed, failed, skipped, problem } of results) {
    console.log(`${name}: ${passed} passed, ${failed} failed, ${skipped} skipped${problem && `; ${problem}`}`);
  }
  const sum = (key: 'passed' | 'failed' | 'skipped') => results.reduce((total, suite) => total + suite[key], 0);
  const failed = sum('failed') + results.filter((suite) => suite.problem !== '').length;
  console.log(`${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main();
