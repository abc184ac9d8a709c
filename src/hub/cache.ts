/**
 * The cache folder of all of Hugging Face's tools (https://huggingface.co/docs/hub/local-cache), for one repository:
 *
 *   models--owner--name/blobs/<checksum>         contents
 *   models--owner--name/snapshots/<commit>/...   links to them, by the files' names
 *   models--owner--name/refs/<revision>          the commit that a branch or tag was when it was last looked up
 *   models--owner--name/trees/<commit>.json      what the hub lists of that commit
 */
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { hasCode, parseJsonFile, readTextIfThere, withIo, writeDurably } from '../files.js';
import { type HubName, isCommit } from './name.js';
import { blobName, checkedTree, type HubFile, readTreeJson, treeJson } from './tree.js';

const unknownBlob = '0'.repeat(40);

export class RepositoryCache {
  readonly folder: string;
  /** Where processes that download the same one wait for each other. */
  readonly locks: string;

  constructor(cache: string, { kind, id }: HubName) {
    const name = `${kind}s--${id.replace('/', '--')}`;
    this.folder = resolve(cache, name);
    this.locks = resolve(cache, '.locks', name);
  }

  snapshot(commit: string): string {
    return join(this.folder, 'snapshots', commit);
  }

  blob(file: HubFile): string {
    return join(this.folder, 'blobs', blobName(file));
  }

  /** @returns undefined when that revision was never looked up */
  async readRef(revision: string): Promise<string | undefined> {
    const commit = (await readTextIfThere(join(this.folder, 'refs', revision)))?.trim() ?? '';
    return isCommit(commit) ? commit : undefined;
  }

  async writeRef(revision: string, commit: string): Promise<void> {
    await writeDurably(join(this.folder, 'refs', revision), commit);
  }

  /** @throws {LimrError} LIMR_FORMAT for a list that names files outside of its folder */
  async readTree(commit: string): Promise<readonly HubFile[] | undefined> {
    const file = this.treeFile(commit);
    const text = await readTextIfThere(file);
    return text === undefined ? undefined : readTreeJson(parseJsonFile(text, file, `Delete ${file}.`), file);
  }

  async writeTree(commit: string, files: readonly HubFile[]): Promise<void> {
    await writeDurably(this.treeFile(commit), `${JSON.stringify(treeJson(files), null, 1)}\n`);
  }

  /** Files of a snapshot that another tool put there without a list; nothing is downloaded by these. @returns undefined when there are none */
  async listSnapshot(commit: string): Promise<readonly HubFile[] | undefined> {
    const root = this.snapshot(commit);
    const entries = await withIo(`list ${root}`, () =>
      readdir(root, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return [];
        throw error;
      }),
    );
    const files: HubFile[] = [];
    for (const entry of entries) {
      const path = join(entry.parentPath, entry.name);
      const size = entry.isDirectory() ? undefined : await sizeOf(path);
      if (size !== undefined) files.push({ path: relative(root, path), size, blobId: unknownBlob });
    }
    return files.length === 0 ? undefined : checkedTree(files, root);
  }

  /** Whether a file is in the snapshot, as long as it should be. */
  async has(commit: string, file: HubFile): Promise<boolean> {
    return (await sizeOf(join(this.snapshot(commit), file.path))) === file.size;
  }

  async hasBlob(file: HubFile): Promise<boolean> {
    return (await sizeOf(this.blob(file))) === file.size;
  }

  /** Makes a whole blob appear in a snapshot, at once or not at all. */
  async link(commit: string, file: HubFile): Promise<void> {
    const place = join(this.snapshot(commit), file.path);
    const target = relative(dirname(place), this.blob(file));
    await withIo(`write ${place}`, async () => {
      await mkdir(dirname(place), { recursive: true });
      const temporary = join(this.folder, 'blobs', `.link-${randomUUID()}`);
      await symlink(target, temporary);
      try {
        await rename(temporary, place);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    });
  }

  private treeFile(commit: string): string {
    return join(this.folder, 'trees', `${commit}.json`);
  }
}

/** Bytes of a file, through links; undefined when there is none. @throws {LimrError} LIMR_IO */
export async function sizeOf(path: string): Promise<number | undefined> {
  return withIo(`read ${path}`, async () => {
    try {
      const found = await stat(path);
      return found.isFile() ? found.size : undefined;
    } catch (error) {
      if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || hasCode(error, 'ELOOP')) return undefined;
      throw error;
    }
  });
}
