/** Files of a repository at one commit, brought into the cache: all that are chosen, or an error and nothing new to see. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LimrError } from '../errors.js';
import { readText, withIo } from '../files.js';
import { type Lock, lockFolder } from '../run/lock.js';
import { downloadBlobs } from './blobs.js';
import { RepositoryCache } from './cache.js';
import { HubClient } from './client.js';
import { type HubEnvironment, readHubEnvironment } from './environment.js';
import type { HubHooks } from './hooks.js';
import { type HubName, hubText, isCommit } from './name.js';
import { pause, throwIfAborted } from './patience.js';
import { HubRefusal, HubUnreachable } from './refusals.js';
import type { HubFile } from './tree.js';

/** How the hub is asked. */
export interface HubOptions extends HubHooks {
  /** Default: what the variables say. */
  readonly environment?: HubEnvironment;
  /** Milliseconds before something is asked for again; every further time waits twice as long. Default 500. */
  readonly retryMs?: number;
}

/**
 * Which files are wanted.
 * @param read fetches a file at once, and gives its text
 */
export type Choose = (
  files: readonly HubFile[],
  read: (file: HubFile) => Promise<string>,
) => readonly HubFile[] | Promise<readonly HubFile[]>;

const lockPollMs = 200;
const remarkAfterWaits = 10;

/**
 * @returns folder of the snapshot; the chosen files are in it, whole and checked
 * @throws {LimrError} LIMR_IO for what the hub or the disk refuses, and when it is offline and not in the cache; LIMR_FORMAT for a wrong
 *   checksum or a list that is none; LIMR_ABORTED; what `choose` throws
 */
export async function fetchSnapshot(name: HubName, choose: Choose, options: HubOptions = {}): Promise<string> {
  const environment = options.environment ?? (await readHubEnvironment());
  return new SnapshotFetch(name, environment, options).run(choose);
}

class SnapshotFetch {
  private readonly cache: RepositoryCache;
  private readonly client: HubClient;
  private readonly retryMs: number;
  private isOffline: boolean;

  constructor(
    private readonly name: HubName,
    private readonly environment: HubEnvironment,
    private readonly hooks: HubOptions,
  ) {
    this.retryMs = hooks.retryMs ?? 500;
    this.cache = new RepositoryCache(environment.cache, name);
    this.client = new HubClient(name, environment, { signal: hooks.signal, retryMs: this.retryMs });
    this.isOffline = environment.offline;
  }

  async run(choose: Choose): Promise<string> {
    throwIfAborted(this.hooks.signal);
    const commit = await this.commit();
    const known = await this.cache.readTree(commit);
    const tree = known ?? (await this.list(commit));
    const chosen = await choose(tree, (file) => this.text(commit, file));
    const missing: HubFile[] = [];
    for (const file of chosen) if (!(await this.cache.has(commit, file))) missing.push(file);
    if (missing.length > 0) {
      await this.download(commit, missing);
      for (const file of missing) await this.cache.link(commit, file);
    }
    if (!this.isOffline) await this.remember(commit, known === undefined ? tree : undefined);
    return this.cache.snapshot(commit);
  }

  /** The commit that the revision is; when the hub is out of reach, the one that it was. */
  private async commit(): Promise<string> {
    const { revision, id } = this.name;
    if (isCommit(revision)) return revision;
    if (this.isOffline) return (await this.cache.readRef(revision)) ?? this.refuseOffline();
    try {
      return await this.client.commit();
    } catch (error) {
      const cached = error instanceof HubUnreachable ? await this.cache.readRef(revision) : undefined;
      if (cached === undefined) throw error;
      this.isOffline = true;
      this.hooks.remark?.(`${(error as Error).message}; ${id} is the cache's, as of commit ${cached.slice(0, 12)}`);
      return cached;
    }
  }

  private async list(commit: string): Promise<readonly HubFile[]> {
    if (!this.isOffline) return this.client.files(commit);
    return (await this.cache.listSnapshot(commit)) ?? this.refuseOffline();
  }

  /** Of a file that decides which others are wanted. */
  private async text(commit: string, file: HubFile): Promise<string> {
    if (await this.cache.has(commit, file)) return readText(join(this.cache.snapshot(commit), file.path));
    await this.download(commit, [file]);
    return readText(this.cache.blob(file));
  }

  private async download(commit: string, files: readonly HubFile[]): Promise<void> {
    const { cache, client, hooks, retryMs, environment } = this;
    if (this.isOffline) this.refuseOffline(files);
    await this.locked(() =>
      downloadBlobs(files, {
        id: this.name.id,
        commit,
        cache,
        client,
        hooks,
        retryMs,
        timeoutMs: environment.timeoutMs,
      }),
    );
  }

  /** What the next call need not ask. A cache that can only be read serves without. */
  private async remember(commit: string, tree: readonly HubFile[] | undefined): Promise<void> {
    const { revision } = this.name;
    const isKnown = isCommit(revision) || (await this.cache.readRef(revision)) === commit;
    if (isKnown && tree === undefined) return;
    try {
      await this.locked(async () => {
        if (tree !== undefined) await this.cache.writeTree(commit, tree);
        if (!isKnown) await this.cache.writeRef(revision, commit);
      });
    } catch (error) {
      if (!(error instanceof LimrError) || error.code !== 'LIMR_IO') throw error;
    }
  }

  /** Runs a body while no other process of ours writes to this repository's cache. */
  private async locked<T>(body: () => Promise<T>): Promise<T> {
    const lock = await this.lock();
    try {
      return await body();
    } finally {
      await lock.release();
    }
  }

  private async lock(): Promise<Lock> {
    const { locks } = this.cache;
    await withIo(`write ${locks}`, () => mkdir(locks, { recursive: true }));
    for (let waits = 0; ; waits += 1) {
      throwIfAborted(this.hooks.signal);
      try {
        return await lockFolder(locks);
      } catch (error) {
        if (!(error instanceof LimrError) || error.code !== 'LIMR_LOCKED') throw error;
        if (waits === remarkAfterWaits) {
          const gone = 'if that one is gone for good, delete its file there';
          this.hooks.remark?.(`waiting for another download of ${this.name.id}: ${error.message}; ${gone}`);
        }
      }
      await pause(lockPollMs * (0.5 + Math.random()), this.hooks.signal);
    }
  }

  private refuseOffline(files: readonly HubFile[] = []): never {
    const missing = files.map(({ path }) => path);
    const what =
      missing.length === 0 ? '' : `${missing.slice(0, 3).join(', ')}${missing.length > 3 ? ', ...' : ''} of `;
    throw new HubRefusal(
      `${what}${hubText(this.name)} is not in the cache ${this.environment.cache}, and the hub is ${this.environment.offline ? 'not asked: HF_HUB_OFFLINE is set' : 'out of reach'}`,
      'Run it once with the hub in reach, or copy the cache from where it was.',
    );
  }
}
