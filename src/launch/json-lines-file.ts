/** Rows of a result, one JSON object a line. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { partialSuffix, syncPath, withIo } from '../files.js';

/** Takes the rows of a result, in order. */
export type TakeRow<T> = (row: T) => void | Promise<void>;

/**
 * Runs a body whose rows go to a file, which appears whole or not at all, or are kept when there is none.
 * @param file "" = keep the rows
 * @returns what the body returned, and the rows kept
 * @throws {LimrError} LIMR_IO; whatever the body throws
 */
export async function collectRows<T extends object, R>(
  file: string,
  body: (take: TakeRow<T>) => Promise<R>,
): Promise<{ readonly result: R; readonly rows: readonly T[] }> {
  const rows: T[] = [];
  if (file === '') return { result: await body((row) => void rows.push(row)), rows };
  const output = await JsonLinesFile.create(file);
  try {
    const result = await body((row) => output.write(row));
    await output.keep();
    return { result, rows };
  } finally {
    await output.close();
  }
}

/** A file of one JSON object a line, which is removed when it is closed unless it was kept. */
class JsonLinesFile {
  private kept = false;

  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
  ) {}

  static create(file: string): Promise<JsonLinesFile> {
    return withIo(`write ${file}`, async () => {
      await mkdir(dirname(file), { recursive: true });
      return new JsonLinesFile(file, await open(file + partialSuffix, 'w'));
    });
  }

  async write(row: object): Promise<void> {
    await withIo(`write ${this.file}`, () => this.handle.appendFile(`${JSON.stringify(row)}\n`));
  }

  /** Gives the file its name. */
  async keep(): Promise<void> {
    await withIo(`write ${this.file}`, async () => {
      await this.handle.sync();
      await rename(this.file + partialSuffix, this.file);
      this.kept = true;
      await syncPath(dirname(this.file));
    });
  }

  async close(): Promise<void> {
    await withIo(`write ${this.file}`, async () => {
      await this.handle.close();
      if (!this.kept) await rm(this.file + partialSuffix, { force: true });
    });
  }
}
