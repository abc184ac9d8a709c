/**
 * The folder of a run: record, logs, samples, scores, checkpoints, and one owner. Opening it for a resumed run brings
 * everything back to the newest checkpoint: logs are cut to its cursor, later samples and the leftovers of a kill are
 * removed.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LimrError } from '../errors.js';
import { hasCode, parseJsonFile, partialSuffix, readText, withIo, writeDurably } from '../files.js';
import type { Json } from '../json.js';
import { Checkpoints } from './checkpoints.js';
import { type EventCursor, EventLog, isEventCursor } from './event-log.js';
import { type Lock, lockFolder } from './lock.js';
import { LogFile } from './log-file.js';
import {
  type Difference,
  describeDifferences,
  differences,
  type RunRecord,
  readRecord,
  writeRecord,
} from './record.js';

/** 'no' refuses a folder that holds a run; 'with-changes' goes on with another configuration. */
export type ResumeMode = 'no' | 'exact' | 'with-changes';

export interface RunFolderOptions {
  readonly dir: string;
  readonly resume: ResumeMode;
  readonly record: RunRecord;
  /** Names of configuration values that may change between resumes. */
  readonly free: ReadonlySet<string>;
  /** Folder of TensorBoard's events; null = none are written. Default null. */
  readonly events?: string | null;
}

/** What a checkpoint remembers: the loop's state, and how long the logs were. */
interface Cursor {
  readonly rollout: number;
  readonly state: unknown;
  readonly logs: { readonly metrics: number; readonly timings: number };
  /** Absent when none were written. */
  readonly events?: EventCursor;
  readonly record: RunRecord;
}

export type SampleSplit = 'train' | 'test';
const splits: readonly SampleSplit[] = ['train', 'test'];

export class RunFolder {
  private constructor(
    private readonly dir: string,
    private readonly lock: Lock,
    private readonly checkpoints: Checkpoints,
    private readonly record: RunRecord,
    private readonly metrics: LogFile,
    private readonly timings: LogFile,
    /** null when none are written. */
    readonly events: EventLog | null,
    /** State and folder of the checkpoint to go on from; null when the run starts from its beginning. */
    readonly resumed: { readonly state: unknown; readonly dir: string } | null,
  ) {}

