/** What `eval` prints. */

import { escapeControls } from '../escape-controls.js';
import type { GraderSummary } from '../eval/benchmark-summary.js';
import type { PairedComparison } from '../eval/compare.js';
import type { BenchmarkResult } from '../launch/eval.js';
import type { CompareResult } from '../launch/eval-compare.js';

/** p-values above this are called noise. */
const significance = 0.05;

const percent = (share: number): string => (100 * share).toFixed(1);
const withError = (share: number, se: number | null): string =>
  se === null ? percent(share) : `${percent(share)} +- ${percent(se)}`;

/** A table: a row a benchmark and grader. */
export function evalReport(results: readonly BenchmarkResult[]): string[] {
  const rows = results.flatMap((result) => result.graders.map((grader, i) => row(result, grader, i === 0)));
  const head = ['benchmark', 'questions', 'T', 'grader', 'accuracy', 'pass@k', 'maj@k', 'length', 'truncated'];
  return table([head, ...rows]);
}

function row(result: BenchmarkResult, summary: GraderSummary, isHeadline: boolean): string[] {
  const { samplesPerQuestion: n, questions, dropped } = result;
  const own = (text: string) => (isHeadline ? text : '');
  const count = `${questions}${n === 1 ? '' : ` x ${n}`}${dropped === 0 ? '' : ` (${dropped} dropped)`}`;
  const passes = Object.entries(summary.passAtK)
    .filter(([k]) => k !== '1')
    .map(([k, share]) => `@${k} ${percent(share)}`);
  return [
    own(result.name),
    own(count),
    own(String(result.temperature)),
    summary.grader,
    withError(summary.accuracy, summary.accuracySe),
    passes.join(' ') || '-',
    n === 1 ? '-' : `@${n} ${percent(summary.majority)}`,
    own(result.meanLength.toFixed(1)),
    own(`${percent(result.truncated)}%`),
  ];
}

/** A line a benchmark and grader, and what it means. */
export function compareReport({ first, second, comparisons }: CompareResult): string[] {
  return [
    escapeControls(`${first} -> ${second}`),
    ...table([
      ['benchmark', 'grader', 'questions', 'first', 'second', 'difference', 'better', 'worse', 'p'],
      ...comparisons.map((comparison) => [
        comparison.benchmark,
        comparison.grader,
        String(comparison.questions),
        percent(comparison.accuracies[0]),
        percent(comparison.accuracies[1]),
        withError(comparison.difference, comparison.differenceSe),
        String(comparison.better),
        String(comparison.worse),
        `${comparison.pValue.toPrecision(2)}${verdict(comparison)}`,
      ]),
    ]),
  ];
}

const verdict = ({ pValue }: PairedComparison): string => (pValue > significance ? ' (may be noise)' : '');

/** Columns as wide as their widest cell. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  return rows.map((cells) =>
    escapeControls(
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    ),
  );
}
