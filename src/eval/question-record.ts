/** A question with its graded samples: a line of an evaluation's output. Everything that is reported is computed from these. */
import type { DataRecord } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import type { StopReason } from '../native.js';
import type { Grade } from '../reward/graders/grader.js';

/** A sample of a question, with its grades. */
export interface SampleRecord {
  readonly sample: number;
  readonly response: string;
  /** Generated tokens, with the end-of-text token if any. */
  readonly length: number;
  readonly stop: StopReason;
  /** By grader. */
  readonly grades: Readonly<Record<string, Grade>>;
}

/** A graded question: a line of the `--output` of `eval`. */
export interface QuestionRecord {
  readonly benchmark: string;
  /** Row of the data set: repeated questions are told apart by it, and get samples of their own. */
  readonly row: number;
  readonly id: string;
  readonly question: string;
  readonly gold: string;
  /** By grader: 1 when the answer of most samples is right; a tie counts as the share of its answers that are. */
  readonly majority: Readonly<Record<string, number>>;
  readonly samples: readonly SampleRecord[];
}

/** A record as it was written. @throws {LimrError} LIMR_FORMAT when the row is none */
export function questionRecord({ fields, where }: DataRecord): QuestionRecord {
  const { benchmark, row, gold, majority, samples } = fields as Partial<QuestionRecord>;
  const isSample = ({ response, length, stop, grades }: Partial<SampleRecord>) =>
    typeof response === 'string' &&
    typeof length === 'number' &&
    typeof stop === 'string' &&
    typeof grades === 'object';
  const isRecord =
    typeof benchmark === 'string' &&
    typeof row === 'number' &&
    typeof gold === 'string' &&
    typeof majority === 'object' &&
    Array.isArray(samples) &&
    samples.length > 0 &&
    samples.every((sample) => typeof sample === 'object' && sample !== null && isSample(sample));
  if (isRecord) return fields as unknown as QuestionRecord;
  throw new LimrError(
    'LIMR_FORMAT',
    `${where} is not a question of an evaluation`,
    'Give a file that `limr-engine eval --output` wrote.',
  );
}
