/**
 * Rows of a data set, whatever its format. A format is an entry of `readers`, keyed by file extension. Values are those of JSON, with
 * these conventions where a format knows more: integers beyond 2^53 and decimals are their exact text, times are ISO 8601, bytes
 * are a Uint8Array.
 */
import { extname } from 'node:path';
import { LimrError } from '../errors.js';
import { dataFiles } from './data-files.js';
import { readJsonArray, readJsonLines } from './json-records.js';

export { jsonLineRecords } from './json-records.js';

/** A row of a data set, whatever its format. */
export interface DataRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  /** "file.jsonl:12" or "file.json[12]": what a message calls this row. */
  readonly where: string;
}

type Reader = (file: string) => AsyncIterable<DataRecord>;

/** The binary formats are loaded when the first such file is met. */
const readers: Readonly<Record<string, () => Promise<Reader>>> = {
  '.json': async () => readJsonArray,
  '.jsonl': async () => readJsonLines,
  '.parquet': async () => (await import('./parquet-records.js')).readParquet,
  '.arrow': arrowReader,
  '.arrows': arrowReader,
  '.feather': arrowReader,
};

async function arrowReader(): Promise<Reader> {
  return (await import('./arrow-records.js')).readArrow;
}

/**
 * Rows one after the other. JSON lines, Arrow and Parquet are read piece by piece, so they may be larger than memory.
 * @param path a file: .json (a list of objects), .jsonl (an object a line; blank lines are skipped), .parquet, .arrow; or a folder,
 *   see `dataFiles`
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and row, LIMR_UNSUPPORTED for another extension
 */
export async function* streamRecords(path: string): AsyncGenerator<DataRecord, void, void> {
  let isEmpty = true;
  for (const file of await dataFiles(path)) {
    const read = await readerOf(file);
    for await (const record of read(file)) {
      isEmpty = false;
      yield record;
    }
  }
  if (isEmpty) throw new LimrError('LIMR_FORMAT', `${path} has no rows`, 'Give a file with at least one.');
}

/** All rows of `streamRecords`, at least one. */
export async function readRecords(path: string): Promise<readonly DataRecord[]> {
  const records: DataRecord[] = [];
  for await (const record of streamRecords(path)) records.push(record);
  return records;
}

async function readerOf(file: string): Promise<Reader> {
  const extension = extname(file).toLowerCase();
  const reader = Object.hasOwn(readers, extension) ? readers[extension] : undefined;
  if (reader !== undefined) return reader();
  throw new LimrError(
    'LIMR_UNSUPPORTED',
    `${file}: no reader for ${extension === '' ? 'files without an extension' : `"${extension}" files`}`,
    `Give it as one of ${Object.keys(readers).join(', ')}.`,
  );
}
