import { describe, expect, it } from 'vitest';
import { nativeSummary, totals, typescriptSummary } from '../../scripts/test-summary.js';

const report = (passed: number, failed: number, pending = 0) =>
  JSON.stringify({ numPassedTests: passed, numFailedTests: failed, numPendingTests: pending, numTodoTests: 0 });

describe('npm test', () => {
  it('adds the suites up', () => {
    const { lines, failed } = totals([
      nativeSummary('noise\n3 passed, 0 failed, 1 skipped\n', true, 'exit code 0'),
      typescriptSummary(report(4, 0, 2), true, 'exit code 0'),
    ]);
    expect(lines.at(-1)).toBe('7 passed, 0 failed, 3 skipped');
    expect(failed).toBe(0);
  });

  it.each([
    ['a failed native test', nativeSummary('3 passed, 1 failed, 0 skipped', false, 'exit code 1')],
    ['a native suite of no tests', nativeSummary('0 passed, 0 failed, 2 skipped', false, 'exit code 1')],
    ['a native suite that crashed', nativeSummary('CRASH matmul\n', false, 'SIGSEGV')],
    ['a native suite that crashed at exit', nativeSummary('3 passed, 0 failed, 0 skipped', false, 'SIGABRT')],
    ['a failed TypeScript test', typescriptSummary(report(3, 1), false, 'exit code 1')],
    ['a TypeScript suite of no tests', typescriptSummary(report(0, 0), true, 'exit code 0')],
    ['a TypeScript file that did not load', typescriptSummary(report(3, 0), false, 'exit code 1')],
    ['a TypeScript suite without a report', typescriptSummary(undefined, false, 'SIGKILL')],
  ])('counts %s as one failure', (_, suite) => {
    expect(totals([suite]).failed).toBe(1);
  });
});
