/** Rows that hold token ids instead of text. */
import { checkTokenIds } from '../engine/sequences.js';
import { LimrError } from '../errors.js';
import type { DataRecord } from './records.js';

/**
 * @returns the ids of the row's field "tokens"; undefined when it has none, and so holds text
 * @throws {LimrError} LIMR_FORMAT when "tokens" is not a list of numbers; LIMR_USAGE for an id that the vocabulary lacks
 */
export function tokensOf({ fields, where }: DataRecord, vocabSize: number): readonly number[] | undefined {
  if (!Object.hasOwn(fields, 'tokens')) return undefined;
  const { tokens } = fields;
  if (!Array.isArray(tokens) || !tokens.every((id): id is number => typeof id === 'number')) {
    throw new LimrError('LIMR_FORMAT', `${where}: "tokens" is not a list of token ids`);
  }
  checkTokenIds(tokens, vocabSize, where);
  return tokens;
}