  /**
   * @throws {LimrError} LIMR_LOCKED; LIMR_USAGE when the folder holds a run and resume is 'no', or the configuration
   *   differs; LIMR_FORMAT for a damaged folder; LIMR_IO
   */
  static async open(options: RunFolderOptions): Promise<RunFolder> {
    const { dir } = options;
    await withIo(`make ${dir}`, () => mkdir(dir, { recursive: true }));
    const lock = await lockFolder(dir);
    try {
      return await RunFolder.openLocked(options, lock);
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  private static async openLocked(options: RunFolderOptions, lock: Lock): Promise<RunFolder> {
    const { dir, resume, record, free, events: eventsDir = null } = options;
    const recorded = await readRecord(dir);
    if (resume === 'no' || recorded === null) await refuseUsed(dir, resume);
    if (recorded === null && eventsDir !== null) await EventLog.refuseUsed(eventsDir);
    const changes = recorded === null ? [] : differences(recorded, record, free);
    if (changes.length > 0 && resume !== 'with-changes') throw changed(dir, changes);

    const checkpoints = new Checkpoints(join(dir, 'checkpoints'));
    await checkpoints.clean();
    const step = (await checkpoints.steps()).at(-1);
    const cursor = step === undefined ? null : checkCursor(await checkpoints.readCursor(step), checkpoints.path(step));
    const rollout = cursor?.rollout ?? 0;
    await writeRecord(dir, record, rollout, recorded?.changes ?? [], changes);
    for (const split of splits) await removeLater(join(dir, 'samples', split), 'step', cursor === null ? -1 : rollout);
    const metrics = await LogFile.open(join(dir, 'metrics.jsonl'), cursor?.logs.metrics ?? 0);
    const timings = await LogFile.open(join(dir, 'timings.jsonl'), cursor?.logs.timings ?? 0);
    const events = eventsDir === null ? null : await EventLog.open(eventsDir, dir, cursor?.events ?? null);
    const resumed = cursor === null ? null : { state: cursor.state, dir: checkpoints.path(rollout) };
    return new RunFolder(dir, lock, checkpoints, record, metrics, timings, events, resumed);
  }

  /** Appends a line to metrics.jsonl: deterministic values only. */
  async appendMetrics(values: object): Promise<void> {
    await this.metrics.append(values);
  }

  async appendTimings(values: object): Promise<void> {
    await this.timings.append(values);
  }

  /** The rows of metrics.jsonl or timings.jsonl so far. @throws {LimrError} LIMR_IO, LIMR_FORMAT */
  async logged(log: 'metrics' | 'timings'): Promise<readonly Json[]> {
    const file = join(this.dir, `${log}.jsonl`);
    const lines = (await readText(file)).split('\n').filter((line) => line !== '');
    return lines.map((line) => parseJsonFile(line, file, 'Resume from an untouched copy of the run folder.'));
  }

  /** Writes samples/<split>/step_<rollout>.json. */
  async writeSamples(split: SampleSplit, rollout: number, samples: readonly object[]): Promise<void> {
    const file = join(this.samplesFolder(split), `step_${rollout}.json`);
    await writeDurably(file, `${JSON.stringify(samples, null, 1)}\n`);
  }

  /** Writes one line of JSON a sample as samples/train/step_<rollout>.<kind>.jsonl; no file when there are none. */
  async writeSampleLines(rollout: number, kind: 'tokens' | 'grading', lines: readonly object[]): Promise<void> {
    if (lines.length === 0) return;
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await writeDurably(join(this.samplesFolder('train'), `step_${rollout}.${kind}.jsonl`), text);
  }

  /** Writes lim/epoch_<epoch>.jsonl. */
  async writeScores(epoch: number, rows: readonly object[]): Promise<void> {
    const text = rows.map((row) => `${JSON.stringify(row)}\n`).join('');
    await writeDurably(join(this.dir, 'lim', `epoch_${epoch}.jsonl`), text);
  }

  /** Removes the scores of later epochs, and the leftovers of a kill among them. */
  async removeScoresAfter(epoch: number): Promise<void> {
    await removeLater(join(this.dir, 'lim'), 'epoch', epoch);
  }

  /** Where samples/<split>/step_<rollout>.json are. */
  samplesFolder(split: SampleSplit): string {
    return join(this.dir, 'samples', split);
  }

  /**
   * Makes the present state resumable. A checkpoint of this rollout that exists already only gets a new cursor.
   * @param fill writes weights and optimizer states into an empty folder
   * @returns the checkpoint's folder
   */
  async saveCheckpoint(
    rollout: number,
    state: unknown,
    keep: number,
    fill: (dir: string) => Promise<void>,
  ): Promise<string> {
    await this.metrics.sync();
    await this.timings.sync();
    await this.events?.sync();
    const logs = { metrics: this.metrics.bytes, timings: this.timings.bytes };
    const events = this.events === null ? {} : { events: this.events.cursor };
    const cursor: Cursor = { rollout, state, logs, ...events, record: this.record };
    if ((await this.checkpoints.steps()).includes(rollout)) await this.checkpoints.updateCursor(rollout, cursor);
    else await this.checkpoints.write(rollout, cursor, fill);
    await this.checkpoints.prune(keep);
    return this.checkpoints.path(rollout);
  }

  /** Closes the logs and gives the folder back. */
  async close(): Promise<void> {
    await this.metrics.close();
    await this.timings.close();
    await this.events?.close();
    await this.lock.release();
  }
}

async function refuseUsed(dir: string, resume: ResumeMode): Promise<void> {
  const used = (await withIo(`list ${dir}`, () => readdir(dir))).filter((name) =>
    ['run.json', 'metrics.jsonl', 'timings.jsonl', 'samples', 'lim', 'checkpoints'].includes(name),
  );
  if (used.length === 0) return;
  if (resume === 'no')
    throw new LimrError(
      'LIMR_USAGE',
      `${dir} holds a run already (${used.join(', ')})`,
      'Go on with it by --resume, or choose another --output.',
    );
  throw new LimrError(
    'LIMR_FORMAT',
    `${dir} has ${used.join(', ')} but no run.json`,
    'Resume from a complete copy of it.',
  );
}

function changed(dir: string, changes: readonly Difference[]): LimrError {
  return new LimrError(
    'LIMR_USAGE',
    `the configuration differs from the one that ${dir} was started with\n${describeDifferences(changes)}`,
    'Give the recorded values, or accept the change by --resume-with-changes.',
  );
}

function checkCursor(value: unknown, dir: string): Cursor {
  const cursor = value as Partial<Cursor> | null;
  const whole = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const events = cursor?.events === undefined || isEventCursor(cursor.events);
  if (!events || !whole(cursor?.rollout) || !whole(cursor?.logs?.metrics) || !whole(cursor?.logs?.timings))
    throw new LimrError('LIMR_FORMAT', `${dir}/cursor.json is damaged`, `Delete ${dir} to resume from an earlier one.`);
  return cursor as Cursor;
}

/** Removes files <noun>_<n>.* with an n above `last`, and those that were being written. */
async function removeLater(dir: string, noun: 'step' | 'epoch', last: number): Promise<void> {
  const names = await withIo(`list ${dir}`, () =>
    readdir(dir).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }),
  );
  for (const name of names) {
    const [, own, number] = /^(step|epoch)_(\d+)\./.exec(name) ?? [];
    const stale = name.endsWith(partialSuffix) || (own === noun && Number(number) > last);
    if (stale) await withIo(`delete ${name}`, () => rm(join(dir, name), { force: true }));
  }
}
