/**
 * One owner of a run folder, or of a file that is being written. An owner publishes a file whose name says which process it is, then looks for others. Two
 * that start at once may both step back, but never both own it. The file of a process that is gone (no such pid, another
 * start time, another boot) is removed. Another host's processes cannot be seen from here, so its file counts.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { LimrError } from '../errors.js';
import { hasCode, withIo } from '../files.js';

interface Owner {
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  readonly start: string;
}

export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes a run folder.
 * @param dir an existing folder
 * @throws {LimrError} LIMR_LOCKED, naming host and pid of the owner; LIMR_IO
 */
export const lockFolder = (dir: string): Promise<Lock> => lock({ what: dir, dir, prefix: '.owner.' });

/**
 * Takes a file, there or not, in an existing folder.
 * @throws {LimrError} LIMR_LOCKED, naming host and pid of the owner; LIMR_IO
 */
export const lockFile = (file: string): Promise<Lock> =>
  lock({ what: file, dir: dirname(file), prefix: `.${basename(file)}.owner.` });

/** What is taken, and how the files of its owners begin. */
interface Place {
  readonly what: string;
  readonly dir: string;
  readonly prefix: string;
}

async function lock(place: Place): Promise<Lock> {
  const { what, dir, prefix } = place;
  const me = { host: hostname(), boot: bootId(), pid: process.pid, start: startTime(process.pid) };
  const own = prefix + ownerName(me);
  const file = join(dir, own);
  await withIo(`lock ${what}`, async () => {
    try {
      await writeFile(file, `${JSON.stringify({ pid: process.pid, host: hostname() })}\n`, { flag: 'wx' });
    } catch (error) {
      throw hasCode(error, 'EEXIST') ? lockedBy(place, own) : error;
    }
  });
  const release = () => withIo(`unlock ${what}`, () => rm(file, { force: true }));
  try {
    const others = (await readdir(dir)).filter((name) => name.startsWith(prefix) && name !== own);
    for (const name of others) {
      if (isAlive(parseName(name.slice(prefix.length)))) throw lockedBy(place, name);
      await rm(join(dir, name), { force: true });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { release };
}

function lockedBy({ what, dir, prefix }: Place, name: string): LimrError {
  const owner = parseName(name.slice(prefix.length));
  const who = owner === null ? name : `process ${owner.pid} on ${owner.host}`;
  const gone = owner?.host === hostname() ? '' : ` If that host is gone for good, delete ${join(dir, name)}.`;
  return new LimrError('LIMR_LOCKED', `${what} is in use by ${who}`, `Wait for it, or choose another --output.${gone}`);
}

function ownerName({ host, boot, pid, start }: Owner): string {
  return `${pid}.${start}.${boot}.${encodeURIComponent(host)}`;
}

function parseName(name: string): Owner | null {
  const match = /^(\d+)\.([^.]*)\.([^.]*)\.(.+)$/.exec(name);
  if (match === null) return null;
  const [, pid, start, boot, host] = match;
  return { pid: Number(pid), start: start!, boot: boot!, host: decodeURIComponent(host!) };
}

function isAlive(owner: Owner | null): boolean {
  if (owner === null || owner.host !== hostname()) return true;
  if (owner.boot !== bootId()) return false;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
  return owner.start === '' || owner.start === startTime(owner.pid);
}

/** Linux only; elsewhere all processes count as of one boot, and a pid's start time is unknown. */
function bootId(): string {
  const file = '/proc/sys/kernel/random/boot_id';
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
}

/** Clock ticks since boot, field 22 of /proc/<pid>/stat; "" where there is none. A zombie counts as gone. */
function startTime(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\)\s*/s, '')
      .split(' ');
    return fields[0] === 'Z' ? `gone-${randomUUID()}` : (fields[19] ?? '');
  } catch {
    return '';
  }
}
