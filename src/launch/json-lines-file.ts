import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ioError, syncPath } from '../files.js';

/** A file of one JSON object a line, which appears whole or not at all. */
export class JsonLinesFile {
  private constructor(
    private readonly file: string,
    private readonly temporary: string,
    private readonly handle: FileHandle,
  ) {}

  /** @throws {LimrError} LIMR_IO */
  static async create(file: string): Promise<JsonLinesFile> {
    try {
      await mkdir(dirname(resolve(file)), { recursive: true });
      const temporary = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
      return new JsonLinesFile(file, temporary, await open(temporary, 'w'));
    } catch (error) {
      throw ioError(`cannot write ${file}`, error);
    }
  }

  async write(row: object): Promise<void> {
    try {
      await this.handle.write(`${JSON.stringify(row)}\n`);
    } catch (error) {
      throw ioError(`cannot write ${this.file}`, error);
    }
  }

  /** Keeps the file when `complete`, else removes it. */
  async close(complete: boolean): Promise<void> {
    try {
      if (complete) await this.handle.sync();
      await this.handle.close();
      if (!complete) return await rm(this.temporary, { force: true });
      await rename(this.temporary, this.file);
      await syncPath(dirname(resolve(this.file)));
    } catch (error) {
      throw ioError(`cannot write ${this.file}`, error);
    }
  }
}
