/** Two outputs of `eval`, compared question by question. */
import { readRecords } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import { compareBenchmark, type PairedComparison } from '../eval/compare.js';
import { type QuestionRecord, questionRecord } from '../eval/question-record.js';
import { type EvalOptions, evalOptions } from './eval-options.js';

/** Two `--output` files of `eval`, compared. */
export interface CompareResult {
  readonly first: string;
  readonly second: string;
  /** By benchmark, then by grader. */
  readonly comparisons: readonly PairedComparison[];
}

/** Options that say what to evaluate, and so mean nothing to a comparison. */
const evaluating = ['model', 'benchmarks', 'data', 'output', 'resume', 'limit'] as const;

/** @throws {LimrError} LIMR_USAGE when something is to be evaluated too */
export function refuseBesideCompare(options: EvalOptions): void {
  const given = evaluating.find((name) => options[name] !== evalOptions[name].default);
  if (given === undefined) return;
  throw new LimrError('LIMR_USAGE', `--compare evaluates nothing, and --${given} was given`, 'Leave one of them out.');
}

/**
 * Compares two `--output` files of `eval`, question by question, by a paired sign-flip test.
 * @param files two outputs of `eval`, with a comma between
 * @throws {LimrError} LIMR_USAGE when they are not of the same benchmarks, questions and graders; LIMR_IO, LIMR_FORMAT
 */
export async function launchCompare(files: string): Promise<CompareResult> {
  const [first = '', second = '', ...others] = files.split(',').map((file) => file.trim());
  if (first === '' || second === '' || others.length > 0) {
    throw new LimrError(
      'LIMR_USAGE',
      `--compare is ${JSON.stringify(files)}, expected two files`,
      'Write it as a.jsonl,b.jsonl.',
    );
  }
  const [a, b] = [await byBenchmark(first), await byBenchmark(second)];
  const names = [...a.keys()].filter((name) => b.has(name));
  const alone = [...a.keys(), ...b.keys()].find((name) => !names.includes(name));
  if (alone !== undefined) {
    throw new LimrError(
      'LIMR_USAGE',
      `${alone} is in one of ${first} and ${second} only`,
      'Compare evaluations of the same benchmarks.',
    );
  }
  const comparisons = names.flatMap((name) => {
    const graders = Object.keys(a.get(name)![0]!.majority);
    return graders.map((grader) => compareBenchmark(a.get(name)!, b.get(name)!, grader));
  });
  return { first, second, comparisons };
}

async function byBenchmark(file: string): Promise<ReadonlyMap<string, readonly QuestionRecord[]>> {
  const groups = new Map<string, QuestionRecord[]>();
  for (const record of (await readRecords(file)).map(questionRecord)) {
    groups.set(record.benchmark, [...(groups.get(record.benchmark) ?? []), record]);
  }
  return groups;
}
