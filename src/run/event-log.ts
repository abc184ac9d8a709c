/**
 * TensorBoard's event files of a run. TensorBoard reads the files of a folder one after the other, in the order of their names, and
 * may be doing so: what it has read must not move. So each process begins a file of its own; a resumed run cuts the file that was
 * written last at the checkpoint, and deletes later ones.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { LimrError } from '../errors.js';
import { hasCode, withIo } from '../files.js';
import { LogFile } from './log-file.js';

/** Where the events stood when a checkpoint was written. */
export interface EventCursor {
  /** Relative to the run folder. */
  readonly dir: string;
  /** Of the run, in the files' names: a folder may hold files of others. */
  readonly id: string;
  /** Number and length of the last file. */
  readonly file: number;
  readonly bytes: number;
}

/** Every file with this in its name is read by TensorBoard. */
const marker = 'tfevents';

/** Six digits, so that names sort as numbers do. */
const nameOf = (file: number, id: string): string => `events.out.${marker}.${String(file).padStart(6, '0')}.${id}`;

export const isEventCursor = (value: unknown): value is EventCursor => {
  const cursor = value as Partial<EventCursor> | null;
  const whole = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  return typeof cursor?.dir === 'string' && typeof cursor.id === 'string' && whole(cursor.file) && whole(cursor.bytes);
};

export class EventLog {
  private constructor(
    private readonly log: LogFile,
    private readonly place: Omit<EventCursor, 'bytes'>,
    /** True when nothing that was written before the checkpoint is in these files. */
    readonly isFresh: boolean,
  ) {}

  /** @throws {LimrError} LIMR_USAGE when a folder has events of any run, which TensorBoard would show as one */
  static async refuseUsed(dir: string): Promise<void> {
    if (!(await namesIn(dir)).some((name) => name.includes(marker))) return;
    throw new LimrError(
      'LIMR_USAGE',
      `${dir} holds the TensorBoard events of a run already`,
      'Choose another --output or --tensorboard, or delete them.',
    );
  }

  /**
   * @param dir folder of the events, made if need be
   * @param run the run folder
   * @param cursor null when the checkpoint knows of no events, or there is none
   * @throws {LimrError} LIMR_FORMAT when the events are shorter than the cursor says; LIMR_IO
   */
  static async open(dir: string, run: string, cursor: EventCursor | null): Promise<EventLog> {
    await withIo(`make ${dir}`, () => mkdir(dir, { recursive: true }));
    const isFresh = cursor === null || resolve(run, cursor.dir) !== resolve(dir);
    const last = isFresh ? 0 : cursor.file;
    const id = isFresh ? idOf(run) : cursor.id;
    const next = nameOf(last + 1, id);
    for (const name of await namesIn(dir))
      if (name.endsWith(`.${id}`) && name >= next) await withIo(`delete ${name}`, () => rm(join(dir, name)));
    if (!isFresh) await (await LogFile.open(join(dir, nameOf(last, id)), cursor.bytes)).close();
    const log = await LogFile.open(join(dir, next), 0);
    return new EventLog(log, { dir: relative(resolve(run), resolve(dir)), id, file: last + 1 }, isFresh);
  }

  get cursor(): EventCursor {
    return { ...this.place, bytes: this.log.bytes };
  }

  append(record: Uint8Array): Promise<void> {
    return this.log.appendBytes(record);
  }

  sync(): Promise<void> {
    return this.log.sync();
  }

  close(): Promise<void> {
    return this.log.close();
  }
}

/** A run is known by where its folder was when its first event was written. */
function idOf(run: string): string {
  const hash = createHash('sha256').update(resolve(run)).digest('hex').slice(0, 8);
  return `${basename(resolve(run)).replace(/[^\w-]+/g, '_')}-${hash}`;
}

/** Names in a folder; none when it does not exist. */
async function namesIn(dir: string): Promise<string[]> {
  return withIo(`list ${dir}`, () =>
    readdir(dir).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }),
  );
}
