/** Rows of Arrow files, IPC streams (as `datasets` saves them) and IPC files alike, a record batch at a time. */
import { type FileHandle, open } from 'node:fs/promises';
import { CompressionType, compressionRegistry, type Data, type RecordBatch, RecordBatchReader } from 'apache-arrow';
import { decompressZstd } from 'hyparquet-compressors';
import { LimrError } from '../errors.js';
import { withIo } from '../files.js';
import { converterOf, dataProblem } from './arrow-values.js';
import type { DataRecord } from './records.js';

compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => decompressZstd(data).slice() });

/** Begins and ends an IPC file. */
const fileMagic = Buffer.from('ARROW1');
/** Ends an IPC stream: no further message. */
const streamEnd = Buffer.from([0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]);

/** @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and row, LIMR_UNSUPPORTED for a type or codec that the library lacks */
export async function* readArrow(file: string): AsyncGenerator<DataRecord, void, void> {
  const handle = await withIo(`read ${file}`, () => open(file, 'r'));
  let row = 0;
  try {
    await checkEnding(handle, file);
    const reader = await RecordBatchReader.from(handle);
    for await (const batch of reader) {
      for (const fields of batchRows(batch, file, row)) {
        yield { fields, where: `${file}[${row}]` };
        row += 1;
      }
    }
  } catch (error) {
    throw arrowError(file, row, error);
  } finally {
    await handle.close();
  }
}

function* batchRows(batch: RecordBatch, file: string, firstRow: number): Generator<Readonly<Record<string, unknown>>> {
  const columns = batch.schema.fields.map(({ name, type }, i) => {
    const problem = dataProblem(batch.data.children[i] as Data);
    if (problem !== undefined) throw corrupt(file, `column "${name}" from row ${firstRow}: ${problem}`);
    return { name, column: batch.getChildAt(i), convert: converterOf(type) };
  });
  for (let i = 0; i < batch.numRows; ++i) {
    yield Object.fromEntries(columns.map(({ name, column, convert }) => [name, convert(column?.get(i))]));
  }
}

/** A file that was cut has lost its end; one that was cut between two messages would otherwise just look shorter. */
async function checkEnding(handle: FileHandle, file: string): Promise<void> {
  await withIo(`read ${file}`, async () => {
    const { size } = await handle.stat();
    const bytesAt = async (position: number, length: number) => {
      const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - position)));
      await handle.read(bytes, 0, bytes.length, position);
      return bytes;
    };
    const isFile = (await bytesAt(0, fileMagic.length)).equals(fileMagic);
    const end = isFile ? fileMagic : streamEnd;
    if (size > 0 && (await bytesAt(Math.max(0, size - end.length), end.length)).equals(end)) return;
    throw corrupt(file, size === 0 ? 'it is empty' : 'it ends too early, or is no Arrow file');
  });
}

const corrupt = (file: string, what: string): LimrError =>
  new LimrError('LIMR_FORMAT', `${file} is not a whole Arrow file: ${what}`, 'Copy the file again, or write it again.');

function arrowError(file: string, row: number, error: unknown): LimrError {
  if (error instanceof LimrError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/not implemented|unrecognized type|codec|compress/i.test(reason)) {
    const hint = 'Write it without compression and with plain types, or as Parquet or .jsonl.';
    return new LimrError('LIMR_UNSUPPORTED', `${file}: ${reason} (from row ${row})`, hint, { cause: error });
  }
  return corrupt(file, `${reason} (from row ${row})`);
}
