/** Files, with errors that say which, why and what to do; nothing half-written is left behind. */
import { randomUUID } from 'node:crypto';
import {
  access,
  type FileHandle,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  statfs,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LimrError } from './errors.js';
import type { Json } from './json.js';

/** A file that is being written is named so until it is whole. */
export const partialSuffix = '.partial';

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path.',
  EACCES: 'Check the permissions of the file and of the folders above it.',
  EPERM: 'Check the permissions of the file and of the folders above it.',
  EROFS: 'Choose a folder on a disk that can be written.',
  ENOSPC: 'Free some space, or choose a folder on another disk.',
  EDQUOT: 'Free some of the quota, or choose a folder on another disk.',
  EISDIR: 'Give a file, not a folder.',
  EEXIST: 'Choose another name, or remove what is there.',
  ENOTDIR: 'A part of the path is a file, not a folder.',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
};

/** A LIMR_IO error for what the operating system refused; LimrErrors pass. */
export function ioError(what: string, error: unknown): LimrError {
  if (error instanceof LimrError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? words(error.message) : String(error);
  return new LimrError('LIMR_IO', `${what}: ${reason}`, hints[code] ?? '', { cause: error });
}

/** "ENOENT: no such file or directory, open 'a.json'" -> "no such file or directory": what was done with which file is said before. */
const words = (message: string): string =>
  message.startsWith('EISDIR: ') ? 'it is a folder' : message.replace(/^E[A-Z0-9]+: (.*?), \w+( '.*)?$/s, '$1');

/** Runs file-system work, and says what it was for when the system refuses. @throws {LimrError} LIMR_IO */
export async function withIo<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw ioError(`cannot ${what}`, error);
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** @throws {LimrError} LIMR_USAGE when there is something at `path` */
export async function refuseExisting(path: string): Promise<void> {
  if (!(await exists(path))) return;
  throw new LimrError('LIMR_USAGE', `${path} exists`, 'Choose another folder, or remove that one first.');
}

/**
 * Where a file is written until it is whole: beside its place, from where a rename puts it there. What is there and is no plain file,
 * as a pipe or /dev/stdout, is written to as it is: a rename would put a file in its stead.
 * @throws {LimrError} LIMR_IO for a folder
 */
export async function temporaryPath(file: string): Promise<string> {
  const there = await withIo(`write ${file}`, () =>
    stat(file).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }),
  );
  if (there?.isDirectory()) throw new LimrError('LIMR_IO', `cannot write ${file}: it is a folder`, hints.EISDIR);
  return there === undefined || there.isFile() ? file + partialSuffix : file;
}

/** The folder above a path, or above that one, that exists. */
async function nearestFolder(path: string): Promise<string> {
  let folder = dirname(resolve(path));
  while (!(await exists(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  return folder;
}

/** Bytes that may still be written where a path is, or will be. @throws {LimrError} LIMR_IO */
export async function freeBytes(path: string): Promise<number> {
  const folder = (await exists(path)) ? path : await nearestFolder(path);
  const { bavail, bsize } = await withIo(`read ${folder}`, () => statfs(folder));
  return bavail * bsize;
}

/**
 * Refuses a place for a new folder, before the work that fills it.
 * @throws {LimrError} LIMR_USAGE when it exists; LIMR_IO when no folder can be made there
 */
export async function checkNewFolder(folder: string): Promise<void> {
  await refuseExisting(folder);
  const above = await nearestFolder(folder);
  await withIo(`write ${folder}`, async () => rm(await mkdtemp(join(above, '.limr-')), { recursive: true }));
}

/**
 * Refuses a place for a file, before the work that fills it. A file that is there may be replaced.
 * @throws {LimrError} LIMR_IO for a folder, or where no file can be made
 */
export async function checkFilePlace(file: string): Promise<void> {
  if ((await temporaryPath(file)) === file) return;
  const above = await nearestFolder(file);
  await withIo(`write ${file}`, async () => rm(await mkdtemp(join(above, '.limr-')), { recursive: true }));
}

/** A file's text without its byte-order mark. @throws {LimrError} LIMR_IO */
export async function readText(file: string): Promise<string> {
  const text = await withIo(`read ${file}`, () => readFile(file, 'utf8'));
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/** @returns undefined when there is no such file. @throws {LimrError} LIMR_IO when it is there and cannot be read */
export async function readTextIfThere(file: string): Promise<string | undefined> {
  try {
    return await readText(file);
  } catch (error) {
    if (error instanceof LimrError && hasCode(error.cause, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Whether an error of the file system has this code, such as "ENOENT". */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

/** @throws {LimrError} LIMR_FORMAT, with `hint`, when it is not JSON */
export function parseJsonFile(text: string, file: string, hint = 'Take the file again from where it came.'): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LimrError('LIMR_FORMAT', `${file} is not JSON: ${reason}`, hint);
  }
}

/** @throws {LimrError} LIMR_IO; LIMR_FORMAT, with `hint`, when it is not JSON */
export async function readJson(file: string, hint?: string): Promise<Json> {
  return parseJsonFile(await readText(file), file, hint);
}

/**
 * Makes a folder whole or not at all: `fill` writes into a temporary sibling, which is synced and then renamed.
 * @param folder must not exist, unless `overwrite`, when the old one is replaced last
 * @throws {LimrError} LIMR_IO; LIMR_USAGE when the folder exists; whatever `fill` throws
 */
export async function writeFolder(
  folder: string,
  fill: (temporary: string) => Promise<void>,
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): Promise<void> {
  const target = resolve(folder);
  const parent = dirname(target);
  if (!overwrite) await refuseExisting(folder);
  let temporary: string | undefined;
  try {
    await mkdir(parent, { recursive: true });
    const sibling = join(parent, `.${basename(target)}.${randomUUID()}`);
    await mkdir(sibling);
    temporary = sibling;
    await fill(temporary);
    await syncTree(temporary);
    if (await exists(target)) {
      const old = `${sibling}.old`;
      await rename(target, old);
      await rename(temporary, target);
      await rm(old, { recursive: true });
    } else await rename(temporary, target);
    temporary = undefined;
    await syncPath(parent);
  } catch (error) {
    throw ioError(`cannot write ${folder}`, error);
  } finally {
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Writes a file that survives a crash whole: either the old content or the new one, never half of it. Makes its folder if
 * need be.
 * @throws {LimrError} LIMR_IO, and leaves nothing behind
 */
export async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
  const partial = await temporaryPath(file);
  const isDirect = partial === file;
  await withIo(`write ${file}`, async () => {
    await mkdir(dirname(file), { recursive: true });
    try {
      await withFile(partial, 'w', async (handle) => {
        await handle.writeFile(content);
        if (!isDirect) await handle.sync();
      });
      if (isDirect) return;
      await rename(partial, file);
    } catch (error) {
      if (!isDirect) await rm(partial, { force: true }).catch(() => {}); // on a read-only disk there is nothing to remove
      throw error;
    }
    await syncPath(dirname(file));
  });
}

/** fsync of a file, or of a folder's list of names. */
export async function syncPath(path: string): Promise<void> {
  await withFile(path, 'r', (handle) => handle.sync());
}

/** fsync of every file and folder below a folder, then of itself. */
export async function syncTree(dir: string): Promise<void> {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    await (entry.isDirectory() ? syncTree(path) : syncPath(path));
  }
  await syncPath(dir);
}

async function withFile(path: string, flags: string, body: (handle: FileHandle) => Promise<void>): Promise<void> {
  const handle = await open(path, flags);
  try {
    await body(handle);
  } finally {
    await handle.close();
  }
}
