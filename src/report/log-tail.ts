/** Follows a file of JSON lines that somebody else appends to, and may cut back. */
import { open } from 'node:fs/promises';
import { LimrError } from '../errors.js';
import { hasCode, withIo } from '../files.js';
import { isObject, type Json, type JsonObject } from '../json.js';

const newline = 0x0a;

export interface NewLines {
  /** True when what was read before is no longer what the file begins with: `rows` are all of it, from its start. */
  readonly isReset: boolean;
  readonly rows: readonly JsonObject[];
}

export class LogTail {
  /** Bytes that were read as whole lines, and the last line of them, by which a rewritten file is told. */
  private offset = 0;
  private last: Buffer = Buffer.alloc(0);
  private lines = 0;

  /** @param file need not exist yet */
  constructor(readonly file: string) {}

  /**
   * The lines that were appended since. The last one is left for later while its newline is missing: it is being written.
   * @throws {LimrError} LIMR_FORMAT with file and line; LIMR_IO
   */
  async read(): Promise<NewLines> {
    return withIo(`read ${this.file}`, async () => {
      const handle = await open(this.file).catch((error: unknown) => {
        if (hasCode(error, 'ENOENT')) return undefined;
        throw error;
      });
      if (handle === undefined) return this.started(this.offset > 0, Buffer.alloc(0));
      try {
        const start = this.offset - this.last.length;
        const bytes = await readFrom(handle, start);
        if (bytes.subarray(0, this.last.length).equals(this.last))
          return this.started(false, bytes.subarray(this.last.length));
        return this.started(true, start === 0 ? bytes : await readFrom(handle, 0));
      } finally {
        await handle.close();
      }
    });
  }

  /** @param bytes those after `offset`, or all of them after a reset */
  private started(isReset: boolean, bytes: Buffer): NewLines {
    if (isReset) {
      this.offset = 0;
      this.lines = 0;
      this.last = Buffer.alloc(0);
    }
    const whole = bytes.subarray(0, bytes.lastIndexOf(newline) + 1);
    if (whole.length === 0) return { isReset, rows: [] };
    const rows = whole
      .toString('utf8', 0, whole.length - 1)
      .split('\n')
      .map((line) => this.row(line));
    this.offset += whole.length;
    this.last = Buffer.from(whole.subarray(whole.lastIndexOf(newline, whole.length - 2) + 1));
    return { isReset, rows };
  }

  private row(line: string): JsonObject {
    this.lines += 1;
    const where = `${this.file}:${this.lines}`;
    let value: Json;
    try {
      value = JSON.parse(line) as Json;
    } catch {
      throw new LimrError('LIMR_FORMAT', `${where} is not JSON`, 'Report from an untouched copy of the run folder.');
    }
    if (isObject(value)) return value;
    throw new LimrError('LIMR_FORMAT', `${where} is not an object`, 'Report from an untouched copy of the run folder.');
  }
}

async function readFrom(handle: Awaited<ReturnType<typeof open>>, start: number): Promise<Buffer> {
  const { size } = await handle.stat();
  const bytes = Buffer.alloc(Math.max(0, size - start));
  let read = 0;
  while (read < bytes.length) {
    const { bytesRead } = await handle.read(bytes, read, bytes.length - read, start + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}
