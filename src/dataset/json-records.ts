/** Rows of JSON: a list of objects in one file, or an object a line. */
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { formatBytes } from '../bytes.js';
import { LimrError } from '../errors.js';
import { ioError, withIo } from '../files.js';
import { exactIntegers, jsonErrorOffset, lineOf } from './json-text.js';
import type { DataRecord } from './records.js';

/** A list has to be in memory as a whole; V8 has no longer strings. */
const maxListBytes = 512 * 1024 * 1024;

/** Rows of a .json file, a list of objects. @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED for one that is too large */
export async function* readJsonArray(file: string): AsyncGenerator<DataRecord, void, void> {
  const { size } = await withIo(`read ${file}`, () => stat(file));
  if (size >= maxListBytes) {
    throw new LimrError(
      'LIMR_UNSUPPORTED',
      `${file} has ${formatBytes(size)}, and a list of objects has to be read as a whole`,
      'Give it as .jsonl (an object a line), Parquet or Arrow, which are read piece by piece.',
    );
  }
  const text = decoded(
    new TextDecoder('utf-8', { fatal: true }),
    await withIo(`read ${file}`, () => readFile(file)),
    file,
  );
  if (text.trim() === '') return;
  const content = parse(
    text,
    () => `${file}:${lineOf(text, jsonErrorOffset(text))}`,
    text.trimStart()[0] === '{' ? linesHint : '',
  );
  if (!Array.isArray(content)) {
    throw new LimrError('LIMR_FORMAT', `${file} is not a list of objects`, linesHint);
  }
  for (const [index, value] of content.entries()) yield record(value, `${file}[${index}]`);
}

/** Rows of a .jsonl file, read as a stream. @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and line */
export async function* readJsonLines(file: string): AsyncGenerator<DataRecord, void, void> {
  yield* jsonLineRecords(utf8Chunks(file), file);
}

/** A file's text, without its byte-order mark. @throws {LimrError} LIMR_FORMAT when it is no UTF-8 */
async function* utf8Chunks(file: string): AsyncGenerator<string, void, void> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) {
    yield decoded(decoder, chunk as Uint8Array, file, true);
  }
  yield decoded(decoder, new Uint8Array(), file);
}

/** Other bytes would become replacement characters without a word. */
function decoded(decoder: TextDecoder, bytes: Uint8Array, file: string, stream = false): string {
  try {
    return decoder.decode(bytes, { stream });
  } catch {
    throw new LimrError('LIMR_FORMAT', `${file} is not UTF-8 text`, 'Save it as UTF-8, as with iconv -t utf-8.');
  }
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

/** @param hint what to do when it is no JSON; "" = as the place tells */
function parse(text: string, where: () => string, hint = ''): unknown {
  try {
    return JSON.parse(exactIntegers(text));
  } catch {
    const offset = jsonErrorOffset(text);
    const rest = text.slice(offset, offset + 24);
    const found = offset >= text.trimEnd().length ? 'it ends too early' : `at ${JSON.stringify(rest)}`;
    throw new LimrError('LIMR_FORMAT', `${where()}: malformed JSON, ${found}`, hint || syntaxHint(text, rest));
  }
}

const linesHint = 'For one object a line, name it .jsonl.';

/** @param rest what stands where JSON ends */
function syntaxHint(text: string, rest: string): string {
  if (/^-?(NaN|Infinity)/.test(rest)) return 'JSON has no NaN and no Infinity: write null.';
  if (text.trim() === '[') return 'A list over several lines is named .json; in .jsonl every line is an object.';
  return 'Mend that line.';
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
