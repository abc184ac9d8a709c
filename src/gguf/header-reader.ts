/** Little-endian values of a file, one after the other, each checked against the file's end before anything is allocated for it. */
import { readSync } from 'node:fs';
import { LimrError } from '../errors.js';
import { ioError } from '../files.js';

const chunkBytes = 1 << 20;
/** Longer than any chat template; a length beyond it is a broken file's. */
const maxTextBytes = 64 << 20;

export class HeaderReader {
  private buffer = new Uint8Array(0);
  private view = new DataView(this.buffer.buffer);
  /** Position in the file of the buffer's first byte. */
  private base = 0;
  private at = 0;
  private readonly utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  /**
   * @param fd an open file
   * @param size its bytes
   * @param file its path, for messages
   */
  constructor(
    private readonly fd: number,
    readonly size: number,
    readonly file: string,
  ) {}

  /** Bytes read so far. */
  get offset(): number {
    return this.base + this.at;
  }

  get remaining(): number {
    return this.size - this.offset;
  }

  u8 = () => this.scalar(1, (view, at) => view.getUint8(at));
  i8 = () => this.scalar(1, (view, at) => view.getInt8(at));
  u16 = () => this.scalar(2, (view, at) => view.getUint16(at, true));
  i16 = () => this.scalar(2, (view, at) => view.getInt16(at, true));
  u32 = () => this.scalar(4, (view, at) => view.getUint32(at, true));
  i32 = () => this.scalar(4, (view, at) => view.getInt32(at, true));
  u64 = () => this.scalar(8, (view, at) => view.getBigUint64(at, true));
  i64 = () => this.scalar(8, (view, at) => view.getBigInt64(at, true));
  f32 = () => this.scalar(4, (view, at) => view.getFloat32(at, true));
  f64 = () => this.scalar(8, (view, at) => view.getFloat64(at, true));

  /** A u64 that counts things of at least `itemBytes` each. @throws {LimrError} LIMR_FORMAT when they cannot be in the file */
  count(what: string, itemBytes: number): number {
    const count = this.u64();
    if (count * BigInt(itemBytes) <= BigInt(this.remaining)) return Number(count);
    throw this.malformed(`${count} ${what} do not fit into the ${this.remaining} bytes that are left of it`);
  }

  /** Length and UTF-8 bytes. A byte-order mark is text like any other. */
  text(): string {
    const length = this.count('bytes of a text', 1);
    if (length > maxTextBytes) throw this.malformed(`a text of ${length} bytes`);
    const begin = this.take(length);
    const bytes = this.buffer.subarray(begin, begin + length);
    try {
      return this.utf8.decode(bytes);
    } catch {
      throw this.malformed(`a text that is not UTF-8 (${length} bytes before byte ${this.offset})`);
    }
  }

  malformed(what: string): LimrError {
    return new LimrError('LIMR_FORMAT', `${this.file}: ${what}`, 'The file is cut or damaged; take it again.');
  }

  private scalar<T>(bytes: number, read: (view: DataView, at: number) => T): T {
    const at = this.take(bytes); // may exchange the view
    return read(this.view, at);
  }

  /** Moves over `bytes` bytes. @returns where they begin in the buffer */
  private take(bytes: number): number {
    if (bytes > this.remaining) {
      throw this.malformed(`it ends within its header, at ${this.size} bytes`);
    }
    if (this.at + bytes > this.buffer.length) this.refill(bytes);
    const begin = this.at;
    this.at += bytes;
    return begin;
  }

  private refill(bytes: number): void {
    const base = this.offset;
    const length = Math.min(this.size - base, Math.max(chunkBytes, bytes));
    const buffer = new Uint8Array(length);
    try {
      for (let done = 0; done < length; ) {
        const read = readSync(this.fd, buffer, done, length - done, base + done);
        if (read === 0) throw this.malformed(`it was cut at ${base + done} bytes while it was read`);
        done += read;
      }
    } catch (error) {
      throw ioError(`cannot read ${this.file}`, error);
    }
    this.buffer = buffer;
    this.view = new DataView(buffer.buffer);
    this.base = base;
    this.at = 0;
  }
}
