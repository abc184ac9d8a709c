/** Answers against reference answers: one pair, or a file of them. */
import { availableParallelism } from 'node:os';
import { type DataRecord, jsonLineRecords, streamRecords } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import { graderOf } from '../reward/create-reward.js';
import { isBareAnswer } from '../reward/graders/bare.js';
import { type PairsItem, type PairsOptions, type PairsResult, task as pairsTask } from '../reward/pairs-task.js';
import { WorkerPool } from '../reward/pool.js';
import type { VerifyOptions } from './grading-options.js';
import type { TakeRow } from './json-lines-file.js';
import { checkOutputFile } from './output-file.js';

/** A verdict as it is written, behind the ids of its row. */
export interface VerifiedRow {
  readonly equal: boolean;
  /** A word of the grader. */
  readonly reason: string;
  /** In a response: what the grader took for its answer, null when it found none. */
  readonly answer?: string | null;
  /** Milliseconds of the comparison. */
  readonly ms: number;
}

/** What a caller of `launchVerify` is told, and where stdin is. */
export interface VerifyHooks {
  /** Told of rows compared so far. */
  readonly onProgress?: (rows: number) => void;
  readonly signal?: AbortSignal;
  /** Sentences for a person. */
  readonly remark?: (text: string) => void;
  /** Where `--input -` reads. */
  readonly stdin?: AsyncIterable<string>;
}

