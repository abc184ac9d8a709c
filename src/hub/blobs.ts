/** The contents that a cache lacks, several downloads at a time. */
import { formatBytes } from '../bytes.js';
import { LimrError } from '../errors.js';
import { freeBytes } from '../files.js';
import { type RepositoryCache, sizeOf } from './cache.js';
import type { HubClient } from './client.js';
import { downloadBlob, incompleteSuffix } from './download.js';
import type { HubHooks } from './hooks.js';
import { throwIfAborted } from './patience.js';
import { blobName, type HubFile } from './tree.js';

/** Connections at a time: one seldom fills the line. */
const maxConnections = 4;

export interface BlobsOptions {
  /** owner/name */
  readonly id: string;
  readonly commit: string;
  readonly cache: RepositoryCache;
  readonly client: HubClient;
  readonly hooks: HubHooks;
  readonly timeoutMs: number;
  readonly retryMs: number;
}

/**
 * Downloads what is not there yet; the first failure stops all, and what came so far is kept.
 * @throws {LimrError} LIMR_IO when the disk has no room for all of them, before anything is downloaded; as `downloadBlob`
 */
export async function downloadBlobs(files: readonly HubFile[], options: BlobsOptions): Promise<void> {
  const { id, commit, cache, client, hooks, timeoutMs, retryMs } = options;
  const wanted = new Map<string, HubFile>();
  const bytes = new Map<string, number>();
  for (const file of files) {
    if (await cache.hasBlob(file)) continue;
    wanted.set(blobName(file), file);
    bytes.set(blobName(file), Math.min((await sizeOf(cache.blob(file) + incompleteSuffix)) ?? 0, file.size));
  }
  if (wanted.size === 0) return;
  const totalBytes = sum(Array.from(wanted.values(), ({ size }) => size));
  await refuseFullDisk(cache.folder, totalBytes - sum(bytes.values()), id);
  const report = () => hooks.onDownload?.({ id, doneBytes: sum(bytes.values()), totalBytes });

  const stop = new AbortController();
  const signal = hooks.signal === undefined ? stop.signal : AbortSignal.any([hooks.signal, stop.signal]);
  const queue = wanted.entries();
  const work = async () => {
    for (const [name, file] of queue) {
      throwIfAborted(signal);
      await downloadBlob(file, cache.blob(file), {
        request: (offset, patience) => client.content(commit, file, offset, patience),
        timeoutMs,
        retryMs,
        signal,
        onBytes: (count) => {
          bytes.set(name, count);
          report();
        },
        remark: hooks.remark,
      });
    }
  };
  const failures: unknown[] = [];
  const guarded = () =>
    work().catch((error: unknown) => {
      failures.push(error);
      stop.abort();
    });
  report();
  await Promise.all(Array.from({ length: Math.min(maxConnections, wanted.size) }, guarded));
  if (failures.length > 0) throw failures[0]; // the others stopped because of it
}

async function refuseFullDisk(folder: string, needed: number, id: string): Promise<void> {
  const free = await freeBytes(folder);
  if (needed <= free) return;
  throw new LimrError(
    'LIMR_IO',
    `${id} needs ${formatBytes(needed)} more, and ${formatBytes(free)} are free for ${folder}`,
    'Free some space, or set HF_HUB_CACHE to a folder on another disk.',
  );
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
