/** What a suite's own closing words say, and what they add up to. A suite that ran no test has failed. */

export interface Suite {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Why the suite counts as failed beyond its failed tests; empty when it does not. */
  readonly problem: string;
}

/** A suite that said nothing usable. */
export const brokenSuite = (name: string, problem: string): Suite => ({
  name,
  passed: 0,
  failed: 0,
  skipped: 0,
  problem,
});

function suite(name: string, [passed, failed, skipped]: [number, number, number], ok: boolean, how: string): Suite {
  // A failure that no test owns: a crash after the summary, a file that could not be loaded.
  const problem = passed + failed === 0 ? 'ran no test' : !ok && failed === 0 ? how : '';
  return { name, passed, failed, skipped, problem };
}

/**
 * @param output what limr_test printed
 * @param how how its process ended, when not `ok`
 */
export function nativeSummary(output: string, ok: boolean, how: string): Suite {
  const counts = /^(\d+) passed, (\d+) failed, (\d+) skipped$/m.exec(output);
  if (!counts) return brokenSuite('native', `ended without a summary (${how})`);
  return suite('native', counts.slice(1).map(Number) as [number, number, number], ok, how);
}

/** @param report vitest's JSON report, or undefined when there is none */
export function typescriptSummary(report: string | undefined, ok: boolean, how: string): Suite {
  if (report === undefined) return brokenSuite('typescript', `ended without a report (${how})`);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(report) as Record<
    string,
    number
  >;
  const skipped = (numPendingTests ?? 0) + (numTodoTests ?? 0);
  return suite('typescript', [numPassedTests ?? 0, numFailedTests ?? 0, skipped], ok, how);
}

/** One line a suite, and the closing line; a suite with a problem counts as one failure more. */
export function totals(suites: readonly Suite[]): { readonly lines: string[]; readonly failed: number } {
  const sum = (key: 'passed' | 'failed' | 'skipped') => suites.reduce((total, each) => total + each[key], 0);
  const failed = sum('failed') + suites.filter((each) => each.problem !== '').length;
  return {
    lines: [
      ...suites.map((each) => {
        const counts = `${each.passed} passed, ${each.failed} failed, ${each.skipped} skipped`;
        return `${each.name}: ${counts}${each.problem && `; ${each.problem}`}`;
      }),
      `${sum('passed')} passed, ${failed} failed, ${sum('skipped')} skipped`,
    ],
    failed,
  };
}
