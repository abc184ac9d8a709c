/** Files that survive a crash whole: either the old content or the new one, never half of it. */
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ioError } from '../files.js';

/** Files that were being written are named so until they are renamed. */
export const partialSuffix = '.partial';

/** Runs file-system work, and says what it was for when the system refuses. @throws {LimrError} LIMR_IO */
export async function withIo<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw ioError(`cannot ${what}`, error);
  }
}

/** Writes a file beside its final name, fsyncs it, renames it into place and fsyncs the folder. */
export async function writeDurably(file: string, content: string | Uint8Array): Promise<void> {
  const partial = file + partialSuffix;
  await withIo(`write ${file}`, async () => {
    try {
      await withFile(partial, 'w', async (handle) => {
        await handle.writeFile(content);
        await handle.sync();
      });
      await rename(partial, file);
    } catch (error) {
      await rm(partial, { force: true });
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
