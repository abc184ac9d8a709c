/**
 * How text is cut before merges are made, by the name that GGUF keeps of it (tokenizer.ggml.pre). The models' own tokenizer.json say it
 * exactly; llama.cpp (src/llama-vocab.cpp, llm_tokenizer_bpe) has the list of names.
 */
import type { Json, JsonObject } from '../json.js';

export interface PreTokenizer {
  readonly normalizer: Json;
  readonly preTokenizer: JsonObject;
  /** A word that is a token is not merged out of smaller ones. */
  readonly ignoreMerges: boolean;
  /** Whether a begin-of-text token is added where the file does not say. */
  readonly addBos: boolean;
  /** What the user should know about it. */
  readonly note?: string;
}

const byteLevel = (useRegex: boolean): JsonObject => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
});
const sequence = (...parts: JsonObject[]): JsonObject => ({ type: 'Sequence', pretokenizers: parts });
const split = (regex: string): JsonObject => ({
  type: 'Split',
  pattern: { Regex: regex },
  behavior: 'Isolated',
  invert: false,
});

/** GPT-4's split with digits one by one (Qwen2) or by threes (Llama 3). */
const gpt4Split = (digits: string): string =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;

const plain = { normalizer: null, ignoreMerges: false, addBos: false };

const gpt2: PreTokenizer = { ...plain, preTokenizer: byteLevel(true) };
const singleDigits: PreTokenizer = {
  ...plain,
  preTokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel(true)),
};
const qwen2: PreTokenizer = {
  ...plain,
  normalizer: { type: 'NFC' },
  preTokenizer: sequence(split(gpt4Split('\\p{N}')), byteLevel(false)),
};
const llama3: PreTokenizer = {
  ...plain,
  preTokenizer: sequence(split(gpt4Split('\\p{N}{1,3}')), byteLevel(false)),
  ignoreMerges: true,
  addBos: true,
};

/** llama.cpp's cuts where a file does not say which are the model's. */
const unnamed: PreTokenizer = {
  ...plain,
  preTokenizer: sequence(
    split('[\\p{P}\\$\\+<=>\\^~\\|]+'),
    split("'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)"),
    split('\\p{N}+'),
    split('[0-9][0-9][0-9]'),
    byteLevel(false),
  ),
  note: 'the file does not say how its tokenizer cuts text; it is cut as llama.cpp does then, which may not be as in training',
};

export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map([
  ['default', unnamed],
  ['gpt-2', gpt2],
  ['llama-bpe', llama3],
  ['llama3', llama3],
  ['llama-v3', llama3],
  ['qwen2', qwen2],
  ['smollm', singleDigits],
  ['starcoder', singleDigits],
]);
