/** The reward server of `serve-rm`: prompts, grading threads, HTTP. */
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { parseBytes } from '../bytes.js';
import { promptSetRemarks, readPrompts } from '../dataset/prompts.js';
import { LimrError } from '../errors.js';
import type { HubHooks } from '../hub/index.js';
import { graderOf } from '../reward/create-reward.js';
import { WorkerPool } from '../reward/pool.js';
import { gradeTask, RewardServer, type ServerCounts } from '../serve/index.js';
import { dataPath } from './embedded.js';
import type { ServeRmOptions } from './grading-options.js';

/** What a caller of `launchServeRm` is told, and how it ends the server. */
export interface ServeRmHooks extends HubHooks {
  /** Aborted when the server is to finish what is under way and end. */
  readonly signal: AbortSignal;
  /** Told of the address, such as "http://127.0.0.1:5000", once requests are taken. */
  readonly onListening?: (address: string) => void;
  /** Told of every request, with --access-log. */
  readonly onRequest?: (line: string) => void;
  /** Sentences for a person. */
  readonly remark?: (text: string) => void;
}

/** What a reward server did until it ended. */
export interface ServeRmResult extends Readonly<ServerCounts> {
  readonly address: string;
  readonly grader: string;
  readonly prompts: number;
}

/**
 * Serves until the signal.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT before it listens
 */
export async function launchServeRm(options: ServeRmOptions, hooks: ServeRmHooks): Promise<ServeRmResult> {
  const { grader, template } = options;
  graderOf(grader);
  const limits = {
    maxBodyBytes: parseBytes(options.maxBody, 'max-body'),
    maxHeldBytes: parseBytes(options.maxHeld, 'max-held'),
    maxRequests: options.maxRequests,
    requestTimeoutMs: options.requestTimeoutMs,
  };
  if (limits.maxHeldBytes < limits.maxBodyBytes) {
    throw new LimrError(
      'LIMR_USAGE',
      `--max-held, ${options.maxHeld}, is less than --max-body, ${options.maxBody}`,
      'Raise --max-held, or lower --max-body.',
    );
  }
  const answers = await readAnswers(options, hooks);
  const pool = new WorkerPool(
    gradeTask,
    { grader, template, answers },
    {
      workers: options.rewardWorkers ?? availableParallelism(),
      timeoutMs: options.rewardTimeoutMs,
      ...(hooks.remark === undefined ? {} : { onIncident: hooks.remark }),
    },
  );
  const server = new RewardServer({
    ...limits,
    template,
    hasAnswers: answers.length > 0,
    grade: async (query, signal) => (await pool.run(query, { name: 'a query', signal })).result,
    about: { grader, template, prompts: answers.length },
    ...(options.accessLog && hooks.onRequest !== undefined ? { log: hooks.onRequest } : {}),
  });
  try {
    await pool.run({ text: '' }, { name: 'an empty text' }); // a thread that cannot begin is found out before anyone asks
    const address = await server.listen(options.port, options.host);
    hooks.onListening?.(address);
    if (!hooks.signal.aborted) await once(hooks.signal, 'abort');
    await server.close();
    return { ...server.counts, address, grader, prompts: answers.length };
  } finally {
    await pool.close();
  }
}

async function readAnswers(
  { prompts, inputKey, labelKey }: ServeRmOptions,
  hooks: ServeRmHooks,
): Promise<{ prompt: string; answer: string }[]> {
  const rows: { prompt: string; answer: string }[] = [];
  for (const file of prompts) {
    const set = await readPrompts(await dataPath(file, hooks), { inputKey, labelKey });
    for (const text of promptSetRemarks(set)) hooks.remark?.(text);
    for (const { prompt, answer } of set.prompts) rows.push({ prompt, answer });
  }
  return rows;
}
