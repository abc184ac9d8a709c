/** An audit of a data set's answers, per grader. */
import { availableParallelism } from 'node:os';
import { type AuditedAnswer, auditAnswers, type GraderAudit, summarizeAudit } from '../audit/audit.js';
import { readPrompts } from '../dataset/prompts.js';
import { LimrError } from '../errors.js';
import type { HubHooks } from '../hub/index.js';
import { graderOf } from '../reward/create-reward.js';
import { graderNames } from '../reward/graders/index.js';
import { task as pairsTask } from '../reward/pairs-task.js';
import { WorkerPool } from '../reward/pool.js';
import { dataPath } from './embedded.js';
import type { AuditOptions } from './grading-options.js';
import type { TakeRow } from './json-lines-file.js';
import { checkOutputFile } from './output-file.js';

/** What a caller of `launchAudit` is told. */
export interface AuditHooks extends HubHooks {
  /** Told of answers done, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  readonly remark?: (text: string) => void;
}

/** What an audit comes to: answers, different ones among them, seconds, and each grader's table. */
export interface AuditResult {
  readonly prompts: string;
  readonly answers: number;
  readonly distinct: number;
  readonly seconds: number;
  readonly graders: readonly GraderAudit[];
}

/**
 * Audits `--prompts`, and hands over a row for every answer.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT, LIMR_ABORTED
 */
export async function launchAudit(
  options: AuditOptions,
  take: TakeRow<AuditedAnswer>,
  hooks: AuditHooks = {},
): Promise<AuditResult> {
  if (options.prompts === '') {
    throw new LimrError('LIMR_USAGE', 'there is nothing to audit', 'Name a file by --prompts.');
  }
  const graders = options.grader === 'all' ? graderNames : [...new Set(options.grader.split(','))];
  graders.forEach(graderOf);
  const file = await dataPath(options.prompts, hooks);
  await checkOutputFile('--output', options.output, { '--prompts': file });
  const { prompts } = await readPrompts(file, options);
  const started = performance.now();
  const pool = new WorkerPool(
    pairsTask,
    { graders },
    {
      workers: options.rewardWorkers ?? availableParallelism(),
      timeoutMs: options.rewardTimeoutMs,
      ...(hooks.remark === undefined ? {} : { onIncident: hooks.remark }),
    },
  );
  try {
    const { signal } = hooks;
    const audited = await auditAnswers(
      prompts,
      graders,
      async (item, name) => (await pool.run(item, { name, signal })).result,
      hooks.onProgress,
    );
    for (const answer of audited) await take(answer);
    return {
      prompts: options.prompts,
      answers: audited.length,
      distinct: new Set(prompts.map(({ answer }) => answer)).size,
      seconds: (performance.now() - started) / 1000,
      graders: graders.map((grader) => summarizeAudit(audited, grader)),
    };
  } finally {
    await pool.close();
  }
}
