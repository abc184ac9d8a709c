/** Files, with errors that say which, why and what to do; nothing half-written is left behind. */
import { randomUUID } from 'node:crypto';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { LimrError } from './errors.js';

const hints: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path.',
  EACCES: 'Check the permissions of the file and of the folders above it.',
  EPERM: 'Check the permissions of the file and of the folders above it.',
  EROFS: 'Choose a folder on a disk that can be written.',
  ENOSPC: 'Free some space, or choose a folder on another disk.',
  EDQUOT: 'Free some of the quota, or choose a folder on another disk.',
  EISDIR: 'Give a file, not a folder.',
  ENOTDIR: 'A part of the path is a file, not a folder.',
  EMFILE: 'Raise the limit of open files (ulimit -n).',
};

/** A LIMR_IO error for what the operating system refused; LimrErrors pass. */
export function ioError(what: string, error: unknown): LimrError {
  if (error instanceof LimrError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? error.message : String(error);
  return new LimrError('LIMR_IO', `${what}: ${reason}`, hints[code] ?? '', { cause: error });
}

/** @throws {LimrError} LIMR_IO */
export async function readText(file: string): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    return text.startsWith('\ufeff') ? text.slice(1) : text;
  } catch (error) {
    throw ioError(`cannot read ${file}`, error);
  }
}

/** @returns undefined when there is no such file */
export async function readTextIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw ioError(`cannot read ${file}`, error);
  }
}

/** @throws {LimrError} LIMR_IO, LIMR_FORMAT when it is not JSON */
export function parseJsonFile(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LimrError('LIMR_FORMAT', `${file} is not JSON: ${reason}`, 'Take the file again from where it came.');
  }
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
  if (!overwrite && (await exists(target))) {
    throw new LimrError('LIMR_USAGE', `${folder} exists`, 'Choose another folder, or remove that one first.');
  }
  let temporary: string | undefined;
  try {
    await mkdir(parent, { recursive: true });
    const sibling = join(parent, `.${basename(target)}.${randomUUID()}`);
    await mkdir(sibling);
    temporary = sibling;
    await fill(temporary);
    await syncPath(temporary);
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

/** Writes a file whole or not at all: a temporary sibling, synced, then renamed over it. @throws {LimrError} LIMR_IO */
export async function writeFileWhole(file: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
  try {
    await mkdir(dirname(resolve(file)), { recursive: true });
    await writeSynced(temporary, content);
    await rename(temporary, file);
    await syncPath(dirname(resolve(file)));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {}); // on a read-only disk there is nothing to remove
    throw ioError(`cannot write ${file}`, error);
  }
}

/** Writes a file and syncs it to the disk. */
export async function writeSynced(file: string, content: string | Uint8Array): Promise<void> {
  const handle = await open(file, 'w');
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Syncs a file or a folder's list of names to the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
