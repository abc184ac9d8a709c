/** Sampling and grading of a benchmark's questions. */
import { createHash } from 'node:crypto';
import type { TokenizedPrompt } from '../dataset/asking.js';
import type { EngineModel } from '../engine/port.js';
import type { SamplingConfig } from '../engine/sampling.js';
import type { WorkerPool } from '../reward/pool.js';
import type { Reward, RewardSample } from '../reward/reward.js';
import { type SamplingProgress, sampleAndGrade, type TokenDecoder } from './graded-samples.js';
import type { QuestionRecord } from './question-record.js';
import type { QuestionItem, QuestionResult } from './question-task.js';

/** Worker threads that grade questions by several graders. */
export type QuestionPool = WorkerPool<{ readonly graders: readonly string[] }, QuestionItem, QuestionResult>;

/** A question and its row of the data set. */
export interface AskedQuestion {
  readonly row: number;
  readonly prompt: TokenizedPrompt;
}

/** A benchmark that is to be sampled and graded. */
export interface BenchmarkRun {
  readonly benchmark: string;
  readonly questions: readonly AskedQuestion[];
  readonly model: Pick<EngineModel, 'generate' | 'abort' | 'samplingProgress'>;
  readonly text: TokenDecoder;
  readonly sampling: SamplingConfig;
  /** The first is the headline; the pool's task has the same. */
  readonly graders: readonly string[];
  readonly pool: QuestionPool;
  /** Called with every question as soon as it is graded, one at a time, in the order they finish. */
  readonly onQuestion: (record: QuestionRecord) => void | Promise<void>;
  /** Told whenever a sample ends or is graded. */
  readonly onProgress?: (progress: SamplingProgress) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Samples and grades questions; a question's samples depend on seed, benchmark and row, not on which others are asked.
 * @throws {LimrError} LIMR_ABORTED, what sampling, grading and `onQuestion` throw
 */
export async function runBenchmark(run: BenchmarkRun): Promise<void> {
  if (run.questions.length === 0) return;
  await sampleAndGrade({
    actor: run.model,
    prompts: run.questions.map(({ row, prompt }) => ({ row, key: row, prompt })),
    sampling: { ...run.sampling, purpose: samplingPurpose(run.benchmark) },
    reward: questionReward(run),
    text: run.text,
    signal: run.signal,
    onProgress: run.onProgress ?? (() => {}),
  });
}

/** The random stream of a benchmark: a word by its name, in the upper half, where src/random.ts has no purposes. */
export function samplingPurpose(benchmark: string): number {
  return (createHash('sha256').update(`benchmark/${benchmark}`).digest().readUInt32LE(0) | 0x80000000) >>> 0;
}

/** Grades a question's samples in the pool, and hands the record over. */
function questionReward({ benchmark, graders, pool, onQuestion }: BenchmarkRun): Reward {
  let last: Promise<void> = Promise.resolve();
  return {
    name: `benchmark/${graders.join('+')}`,
    async score(samples, signal) {
      const { row, promptId: id, prompt: question, answer: gold } = samples[0]!;
      const item = { gold, responses: samples.map(({ response }) => response) };
      const { result } = await pool.run(item, { name: `question ${row} of ${benchmark}`, signal });
      const majority = Object.fromEntries(graders.map((grader, g) => [grader, result[g]!.majority]));
      const records = samples.map(({ sample, response, tokens, stopReason }: RewardSample, i) => {
        const grades = Object.fromEntries(graders.map((grader, g) => [grader, result[g]!.grades[i]!]));
        return { sample, response, length: tokens.length, stop: stopReason, grades };
      });
      const record: QuestionRecord = { benchmark, row, id, question, gold, majority, samples: records };
      last = last.then(() => onQuestion(record));
      await last;
      return result[0]!.grades.map(({ equal, reason, answer }) => {
        return { reward: Number(equal), correct: equal, wellFormed: answer !== null, reason, answer, detail: '' };
      });
    },
  };
}
