/** Scores of prompts in files, in the form of LIMR's scores.json. */
import { extname } from 'node:path';
import { readRecords } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import { writeDurably } from '../files.js';

/** A score and what it belongs to; at least one of id and prompt. */
export interface ScoredPrompt {
  readonly id?: string;
  readonly prompt?: string;
  readonly score: number;
}

const rowForm = 'Rows are {"prompt": "...", "score": 0.61} or {"id": "...", "score": 0.61}, as in LIMR\'s scores.json.';

/**
 * Reads a list of {prompt, score} or {id, score}; prompts are stripped.
 * @param file .json or .jsonl
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and row, LIMR_UNSUPPORTED
 */
export async function readScores(file: string): Promise<readonly ScoredPrompt[]> {
  return (await readRecords(file)).map(({ fields: { id, prompt, score }, where }) => {
    if (typeof score !== 'number' || !Number.isFinite(score)) {
      throw new LimrError('LIMR_FORMAT', `${where}: "score" is ${JSON.stringify(score)}, expected a number`, rowForm);
    }
    const names = {
      ...(typeof id === 'string' || typeof id === 'number' ? { id: String(id) } : {}),
      ...(typeof prompt === 'string' ? { prompt: prompt.trim() } : {}),
    };
    if (Object.keys(names).length > 0) return { ...names, score };
    throw new LimrError('LIMR_FORMAT', `${where} has neither "id" nor "prompt"`, rowForm);
  });
}

/**
 * Writes rows as a list (.json) or one a line (.jsonl); the file appears whole or not at all.
 * @throws {LimrError} LIMR_UNSUPPORTED for another extension, or for bytes in a row; LIMR_IO
 */
export async function writeRows(file: string, rows: readonly object[]): Promise<void> {
  const extension = checkRowsFile(file);
  const text = (value: unknown, indent?: number) => JSON.stringify(value, refuseBytes, indent);
  await writeDurably(file, extension === '.json' ? `${text(rows, 4)}\n` : rows.map((row) => `${text(row)}\n`).join(''));
}

/** JSON would have an object of numbers in their stead. */
function refuseBytes(name: string, value: unknown): unknown {
  if (!(value instanceof Uint8Array)) return value;
  throw new LimrError(
    'LIMR_UNSUPPORTED',
    `field "${name}" holds bytes, which JSON has not`,
    'Take that column out of the data set first.',
  );
}

/** @returns its extension. @throws {LimrError} LIMR_UNSUPPORTED when `writeRows` could not write it */
export function checkRowsFile(file: string): string {
  const extension = extname(file).toLowerCase();
  if (extension === '.json' || extension === '.jsonl') return extension;
  throw new LimrError(
    'LIMR_UNSUPPORTED',
    `${file}: rows go into .json or .jsonl files`,
    'Name it kept.json or kept.jsonl.',
  );
}
