/** Rows of Parquet files, a row group at a time. */
import { type FileHandle, open } from 'node:fs/promises';
import {
  type AsyncBuffer,
  type FileMetaData,
  type ParquetParsers,
  parquetMetadataAsync,
  parquetReadObjects,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { LimrError } from '../errors.js';
import { withIo } from '../files.js';
import { dateText, decimalText, exactInteger, timeText } from './exact-values.js';
import type { DataRecord } from './records.js';

const msPerDay = 86_400_000;
/** PAR1, the footer's length, PAR1. */
const fewestBytes = 12;
const parsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (ms) => timeText(Number(ms)),
  timestampFromMicroseconds: (us) => timeText(Number(us / 1000n)),
  timestampFromNanoseconds: (ns) => timeText(Number(ns / 1_000_000n)),
  dateFromDays: (days) => dateText(days * msPerDay),
};

/** @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and row, LIMR_UNSUPPORTED for a codec or encoding that the library lacks */
export async function* readParquet(file: string): AsyncGenerator<DataRecord, void, void> {
  const handle = await withIo(`read ${file}`, () => open(file, 'r'));
  let row = 0;
  try {
    const buffer = await asyncBuffer(handle, file);
    const metadata = await parquetMetadataAsync(buffer, { geoparquet: false });
    const scales = takeDecimals(metadata);
    for (const group of metadata.row_groups) {
      const rowEnd = row + Number(group.num_rows);
      const rows = await parquetReadObjects({
        file: buffer,
        metadata,
        rowStart: row,
        rowEnd,
        compressors,
        parsers,
        utf8: false,
        geoparquet: false,
      });
      if (rows.length !== rowEnd - row) throw corrupt(file, `${rows.length} rows of ${rowEnd - row} (from row ${row})`);
      for (const values of rows) {
        const entries = Object.entries(values).map(([name, value]) => [name, plain(value, scales.get(name))]);
        yield { fields: Object.fromEntries(entries), where: `${file}[${row}]` };
        row += 1;
      }
    }
  } catch (error) {
    throw parquetError(file, row, error);
  } finally {
    await handle.close();
  }
}

async function asyncBuffer(handle: FileHandle, file: string): Promise<AsyncBuffer> {
  const { size } = await withIo(`read ${file}`, () => handle.stat());
  if (size < fewestBytes) throw corrupt(file, size === 0 ? 'it is empty' : 'it ends too early');
  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    if (!(start >= 0 && start <= end && end <= size)) throw corrupt(file, `it points outside of its ${size} bytes`);
    const bytes = new Uint8Array(end - start);
    const { bytesRead } = await withIo(`read ${file}`, () => handle.read(bytes, 0, bytes.length, start));
    if (bytesRead !== bytes.length) throw corrupt(file, 'it grew shorter while it was read');
    return bytes.buffer;
  };
  return {
    byteLength: size,
    slice: (start, end = size) => {
      const bytes = read(start, end);
      bytes.catch(() => {}); // the library asks for all columns before it awaits the first
      return bytes;
    },
  };
}

/**
 * The library computes decimals in floating point. So their columns are read as the integers that they are stored as.
 * @returns their scales, by name of the column
 */
function takeDecimals({ schema }: FileMetaData): ReadonlyMap<string, number> {
  const scales = new Map<string, number>();
  for (const element of schema) {
    if (element.converted_type !== 'DECIMAL' || element.num_children !== undefined) continue;
    scales.set(element.name, element.scale ?? 0);
    delete element.converted_type;
    delete element.logical_type;
  }
  return scales;
}

function plain(value: unknown, scale?: number): unknown {
  if (value === undefined || value === null) return null;
  if (scale !== undefined && !Array.isArray(value)) return decimalText(storedInteger(value), scale);
  if (typeof value === 'bigint') return exactInteger(value);
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return value.map((item) => plain(item, scale));
  if (typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, plain(item)]));
}

/** A decimal's digits: an integer, or bytes in two's complement, the most significant first. */
function storedInteger(value: unknown): bigint {
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  const unsigned = value.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * value.length, unsigned);
}

const corrupt = (file: string, what: string): LimrError =>
  new LimrError(
    'LIMR_FORMAT',
    `${file} is not a whole Parquet file: ${what}`,
    'Copy the file again, or write it again.',
  );

function parquetError(file: string, row: number, error: unknown): LimrError {
  if (error instanceof LimrError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  if (/unsupported|not supported|encrypt/i.test(reason)) {
    const hint = 'Write it with another encoding or codec (snappy, zstd, gzip), or as .jsonl.';
    return new LimrError('LIMR_UNSUPPORTED', `${file}: ${reason} (from row ${row})`, hint, { cause: error });
  }
  return corrupt(file, `${reason} (from row ${row})`);
}
