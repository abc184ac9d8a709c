/**
 * The messages of an Arrow file, with their framing checked: the library trusts lengths, and a damaged one can send it into an
 * endless loop. https://arrow.apache.org/docs/format/Columnar.html#serialization-and-interprocess-communication-ipc
 *
 *   message = ff ff ff ff, length of metadata (i32), metadata (a flatbuffer that holds the length of the body), body
 *   stream  = messages, then one of length 0;   file = "ARROW1\0\0", a stream, a footer, "ARROW1"
 */
import type { FileHandle } from 'node:fs/promises';
import { LimrError } from '../errors.js';
import { withIo } from '../files.js';

const fileMagic = Buffer.from('ARROW1');
const prefixBytes = 8;
/** Place of bodyLength among the fields of Message in Arrow's Message.fbs, in its flatbuffer's table of offsets. */
const bodyLengthEntry = 4 + 2 * 3;

/**
 * The bytes of each message, one after the other; together they are a whole IPC stream, of a file too: its footer, an index, is not
 * needed to read from front to back.
 * @throws {LimrError} LIMR_IO; LIMR_FORMAT when the file is cut or no Arrow file
 */
export async function* arrowMessages(handle: FileHandle, file: string): AsyncGenerator<Uint8Array, void, void> {
  const { size } = await withIo(`read ${file}`, () => handle.stat());
  const bytesAt = async (position: number, length: number): Promise<Buffer> => {
    if (length < 0 || position + length > size) throw notWhole(file, 'it ends too early');
    const bytes = Buffer.from(new ArrayBuffer(length)); // aligned, unlike the pool's
    await withIo(`read ${file}`, () => handle.read(bytes, 0, length, position));
    return bytes;
  };
  if (size < prefixBytes) throw notWhole(file, size === 0 ? 'it is empty' : 'it ends too early');
  const isFile = (await bytesAt(0, fileMagic.length)).equals(fileMagic);
  if (isFile && !(await bytesAt(size - fileMagic.length, fileMagic.length)).equals(fileMagic)) {
    throw notWhole(file, 'it ends too early');
  }
  for (let position = isFile ? prefixBytes : 0; ; ) {
    const prefix = await bytesAt(position, prefixBytes);
    const metadataLength = prefix.readInt32LE(4);
    if (prefix.readInt32LE(0) !== -1 || metadataLength < 0) throw notWhole(file, `no message at byte ${position}`);
    if (metadataLength === 0) return void (yield prefix);
    const bodyLength = bodyLengthOf(await bytesAt(position + prefixBytes, metadataLength));
    if (bodyLength === undefined) throw notWhole(file, `a message without a length at byte ${position}`);
    const length = prefixBytes + metadataLength + bodyLength;
    yield await bytesAt(position, length);
    position += length;
  }
}

export const notWhole = (file: string, what: string): LimrError =>
  new LimrError('LIMR_FORMAT', `${file} is not a whole Arrow file: ${what}`, 'Copy the file again, or write it again.');

/** The body's length out of a message's flatbuffer; undefined when the flatbuffer is damaged. */
function bodyLengthOf(metadata: Buffer): number | undefined {
  try {
    const root = metadata.readUInt32LE(0);
    const table = root - metadata.readInt32LE(root);
    if (metadata.readUInt16LE(table) <= bodyLengthEntry) return 0;
    const entry = metadata.readUInt16LE(table + bodyLengthEntry);
    const length = entry === 0 ? 0 : Number(metadata.readBigInt64LE(root + entry));
    return Number.isSafeInteger(length) && length >= 0 ? length : undefined;
  } catch (error) {
    if (error instanceof RangeError) return undefined; // an offset outside of the metadata
    throw error;
  }
}
