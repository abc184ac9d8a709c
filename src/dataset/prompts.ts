/** Prompt sets: questions with their reference answers, as LIMR's files have them. */
import { LimrError } from '../errors.js';
import type { ChatMessage } from '../tokenizer/chat-template.js';
import { conversationOf, questionOf } from './conversation.js';
import { fieldOf, missingField, optionalText } from './fields.js';
import { type DataRecord, readRecords } from './records.js';

/** A question of a data set, with what is known of it. */
export interface Prompt {
  /** Place in the file, from 0: the key of its random stream. */
  readonly row: number;
  /** The file's id, or the row. Unique within a set unless reported among `duplicateIds`. */
  readonly id: string;
  /** The question; of a conversation the user's last message. */
  readonly prompt: string;
  /** The whole conversation, where the data set has one. */
  readonly messages?: readonly ChatMessage[];
  /** Reference answer; may be empty, see `PromptSet.emptyAnswers`. */
  readonly answer: string;
  readonly source?: string;
  readonly level?: string;
  /** The whole row. */
  readonly fields: DataRecord['fields'];
}

/** The questions of a file in its order, and what is unusual about them. Rows are counted from 0. */
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

/** Which fields of a row hold question and answer. */
export interface PromptKeys {
  /** Field of the question, a text or a list of chat messages; default "prompt". Dots lead into objects. */
  readonly inputKey?: string;
  /** Field of the reference answer; default "answer". */
  readonly labelKey?: string;
}

/**
 * Reads a prompt set.
 * @param file a data set (see `streamRecords`) with the fields id, prompt, answer and, if there, source and level
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
      ...questionFields(record, inputKey),
      answer: answerText(record, labelKey),
      ...(source === undefined ? {} : { source }),
      ...(level === undefined ? {} : { level }),
      fields: record.fields,
    };
  });
  return {
    file,
    prompts,
    duplicatePrompts: repeated(prompts, ({ prompt, messages }) => JSON.stringify(messages ?? prompt)),
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

function questionFields(record: DataRecord, key: string): Pick<Prompt, 'prompt' | 'messages'> {
  const value = fieldOf(record, key);
  const messages = Array.isArray(value) ? conversationOf(value, `${record.where}: "${key}"`) : undefined;
  const prompt = messages === undefined ? optionalText(record, key, '--input-key') : questionOf(messages);
  if (prompt === undefined) throw missingField(record, key, '--input-key');
  if (prompt.trim() === '') {
    throw new LimrError('LIMR_FORMAT', `${record.where}: "${key}" is empty`, 'Remove that row.');
  }
  return messages === undefined ? { prompt } : { prompt, messages };
}

/** The reference answer; it may be empty. */
function answerText(record: DataRecord, key: string): string {
  const answer = optionalText(record, key, '--label-key');
  if (answer === undefined) throw missingField(record, key, '--label-key');
  return answer;
}
