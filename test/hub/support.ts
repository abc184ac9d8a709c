/** A hub, a cache of its own, and the options that lead to both. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { HubEnvironment, HubOptions } from '../../src/hub/index.js';
import { HubServer } from './hub-server.js';

export interface Stage {
  readonly hub: HubServer;
  readonly cache: string;
  options(more?: Partial<HubEnvironment> & Omit<HubOptions, 'environment'>): HubOptions;
  /** Paths of all files and links below the cache, sorted; locks left out. */
  files(): string[];
  close(): Promise<void>;
}

export async function openStage(): Promise<Stage> {
  const hub = await HubServer.open();
  const cache = mkdtempSync(join(tmpdir(), 'limr-hub-'));
  hub.beforeCut = (end) => arrival(cache, end);
  return {
    hub,
    cache,
    options: ({ endpoint, token, offline, timeoutMs, cache: other, ...rest } = {}) => ({
      retryMs: 1,
      ...rest,
      environment: {
        endpoint: endpoint ?? hub.endpoint,
        token,
        cache: other ?? cache,
        offline: offline ?? false,
        timeoutMs: timeoutMs ?? 5000,
      },
    }),
    files: () => listFiles(cache),
    async close() {
      await hub.close();
      rmSync(cache, { recursive: true });
    },
  };
}

/** Until a partial file has `end` bytes. A client that never writes them fails its test by what it asks for next. */
async function arrival(cache: string, end: number): Promise<void> {
  const partials = () => listFiles(cache).filter((path) => path.endsWith('.incomplete'));
  const arrived = () => partials().some((path) => sizeOf(join(cache, path)) >= end);
  for (let waited = 0; !arrived() && waited < 2000; waited += 5) await new Promise((next) => setTimeout(next, 5));
}

export function listFiles(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort();
}

/** Bytes that differ from place to place. */
export function someBytes(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length);
  let state = seed;
  for (let i = 0; i < length; i += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export const sizeOf = (path: string): number => statSync(path).size;
