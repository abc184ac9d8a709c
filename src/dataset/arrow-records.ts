/** Rows of Arrow files, IPC streams (as `datasets` saves them) and IPC files alike, a record batch at a time. */
import { open } from 'node:fs/promises';
import { CompressionType, compressionRegistry, type Data, type RecordBatch, RecordBatchReader } from 'apache-arrow';
import { decompressZstd } from 'hyparquet-compressors';
import { LimrError } from '../errors.js';
import { withIo } from '../files.js';
import { arrowMessages, notWhole } from './arrow-messages.js';
import { converterOf, dataProblem } from './arrow-values.js';
import { decompressLz4Frame } from './lz4-frame.js';
import type { DataRecord } from './records.js';

compressionRegistry.set(CompressionType.LZ4_FRAME, { decode: decompressLz4Frame });
compressionRegistry.set(CompressionType.ZSTD, { decode: (data) => decompressZstd(data).slice() });

/** @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and row, LIMR_UNSUPPORTED for a type or codec that the library lacks */
export async function* readArrow(file: string): AsyncGenerator<DataRecord, void, void> {
  const handle = await withIo(`read ${file}`, () => open(file, 'r'));
  let row = 0;
  try {
    const reader = await RecordBatchReader.from(arrowMessages(handle, file));
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
    if (problem !== undefined) throw notWhole(file, `column "${name}" from row ${firstRow}: ${problem}`);
    return { name, column: batch.getChildAt(i), convert: converterOf(type) };
  });
  for (let i = 0; i < batch.numRows; ++i) {
    yield Object.fromEntries(columns.map(({ name, column, convert }) => [name, convert(column?.get(i))]));
  }
}

function arrowError(file: string, row: number, error: unknown): LimrError {
  if (error instanceof LimrError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/not implemented|unrecognized type|codec not found/i.test(reason)) {
    const hint = 'Write it with plain types, or as Parquet or .jsonl.';
    return new LimrError('LIMR_UNSUPPORTED', `${file}: ${reason} (from row ${row})`, hint, { cause: error });
  }
  return notWhole(file, `${reason} (from row ${row})`);
}
