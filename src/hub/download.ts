/** One file's content, from the hub to its blob: resumed, bounded in its tries, checked, and only then visible. */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LimrError } from '../errors.js';
import { ioError, syncPath, withIo } from '../files.js';
import { sizeOf } from './cache.js';
import { backoffMs, interrupted, Patience, pause, throwIfAborted } from './patience.js';
import { HubUnreachable, reasonOf } from './refusals.js';
import type { HubFile } from './tree.js';

/** What a blob is called until it is whole. Other tools' partial files end in .incomplete too, and are never touched. */
export const incompleteSuffix = '.limr.incomplete';

/** Tries in a row that bring less than `worthwhileBytes`, and how often a file may come with the wrong sum. */
const maxFailures = 5;
const worthwhileBytes = 1 << 20;
const maxCopies = 2;

export interface DownloadOptions {
  /** One request for the bytes from `offset` on. @throws {HubUnreachable} for what may pass */
  readonly request: (offset: number, signal: AbortSignal) => Promise<Response>;
  readonly timeoutMs: number;
  readonly retryMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of the file are there; less than before after a new start. */
  readonly onBytes?: (bytes: number) => void;
  readonly remark?: ((text: string) => void) | undefined;
}

/**
 * Fills a blob.
 * @param blob does not exist; no other process downloads it
 * @throws {LimrError} LIMR_IO when the network fails for good or the disk is full, and LIMR_ABORTED: what came so far is kept for the
 *   next call; LIMR_FORMAT for a wrong checksum, and then nothing is kept
 */
export async function downloadBlob(file: HubFile, blob: string, options: DownloadOptions): Promise<void> {
  const partial = blob + incompleteSuffix;
  await withIo(`write ${blob}`, () => mkdir(dirname(blob), { recursive: true }));
  for (let copies = 1; ; copies += 1) {
    await fill(file, partial, options);
    const sum = await checksum(file, partial, options.signal);
    if (sum === (file.sha256 ?? file.blobId)) break;
    await withIo(`remove ${partial}`, () => rm(partial));
    if (copies >= maxCopies) throw wrongSum(file, sum);
    options.remark?.(`${file.path} came with the wrong checksum: once more from its start`);
  }
  await withIo(`write ${blob}`, async () => {
    await rename(partial, blob);
    await syncPath(dirname(blob));
  });
}

function wrongSum({ path, sha256, blobId }: HubFile, sum: string): LimrError {
  const kind = sha256 === undefined ? 'git sha1' : 'sha256';
  return new LimrError(
    'LIMR_FORMAT',
    `${path} came ${maxCopies} times with the wrong checksum: ${kind} ${sum}, expected ${sha256 ?? blobId}`,
    'Something between here and the hub changes files: check HF_ENDPOINT and the proxy. Nothing of it was kept.',
  );
}

/** Appends to the partial file until it is as long as the file. */
async function fill(file: HubFile, partial: string, options: DownloadOptions): Promise<void> {
  const { signal, retryMs } = options;
  const handle = await withIo(`write ${partial}`, () => openPartial(partial));
  try {
    let failures = 0;
    let bytes = (await sizeOf(partial)) ?? 0;
    if (bytes > file.size) bytes = 0; // not of this file
    options.onBytes?.(bytes);
    while (bytes < file.size) {
      throwIfAborted(signal);
      const before = bytes;
      let failure: unknown;
      try {
        for await (const chunk of chunks(file, bytes, options)) {
          if (chunk === 'again') bytes = 0;
          else {
            const kept = chunk.subarray(0, file.size - bytes);
            await write(handle, kept, bytes, partial);
            bytes += kept.length;
          }
          options.onBytes?.(bytes);
          if (bytes === file.size) break; // whatever else the server has to say
        }
      } catch (error) {
        if (signal?.aborted === true) throw interrupted();
        if (error instanceof LimrError && !(error instanceof HubUnreachable)) throw error;
        failure = error;
      }
      if (bytes === file.size) break;
      failures = bytes - before >= worthwhileBytes ? 1 : failures + 1;
      if (failures >= maxFailures) throw cutOff(file, bytes, failure);
      await pause(backoffMs(failures, retryMs, failure instanceof HubUnreachable ? failure.waitMs : 0), signal);
    }
    await withIo(`write ${partial}`, async () => {
      await handle.truncate(file.size);
      await handle.sync();
    });
  } finally {
    await handle.close();
  }
}

/** For reading and writing, with what is in it. */
const openPartial = (partial: string): Promise<FileHandle> => open(partial, constants.O_RDWR | constants.O_CREAT);

async function write(handle: FileHandle, chunk: Uint8Array, position: number, path: string): Promise<void> {
  try {
    for (let done = 0; done < chunk.length; ) {
      done += (await handle.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
    }
  } catch (error) {
    throw ioError(`cannot write ${path}`, error);
  }
}

/** The bytes from `offset` on of one request; "again" comes first when the server starts at 0 all the same. */
async function* chunks(
  file: HubFile,
  offset: number,
  { request, timeoutMs, signal }: DownloadOptions,
): AsyncGenerator<Uint8Array | 'again'> {
  const patience = new Patience(timeoutMs, signal);
  try {
    const response = await request(offset, patience.signal);
    const start = response.status === 206 ? startOf(response) : 0;
    if (start !== offset && start !== 0) {
      await response.body?.cancel();
      throw new HubUnreachable(`asked for byte ${offset} of ${file.path}, the hub sent byte ${start}`, '');
    }
    if (start !== offset) yield 'again';
    if (response.body === null) return;
    for await (const chunk of response.body) {
      patience.touch();
      yield chunk as Uint8Array;
    }
  } finally {
    patience.end();
  }
}

/** "bytes 100-199/200" -> 100 */
function startOf(response: Response): number {
  const range = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '');
  return range === null ? Number.NaN : Number(range[1]);
}

function cutOff({ path, size }: HubFile, bytes: number, failure: unknown): LimrError {
  const reason = failure === undefined ? 'the connection ended' : reasonOf(failure);
  return new LimrError(
    'LIMR_IO',
    `${path} broke off ${maxFailures} times, the last time after ${bytes} of ${size} bytes: ${reason}`,
    'Check the network. What came so far is kept: the same command goes on from there.',
    { cause: failure },
  );
}

/** sha256 of a large file, git's sha1 of another. @throws {LimrError} LIMR_IO, LIMR_ABORTED */
async function checksum({ sha256, size }: HubFile, path: string, signal: AbortSignal | undefined): Promise<string> {
  const hash = sha256 === undefined ? createHash('sha1').update(`blob ${size}\0`) : createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      throwIfAborted(signal);
      hash.update(chunk as Buffer);
    }
  } catch (error) {
    throw ioError(`cannot read ${path}`, error);
  }
  return hash.digest('hex');
}