/** What `verify` found. */
export interface VerifyResult {
  readonly grader: string;
  readonly rows: number;
  readonly equal: number;
  /** equal / rows. */
  readonly accuracy: number;
  /** Rows by reason, the most frequent first. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly pairsPerSecond: number;
}

/** Rows that are graded together, and such lots under way: enough to keep workers busy, few enough for any file. */
const lotSize = 256;
const lotsUnderWay = 4;

type Pool = WorkerPool<PairsOptions, PairsItem, PairsResult>;

/**
 * Compares `--pred` with `--gold`, or the rows of `--input`, and hands the verdicts over in the order of the rows.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT with file and line, LIMR_ABORTED
 */
export async function launchVerify(
  options: VerifyOptions,
  take: TakeRow<object>,
  hooks: VerifyHooks = {},
): Promise<VerifyResult> {
  const { grader } = options;
  graderOf(grader);
  const records = recordsOf(options, hooks);
  await checkOutputFile('--output', options.output, { '--input': options.input === '-' ? '' : options.input });
  const pool: Pool = new WorkerPool(
    pairsTask,
    { graders: [grader] },
    {
      workers: options.input === '' ? 0 : (options.rewardWorkers ?? availableParallelism()),
      timeoutMs: options.rewardTimeoutMs,
      ...(hooks.remark === undefined ? {} : { onIncident: hooks.remark }),
    },
  );
  try {
    return await verifyAll(options, records, pool, take, hooks);
  } finally {
    await pool.close();
  }
}

async function verifyAll(
  options: VerifyOptions,
  records: AsyncIterable<DataRecord>,
  pool: Pool,
  take: TakeRow<object>,
  { onProgress, signal }: VerifyHooks,
): Promise<VerifyResult> {
  const started = performance.now();
  const reasons = new Map<string, number>();
  let [rows, equal] = [0, 0];
  const count = async (lot: readonly { readonly ids: object; readonly verdict: VerifiedRow }[]): Promise<void> => {
    for (const { ids, verdict } of lot) {
      rows += 1;
      equal += Number(verdict.equal);
      reasons.set(verdict.reason, (reasons.get(verdict.reason) ?? 0) + 1);
      await take({ ...ids, ...verdict });
    }
    onProgress?.(rows);
  };
  const underWay: Promise<Parameters<typeof count>[0]>[] = [];
  for await (const lot of lotsOf(records, lotSize)) {
    if (signal?.aborted === true) throw new LimrError('LIMR_ABORTED', 'interrupted while grading');
    const pending = Promise.all(lot.map((record) => verifyRow(record, options, pool, signal)));
    pending.catch(() => {}); // awaited below, in its turn
    underWay.push(pending);
    if (underWay.length >= lotsUnderWay) await count(await underWay.shift()!);
  }
  for (const pending of underWay) await count(await pending);
  const seconds = (performance.now() - started) / 1000;
  return {
    grader: options.grader,
    rows,
    equal,
    accuracy: equal / rows,
    reasons: Object.fromEntries([...reasons].sort((a, b) => b[1] - a[1])),
    seconds,
    pairsPerSecond: rows / seconds,
  };
}

async function verifyRow(record: DataRecord, options: VerifyOptions, pool: Pool, signal: AbortSignal | undefined) {
  const gold = textOf(record, options.goldKey, '--gold-key');
  const text = textOf(record, options.predKey, '--pred-key');
  const isResponse = options.predKind === 'auto' ? looksLikeResponse(text) : options.predKind === 'response';
  // What looks like a response may be words that are the answer: compared as they are first, unless there is a box in them.
  const isDoubtful = options.predKind === 'auto' && !/\\(?:boxed|fbox)/.test(text);
  const asAnswer = !isResponse || isDoubtful ? [{ text, isResponse: false }] : [];
  const texts = isResponse ? [...asAnswer, { text, isResponse }] : asAnswer;
  const { result, ms } = await pool.run({ gold, texts }, { name: record.where, signal });
  const grades = result[0]!;
  const { equal, reason, answer } = grades.find((grade) => grade.equal) ?? grades.at(-1)!;
  const verdict: VerifiedRow = { equal, reason, ...(isResponse ? { answer } : {}), ms: Number(ms.toFixed(4)) };
  return { ids: idsOf(record), verdict };
}

/** Whether a text is more than an answer, by its box or its words; dollars around an answer make no response of it. */
export const looksLikeResponse = (text: string): boolean => !isBareAnswer(text.replace(/(?<!\\)\$|\\[()[\]]/g, ' '));

function recordsOf(
  { gold, pred, input, goldKey, predKey }: VerifyOptions,
  hooks: VerifyHooks,
): AsyncIterable<DataRecord> {
  const isPair = gold !== '' || pred !== '';
  if (isPair === (input !== '') || (isPair && (gold === '' || pred === ''))) {
    throw new LimrError(
      'LIMR_USAGE',
      'expected either --gold and --pred, or --input',
      'Give one pair, or a file of {gold, pred}.',
    );
  }
  if (isPair) return onePair({ [goldKey]: gold, [predKey]: pred });
  if (input !== '-') return streamRecords(input);
  return notEmpty(jsonLineRecords(hooks.stdin ?? process.stdin.setEncoding('utf8'), 'stdin'), 'stdin');
}

async function* onePair(fields: DataRecord['fields']): AsyncGenerator<DataRecord> {
  yield { fields, where: 'the pair' };
}

async function* notEmpty(records: AsyncIterable<DataRecord>, name: string): AsyncGenerator<DataRecord> {
  let isEmpty = true;
  for await (const record of records) {
    isEmpty = false;
    yield record;
  }
  if (isEmpty) throw new LimrError('LIMR_FORMAT', `${name} has no rows`, 'Give at least one.');
}

async function* lotsOf<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let lot: T[] = [];
  for await (const item of items) {
    lot.push(item);
    if (lot.length < size) continue;
    yield lot;
    lot = [];
  }
  if (lot.length > 0) yield lot;
}

/** A field's text; numbers count as text. */
function textOf({ fields, where }: DataRecord, key: string, flag: string): string {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  throw new LimrError(
    'LIMR_FORMAT',
    `${where}: "${key}" is ${value === undefined ? 'missing' : 'neither text nor a number'}`,
    `Its fields are ${Object.keys(fields).join(', ') || 'none'}; choose one with ${flag}.`,
  );
}

/** What names a row: id, row, index, line, sample, and whatever ends in _id or Id. */
function idsOf({ fields }: DataRecord): object {
  return Object.fromEntries(
    Object.entries(fields).filter(([name]) => /^(?:id|row|index|line|sample)$|_id$|Id$/.test(name)),
  );
}
