/**
 * Rows of a data file, whatever its format. A format is an entry of `readers`, keyed by file extension.
 */
import { extname } from 'node:path';
import { LimrError } from '../errors.js';
import { readText } from '../files.js';
import { jsonErrorOffset, lineOf } from './json-text.js';

export interface DataRecord {
  readonly fields: Readonly<Record<string, unknown>>;
  /** "file.jsonl:12" or "file.json[12]": what a message calls this row. */
  readonly where: string;
}

type Reader = (file: string) => Promise<DataRecord[]>;

const readers: Readonly<Record<string, Reader>> = { '.json': readJsonArray, '.jsonl': readJsonLines };

/**
 * @param file a .json file (a list of objects) or a .jsonl file (an object a line; blank lines are skipped)
 * @returns at least one row, in the file's order
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and line, LIMR_UNSUPPORTED for another extension
 */
export async function readRecords(file: string): Promise<readonly DataRecord[]> {
  const extension = extname(file).toLowerCase();
  const reader = Object.hasOwn(readers, extension) ? readers[extension] : undefined;
  if (reader === undefined) {
    throw new LimrError(
      'LIMR_UNSUPPORTED',
      `${file}: no reader for ${extension === '' ? 'files without an extension' : `"${extension}" files`}`,
      `Give it as one of ${Object.keys(readers).join(', ')}.`,
    );
  }
  const records = await reader(file);
  if (records.length === 0) throw new LimrError('LIMR_FORMAT', `${file} has no rows`, 'Give a file with at least one.');
  return records;
}

async function readJsonArray(file: string): Promise<DataRecord[]> {
  const text = await readText(file);
  if (text.trim() === '') return [];
  const content = parse(text, () => `${file}:${lineOf(text, jsonErrorOffset(text))}`);
  if (!Array.isArray(content)) {
    throw new LimrError('LIMR_FORMAT', `${file} is not a list of objects`, 'For one object a line, name it .jsonl.');
  }
  return content.map((value: unknown, index) => record(value, `${file}[${index}]`));
}

async function readJsonLines(file: string): Promise<DataRecord[]> {
  const lines = (await readText(file)).split('\n');
  return lines.flatMap((line, index) => {
    const where = `${file}:${index + 1}`;
    return line.trim() === ''
      ? []
      : [
          record(
            parse(line, () => where),
            where,
          ),
        ];
  });
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
