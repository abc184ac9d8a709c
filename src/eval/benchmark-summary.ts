/** What a benchmark's graded questions say about a model, by every grader. */
import { LimrError } from '../errors.js';
import { standardError, summarize } from './accuracy.js';
import type { QuestionRecord } from './question-record.js';

/** What one grader says of a benchmark. Shares and standard errors are in [0, 1]. */
export interface GraderSummary {
  readonly grader: string;
  /** Correct samples among all, a question counting as one; with its standard error over questions, null for one question. */
  readonly accuracy: number;
  readonly accuracySe: number | null;
  /** Unbiased pass@k for k = 1, 2, 4, ..., n. */
  readonly passAtK: Readonly<Record<number, number>>;
  /** Share of questions whose most frequent answer of n is right, with its standard error. */
  readonly majority: number;
  readonly majoritySe: number | null;
  /** Share of samples in which the grader found an answer. */
  readonly answered: number;
}

/** What a benchmark comes to. Lengths are tokens, shares are in [0, 1]. */
export interface BenchmarkSummary {
  readonly questions: number;
  readonly samplesPerQuestion: number;
  /** Generated tokens a sample. */
  readonly meanLength: number;
  /** Share of samples that the length limit ended. */
  readonly truncated: number;
  /** In the order of `graders`; the first is the headline. */
  readonly graders: readonly GraderSummary[];
}

/**
 * Sums a benchmark up, by every grader.
 * @param records one a question, at least one, each with the same number of samples
 * @throws {LimrError} LIMR_SHAPE when there is none or the numbers differ; LIMR_USAGE when a grader did not grade them
 */
export function summarizeBenchmark(records: readonly QuestionRecord[], graders: readonly string[]): BenchmarkSummary {
  const samplesPerQuestion = records[0]?.samples.length ?? 0;
  const odd = records.find(({ samples }) => samples.length !== samplesPerQuestion);
  if (odd !== undefined) {
    throw new LimrError(
      'LIMR_SHAPE',
      `question ${odd.row} of ${odd.benchmark} has ${odd.samples.length} samples, the first one ${samplesPerQuestion}`,
    );
  }
  const all = graders.map((grader) => ({
    grader,
    summary: summarize(records.map((record) => outcomes(record, grader))),
  }));
  const [first] = all;
  if (first === undefined) throw new LimrError('LIMR_USAGE', 'there is no grader', 'Name one by --grader.');
  const { meanLength, truncated } = first.summary;
  return {
    questions: records.length,
    samplesPerQuestion,
    meanLength,
    truncated,
    graders: all.map(({ grader, summary }): GraderSummary => {
      const votes = records.map(({ majority }) => majority[grader]!);
      return {
        grader,
        accuracy: summary.accuracy,
        accuracySe: orNull(summary.accuracySe),
        passAtK: summary.passAtK,
        majority: votes.reduce((sum, vote) => sum + vote, 0) / votes.length,
        majoritySe: orNull(standardError(votes)),
        answered: summary.wellFormed,
      };
    }),
  };
}

function outcomes({ benchmark, row, samples }: QuestionRecord, grader: string) {
  return samples.map(({ grades, length, stop }) => {
    const grade = grades[grader];
    if (grade === undefined) {
      throw new LimrError('LIMR_USAGE', `question ${row} of ${benchmark} was not graded by ${grader}`);
    }
    return { correct: grade.equal, wellFormed: grade.answer !== null, length, truncated: stop === 'length' };
  });
}

const orNull = (value: number): number | null => (Number.isNaN(value) ? null : value);
