/** Prompt sets: questions with their reference answers, as LIMR's files have them. */
import { LimrError } from '../errors.js';
import { type DataRecord, readRecords } from './records.js';

export interface Prompt {
  /** Place in the file, from 0: the key of its random stream. */
  readonly row: number;
  /** The file's id, or the row. Unique within a set unless reported among `duplicateIds`. */
  readonly id: string;
  readonly prompt: string;
  /** Reference answer; may be empty, see `PromptSet.emptyAnswers`. */
  readonly answer: string;
  readonly source?: string;
  readonly level?: string;
  /** The whole row. */
  readonly fields: DataRecord['fields'];
}

export interface PromptSet {
  readonly file: string;
  readonly prompts: readonly Prompt[];
  /** Rows whose prompt text occurred before. They are kept: AIME sets repeat questions on purpose. */
  readonly duplicatePrompts: readonly number[];
  /** Rows whose id occurred before. */
  readonly duplicateIds: readonly number[];
  /** Rows without a reference answer, which no response can match. */
  readonly emptyAnswers: readonly number[];
}

export interface PromptKeys {
  /** Field of the question; default "prompt". */
  readonly inputKey?: string;
  /** Field of the reference answer; default "answer". */
  readonly labelKey?: string;
}

/**
 * Reads a prompt set.
 * @param file .json or .jsonl with the fields id, prompt, answer and, if there, source and level
 * @throws {LimrError} LIMR_IO, LIMR_UNSUPPORTED, LIMR_FORMAT naming file and row
 */
export async function readPrompts(file: string, keys: PromptKeys = {}): Promise<PromptSet> {
  const inputKey = keys.inputKey ?? 'prompt';
  const labelKey = keys.labelKey ?? 'answer';
  const prompts = (await readRecords(file)).map((record, row): Prompt => {
    const source = optionalText(record, 'source');
    const level = optionalText(record, 'level');
    return {
      row,
      id: optionalText(record, 'id') ?? String(row),
      prompt: requiredText(record, inputKey, '--input-key'),
      answer: requiredText(record, labelKey, '--label-key', true),
      ...(source === undefined ? {} : { source }),
      ...(level === undefined ? {} : { level }),
      fields: record.fields,
    };
  });
  return {
    file,
    prompts,
    duplicatePrompts: repeated(prompts, ({ prompt }) => prompt),
    duplicateIds: repeated(prompts, ({ id }) => id),
    emptyAnswers: prompts.filter(({ answer }) => answer.trim() === '').map(({ row }) => row),
  };
}

/** Sentences about what is unusual in a set, for a person; none when nothing is. */
export function promptSetRemarks(set: PromptSet): string[] {
  const remark = (rows: readonly number[], what: string) =>
    rows.length === 0
      ? []
      : [`${set.file}: ${rows.length} of ${set.prompts.length} rows ${what} (first: row ${rows[0]})`];
  return [
    ...remark(set.duplicatePrompts, 'repeat an earlier prompt'),
    ...remark(set.duplicateIds, 'repeat an earlier id'),
    ...remark(set.emptyAnswers, 'have an empty answer, which no response can match'),
  ];
}

function repeated(prompts: readonly Prompt[], key: (prompt: Prompt) => string): number[] {
  const seen = new Set<string>();
  return prompts
    .filter((prompt) => {
      const isRepeat = seen.has(key(prompt));
      seen.add(key(prompt));
      return isRepeat;
    })
    .map(({ row }) => row);
}

/** A field's text; numbers count as text. */
function optionalText({ fields, where }: DataRecord, key: string): string | undefined {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value;
  throw new LimrError('LIMR_FORMAT', `${where}: "${key}" is neither text nor a number`);
}

/** A field's text that must be there; empty only when `mayBeEmpty`. */
function requiredText(record: DataRecord, key: string, flag: string, mayBeEmpty = false): string {
  const text = optionalText(record, key);
  if (text !== undefined && (mayBeEmpty || text.trim() !== '')) return text;
  const present = Object.keys(record.fields);
  throw new LimrError(
    'LIMR_FORMAT',
    `${record.where}: "${key}" is ${text === undefined ? 'missing' : 'empty'}`,
    text === undefined
      ? `Its fields are ${present.join(', ') || 'none'}; choose one with ${flag}.`
      : 'Remove that row.',
  );
}
