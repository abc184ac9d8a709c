/** Token sequences on their way to the native engine: checked against the vocabulary, and packed. */
import { LimrError } from '../errors.js';
import type { NativePacked } from '../native.js';

/** Token ids of a sequence, whole numbers from 0 to the vocabulary's size. */
export type Tokens = ArrayLike<number>;

/** Sequences one after the other. @throws {LimrError} LIMR_SHAPE for more than 2^31 - 1 tokens */
export function packSequences(sequences: readonly Tokens[]): NativePacked {
  const offsets = new Int32Array(sequences.length + 1);
  for (const [index, { length }] of sequences.entries()) {
    const end = offsets[index]! + length;
    if (end > 0x7fffffff) throw new LimrError('LIMR_SHAPE', 'more than 2^31 - 1 tokens in one call', 'Split the call.');
    offsets[index + 1] = end;
  }
  const tokens = new Int32Array(offsets[sequences.length]!);
  for (const [index, sequence] of sequences.entries()) tokens.set(sequence, offsets[index]!);
  return { tokens, offsets };
}

/**
 * @param noun what a message calls one of them, e.g. "prompt"
 * @throws {LimrError} LIMR_USAGE for no sequences, an empty one, or a token id that the model does not have
 */
export function checkSequences(sequences: readonly Tokens[], vocabSize: number, noun: string): void {
  if (sequences.length === 0) throw new LimrError('LIMR_USAGE', `there is no ${noun}`, `Give at least one ${noun}.`);
  for (const [index, sequence] of sequences.entries()) {
    if (sequence.length === 0) {
      throw new LimrError('LIMR_USAGE', `${noun} ${index} is empty`, 'A sequence has at least one token.');
    }
    checkTokenIds(sequence, vocabSize, `${noun} ${index}`);
  }
}

/** @throws {LimrError} LIMR_USAGE naming the first id that is not a whole number in [0, vocabSize) */
export function checkTokenIds(tokens: Tokens, vocabSize: number, where: string): void {
  for (let i = 0; i < tokens.length; ++i) {
    const id = tokens[i]!;
    if (Number.isInteger(id) && id >= 0 && id < vocabSize) continue;
    throw new LimrError(
      'LIMR_USAGE',
      `${where}: token ${i} is ${id}, and the model has the ids 0 to ${vocabSize - 1}`,
      'Tokenize with the tokenizer of the same model.',
    );
  }
}
