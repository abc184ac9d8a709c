/** Rows of a result, one JSON object a line. */
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { syncPath, temporaryPath, withIo } from '../files.js';

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

/** Characters that are collected before they are written: a row for itself would cost more than its grade. */
const bufferLength = 1 << 16;

/** A file of one JSON object a line, which is removed when it is closed unless it was kept. */
class JsonLinesFile {
  private kept = false;
  /** Rows that are not written yet. */
  private pending = '';

  private constructor(
    private readonly file: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {}

  static async create(file: string): Promise<JsonLinesFile> {
    const temporary = await temporaryPath(file);
    return withIo(`write ${file}`, async () => {
      await mkdir(dirname(file), { recursive: true });
      return new JsonLinesFile(file, temporary, await open(temporary, 'w'));
    });
  }

  /** Written to as it is: nothing to sync, rename or remove. */
  private get isDirect(): boolean {
    return this.temporary === this.file;
  }

  async write(row: object): Promise<void> {
    this.pending += `${JSON.stringify(row)}\n`;
    if (this.isDirect || this.pending.length >= bufferLength) await this.flush();
  }

  private async flush(): Promise<void> {
    const text = this.pending;
    this.pending = '';
    await withIo(`write ${this.file}`, () => this.handle.appendFile(text));
  }

  /** Gives the file its name. */
  async keep(): Promise<void> {
    if (this.isDirect) return;
    await this.flush();
    await withIo(`write ${this.file}`, async () => {
      await this.handle.sync();
      await rename(this.temporary, this.file);
      this.kept = true;
      await syncPath(dirname(this.file));
    });
  }

  async close(): Promise<void> {
    await withIo(`write ${this.file}`, async () => {
      await this.handle.close();
      if (!this.kept && !this.isDirect) await rm(this.temporary, { force: true });
    });
  }
}
