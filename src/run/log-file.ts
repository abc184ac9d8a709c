/** An append-only file whose length is known, so that a resumed run can cut it back. */
import { type FileHandle, open } from 'node:fs/promises';
import { LimrError } from '../errors.js';
import { withIo } from '../files.js';

export class LogFile {
  private constructor(
    private readonly file: string,
    private readonly handle: FileHandle,
    private length: number,
  ) {}

  /**
   * Opens a log, made if need be, and cuts it.
   * @param bytes its length at the checkpoint
   * @throws {LimrError} LIMR_FORMAT when it is shorter than that; LIMR_IO
   */
  static async open(file: string, bytes: number): Promise<LogFile> {
    return withIo(`open ${file}`, async () => {
      const handle = await open(file, 'a+');
      try {
        const { size } = await handle.stat();
        if (size < bytes)
          throw new LimrError(
            'LIMR_FORMAT',
            `${file} has ${size} bytes, and had ${bytes} when the checkpoint was written`,
            'Resume from an untouched copy of the run folder.',
          );
        if (size > bytes) await handle.truncate(bytes);
        await handle.sync();
        return new LogFile(file, handle, bytes);
      } catch (error) {
        await handle.close();
        throw error;
      }
    });
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.length;
  }

  /** Appends one line, in one write. */
  async append(value: object): Promise<void> {
    await this.appendBytes(Buffer.from(`${JSON.stringify(value)}\n`));
  }

  /** Appends in one write. When that fails (a full disk), the part that was written is cut off again. */
  async appendBytes(bytes: Uint8Array): Promise<void> {
    await withIo(`append to ${this.file}`, async () => {
      try {
        await this.handle.appendFile(bytes);
      } catch (error) {
        await this.handle.truncate(this.length).catch(() => {}); // on a broken disk the first error is the one to tell
        throw error;
      }
    });
    this.length += bytes.length;
  }

  async sync(): Promise<void> {
    await withIo(`sync ${this.file}`, () => this.handle.sync());
  }

  async close(): Promise<void> {
    await this.handle.close();
  }
}
