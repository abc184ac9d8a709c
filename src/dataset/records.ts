/**
 * Rows of a data file, whatever its format. A format is an entry of `readers`, keyed by file extension.
 */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { LimrError } from '../errors.js';
import { ioError, readText, withIo } from '../files.js';
import { jsonErrorOffset, lineOf } from './json-text.js';

export interface DataRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  /** "file.jsonl:12" or "file.json[12]": what a message calls this row. */
  readonly where: string;
}

type Reader = (file: string) => AsyncIterable<DataRecord>;

const readers: Readonly<Record<string, Reader>> = { '.json': readJsonArray, '.jsonl': readJsonLines };

/**
 * Rows one after the other; a .jsonl file is read as a stream, so it may be larger than memory.
 * @param file a .json file (a list of objects) or a .jsonl file (an object a line; blank lines are skipped)
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and line, LIMR_UNSUPPORTED for another extension
 */
export async function* streamRecords(file: string): AsyncGenerator<DataRecord, void, void> {
  if ((await withIo(`read ${file}`, () => stat(file))).isDirectory()) {
    throw new LimrError('LIMR_IO', `cannot read ${file}: it is a folder`, 'Name a file in it.');
  }
  const extension = extname(file).toLowerCase();
  const reader = Object.hasOwn(readers, extension) ? readers[extension] : undefined;
  if (reader === undefined) {
    throw new LimrError(
      'LIMR_UNSUPPORTED',
      `${file}: no reader for ${extension === '' ? 'files without an extension' : `"${extension}" files`}`,
      `Give it as one of ${Object.keys(readers).join(', ')}.`,
    );
  }
  let isEmpty = true;
  for await (const record of reader(file)) {
    isEmpty = false;
    yield record;
  }
  if (isEmpty) throw new LimrError('LIMR_FORMAT', `${file} has no rows`, 'Give a file with at least one.');
}

/** All rows of `streamRecords`, at least one. */
export async function readRecords(file: string): Promise<readonly DataRecord[]> {
  const records: DataRecord[] = [];
  for await (const record of streamRecords(file)) records.push(record);
  return records;
}

async function* readJsonArray(file: string): AsyncGenerator<DataRecord> {
  const text = await readText(file);
  if (text.trim() === '') return;
  const content = parse(text, () => `${file}:${lineOf(text, jsonErrorOffset(text))}`);
  if (!Array.isArray(content)) {
    throw new LimrError('LIMR_FORMAT', `${file} is not a list of objects`, 'For one object a line, name it .jsonl.');
  }
  for (const [index, value] of content.entries()) yield record(value, `${file}[${index}]`);
}

async function* readJsonLines(file: string): AsyncGenerator<DataRecord> {
  const chunks = createReadStream(file, { encoding: 'utf8', highWaterMark: 1 << 20 });
  yield* jsonLineRecords(chunks, file);
}

/**
 * Rows of JSON lines as they come: an object a line; blank lines are skipped.
 * @param chunks of text, cut anywhere, such as a file's or stdin's stream
 * @param name what messages call it
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT with name and line
 */
export async function* jsonLineRecords(
  chunks: AsyncIterable<string>,
  name: string,
): AsyncGenerator<DataRecord, void, void> {
  let number = 0;
  for await (const line of lines(chunks, name)) {
    number += 1;
    if (line.trim() === '') continue;
    const where = `${name}:${number}`;
    yield record(
      parse(line, () => where),
      where,
    );
  }
}

/** Lines that end in "\n" alone: JSON may hold U+2028, at which node:readline would cut. */
async function* lines(chunks: AsyncIterable<string>, name: string): AsyncGenerator<string> {
  let rest = '';
  let isFirst = true;
  try {
    for await (const chunk of chunks) {
      const text: string = isFirst && chunk.startsWith('\ufeff') ? chunk.slice(1) : chunk;
      isFirst = false;
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      yield* parts;
    }
  } catch (error) {
    throw ioError(`cannot read ${name}`, error);
  }
  if (rest !== '') yield rest;
}

function parse(text: string, where: () => string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const offset = jsonErrorOffset(text);
    const found =
      offset >= text.trimEnd().length ? 'it ends too early' : `at ${JSON.stringify(text.slice(offset, offset + 24))}`;
    throw new LimrError('LIMR_FORMAT', `${where()}: malformed JSON, ${found}`, 'Mend that line.');
  }
}

function record(value: unknown, where: string): DataRecord {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new LimrError(
      'LIMR_FORMAT',
      `${where} is not an object`,
      'Every row is an object such as {"prompt": "..."}.',
    );
  }
  return { fields: value as Record<string, unknown>, where };
}
