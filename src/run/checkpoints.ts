/**
 * The checkpoints of a run: folders step_<k>. One is written as step_<k>.partial, fsynced, renamed, and marked by the
 * file DONE last, so whatever lacks DONE is the leftover of a kill. Before a checkpoint is deleted its DONE goes first.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, partialSuffix, readJson, syncPath, syncTree, withIo, writeDurably } from '../files.js';
import type { Json } from '../json.js';

const doneMarker = 'DONE';
const cursorName = 'cursor.json';

export class Checkpoints {
  /** @param dir the folder of all checkpoints; need not exist */
  constructor(readonly dir: string) {}

  path(step: number): string {
    return join(this.dir, `step_${step}`);
  }

  /** Steps of the complete checkpoints, ascending. */
  async steps(): Promise<number[]> {
    const complete: number[] = [];
    for (const name of await this.names()) {
      const step = /^step_(\d+)$/.exec(name)?.[1];
      if (step !== undefined && (await exists(join(this.dir, name, doneMarker)))) complete.push(Number(step));
    }
    return complete.sort((a, b) => a - b);
  }

  /** Removes what a kill left half-written or half-deleted. */
  async clean(): Promise<void> {
    const complete = new Set((await this.steps()).map((step) => `step_${step}`));
    for (const name of await this.names())
      if (/^step_\d+(\.partial)?$/.test(name) && !complete.has(name)) await this.remove(join(this.dir, name));
  }

  /**
   * Writes a checkpoint.
   * @param fill puts the weights and optimizer states into an empty folder
   * @param cursor where the run stands; JSON
   */
  async write(step: number, cursor: object, fill: (dir: string) => Promise<void>): Promise<void> {
    const final = this.path(step);
    const partial = final + partialSuffix;
    await withIo(`write the checkpoint ${final}`, async () => {
      await rm(partial, { recursive: true, force: true });
      await mkdir(partial, { recursive: true });
      try {
        await fill(partial);
        await writeFile(join(partial, cursorName), format(cursor));
        await syncTree(partial);
        await rename(partial, final);
        await syncPath(this.dir);
        await writeDurably(join(final, doneMarker), `step ${step}\n`);
      } catch (error) {
        await rm(partial, { recursive: true, force: true });
        await rm(final, { recursive: true, force: true });
        throw error;
      }
    });
  }

  /**
   * Replaces the cursor of a complete checkpoint: the weights are the same, but the run has written more about them.
   */
  async updateCursor(step: number, cursor: object): Promise<void> {
    await writeDurably(join(this.path(step), cursorName), format(cursor));
  }

  /** @throws {LimrError} LIMR_IO; LIMR_FORMAT when it is not JSON */
  readCursor(step: number): Promise<Json> {
    const dir = this.path(step);
    return readJson(join(dir, cursorName), `Delete ${dir} to resume from an earlier one.`);
  }

  /** Deletes all but the newest `keep`. */
  async prune(keep: number): Promise<void> {
    for (const step of (await this.steps()).slice(0, -keep)) await this.remove(this.path(step));
  }

  private async remove(path: string): Promise<void> {
    await withIo(`delete ${path}`, async () => {
      await rm(join(path, doneMarker), { force: true });
      await rm(path, { recursive: true, force: true });
    });
  }

  private async names(): Promise<string[]> {
    return (await exists(this.dir)) ? withIo(`list ${this.dir}`, () => readdir(this.dir)) : [];
  }
}

const format = (value: object): string => `${JSON.stringify(value, null, 2)}\n`;
