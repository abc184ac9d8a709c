/** Two evaluations of the same questions, question by question. With 30 questions most differences are noise. */
import { LimrError } from '../errors.js';
import { standardError } from './accuracy.js';
import type { QuestionRecord } from './question-record.js';

/** Two evaluations of the same questions, question by question. Accuracies and differences are in [0, 1]. */
export interface PairedComparison {
  readonly benchmark: string;
  readonly grader: string;
  readonly questions: number;
  /** Accuracy of the first evaluation, and of the second. */
  readonly accuracies: readonly [number, number];
  /** Second less first, with the standard error of the paired differences; null for one question. */
  readonly difference: number;
  readonly differenceSe: number | null;
  /** Questions that the second answers better, and worse. */
  readonly better: number;
  readonly worse: number;
  /** Two-sided, exact, by sign flips: see `signFlipTest`. */
  readonly pValue: number;
}

/**
 * Pairs the questions of two evaluations by row.
 * @throws {LimrError} LIMR_USAGE when their questions differ, or one was not graded by `grader`
 */
export function compareBenchmark(
  first: readonly QuestionRecord[],
  second: readonly QuestionRecord[],
  grader: string,
): PairedComparison {
  const { benchmark } = first[0]!;
  const others = new Map(second.map((record) => [record.row, record]));
  const pairs = first.map((record) => {
    const other = others.get(record.row);
    if (other?.question === record.question && other.gold === record.gold) return [record, other] as const;
    const what = other === undefined ? 'is in one evaluation only' : 'is another one in the second evaluation';
    throw mismatch(`question ${record.row} of ${benchmark} ${what}`);
  });
  if (second.length !== first.length) throw mismatch(`${benchmark} has ${first.length} and ${second.length} questions`);
  const counts = pairs.map((pair) => pair.map((record) => correctCount(record, grader)) as [number, number]);
  const sizes = pairs.map((pair) => pair.map(({ samples }) => samples.length) as [number, number]);
  const shares = counts.map(([a, b], i) => [a / sizes[i]![0], b / sizes[i]![1]] as const);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const differences = shares.map(([a, b]) => b - a);
  const se = standardError(differences);
  return {
    benchmark,
    grader,
    questions: pairs.length,
    accuracies: [mean(shares.map(([a]) => a)), mean(shares.map(([, b]) => b))],
    difference: mean(differences),
    differenceSe: Number.isNaN(se) ? null : se,
    better: differences.filter((difference) => difference > 0).length,
    worse: differences.filter((difference) => difference < 0).length,
    // In whole units of 1 / (nA nB), so that equal sums are equal.
    pValue: signFlipTest(counts.map(([a, b], i) => b * sizes[i]![0] - a * sizes[i]![1])),
  };
}

/**
 * Exact two-sided sign-flip test of paired differences: were both evaluations alike, each difference would be as likely with the
 * other sign. With one sample a question this is McNemar's exact test.
 * @param differences whole numbers
 * @returns P(|sum of randomly signed differences| >= |their sum|); 1 when all are 0
 */
export function signFlipTest(differences: readonly number[]): number {
  const sizes = differences.map(Math.abs).filter((size) => size > 0);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  // chances[s + total] = P(sum = s), one difference after the other.
  let chances = new Float64Array(2 * total + 1);
  chances[total] = 1;
  for (const size of sizes) {
    const next = new Float64Array(chances.length);
    for (let i = size; i < chances.length; ++i) next[i] = next[i]! + chances[i - size]! / 2;
    for (let i = 0; i + size < chances.length; ++i) next[i] = next[i]! + chances[i + size]! / 2;
    chances = next;
  }
  const observed = Math.abs(differences.reduce((sum, difference) => sum + difference, 0));
  const tail = chances.reduce((sum, chance, i) => sum + (Math.abs(i - total) >= observed ? chance : 0), 0);
  return Math.min(1, tail);
}

function correctCount({ benchmark, row, samples }: QuestionRecord, grader: string): number {
  return samples.filter(({ grades }) => {
    const grade = grades[grader];
    if (grade === undefined) throw mismatch(`question ${row} of ${benchmark} was not graded by ${grader}`);
    return grade.equal;
  }).length;
}

const mismatch = (message: string): LimrError =>
  new LimrError('LIMR_USAGE', message, 'Compare evaluations of the same questions by the same graders.');
