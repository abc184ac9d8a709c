/**
 * Which parts of a tokenizer.json this engine reads exactly as Hugging Face's `tokenizers` does. The JavaScript library
 * skips settings that it does not know; here every part and setting is either known to agree, rewritten into parts that
 * agree, or an error.
 */
import { LimrError } from '../errors.js';
import { isObject, type Json, type JsonObject } from '../json.js';

/** GPT-2's split, which `ByteLevel` with `use_regex` stands for; its JavaScript twin disagrees on U+0085 and U+FEFF. */
const gpt2Pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

interface PartRules {
  /** Settings that may be there, each with the values that may be; 'any' takes all. */
  readonly [setting: string]: 'any' | readonly Json[];
}

type PartTable = { readonly [type: string]: PartRules };

const normalizers: PartTable = {
  Sequence: { normalizers: 'any' },
  NFC: {},
  NFD: {},
  NFKC: {},
  NFKD: {},
  Replace: { pattern: 'any', content: 'any' },
  Prepend: { prepend: 'any' },
};

const preTokenizers: PartTable = {
  Sequence: { pretokenizers: 'any' },
  Split: { pattern: 'any', behavior: ['Isolated', 'Removed'], invert: [false] },
  Digits: { individual_digits: [true, false] },
  ByteLevel: { add_prefix_space: [false], trim_offsets: 'any', use_regex: [true, false] },
  Metaspace: { replacement: 'any', prepend_scheme: ['always', 'first', 'never'], split: [false], str_rep: 'any' },
};

const postProcessors: PartTable = {
  Sequence: { processors: 'any' },
  ByteLevel: { add_prefix_space: 'any', trim_offsets: 'any', use_regex: 'any' },
  TemplateProcessing: { single: 'any', pair: 'any', special_tokens: 'any' },
};

const decoders: PartTable = {
  Sequence: { decoders: 'any' },
  ByteLevel: { add_prefix_space: 'any', trim_offsets: 'any', use_regex: 'any' },
  Replace: { pattern: 'any', content: 'any' },
  ByteFallback: {},
  Fuse: {},
  Strip: { content: [' '], start: [0, 1], stop: [0] },
  Metaspace: { replacement: ['▁'], prepend_scheme: 'any', split: 'any', str_rep: 'any', add_prefix_space: 'any' },
};

const model: PartTable = {
  BPE: {
    vocab: 'any',
    merges: 'any',
    unk_token: 'any',
    fuse_unk: 'any',
    byte_fallback: 'any',
    ignore_merges: 'any',
    dropout: [null, 0],
    continuing_subword_prefix: [null, ''],
    end_of_word_suffix: [null, ''],
  },
};

/** The parts that hold other parts, and the setting that lists them. */
const nested: { readonly [role: string]: string } = {
  normalizer: 'normalizers',
  pre_tokenizer: 'pretokenizers',
  post_processor: 'processors',
  decoder: 'decoders',
};

/**
 * @param tokenizer content of a tokenizer.json
 * @param file its path, for messages
 * @returns the same tokenizer with `Digits` and `ByteLevel` pre-tokenizers spelled as splits on Unicode properties
 * @throws {LimrError} LIMR_FORMAT for a malformed file, LIMR_UNSUPPORTED for a part or setting that is not implemented
 */
export function checkedTokenizer(tokenizer: Json, file: string): JsonObject {
  if (!isObject(tokenizer)) throw malformed(file, 'it is not an object');
  const bpe = tokenizer.model;
  if (!isObject(bpe)) throw malformed(file, 'it has no "model"');
  checkPart('model', typeof bpe.type === 'string' ? bpe : { type: 'BPE', ...bpe }, model, file);
  if (!isObject(bpe.vocab)) throw malformed(file, '"model.vocab" is not an object');
  if (!Array.isArray(bpe.merges)) throw malformed(file, '"model.merges" is not a list');
  checkPart('normalizer', tokenizer.normalizer ?? null, normalizers, file);
  checkPart('pre_tokenizer', tokenizer.pre_tokenizer ?? null, preTokenizers, file);
  checkPart('post_processor', tokenizer.post_processor ?? null, postProcessors, file);
  if (tokenizer.decoder === null || tokenizer.decoder === undefined) {
    throw new LimrError(
      'LIMR_UNSUPPORTED',
      `${file}: "decoder" is missing`,
      'Use a tokenizer with a ByteLevel decoder.',
    );
  }
  checkPart('decoder', tokenizer.decoder, decoders, file);
  return {
    ...tokenizer,
    normalizer: tokenizer.normalizer ?? null,
    pre_tokenizer: exactPreTokenizer(tokenizer.pre_tokenizer ?? null),
    post_processor: tokenizer.post_processor ?? null,
    added_tokens: checkedAddedTokens(tokenizer.added_tokens ?? [], file),
  };
}

function checkedAddedTokens(tokens: Json, file: string): readonly JsonObject[] {
  if (!Array.isArray(tokens)) throw malformed(file, '"added_tokens" is not a list');
  return tokens.map((token: Json, index) => {
    if (!isObject(token) || typeof token.content !== 'string' || !Number.isInteger(token.id)) {
      throw malformed(file, `"added_tokens[${index}]" lacks "id" or "content"`);
    }
    if (token.single_word === true) {
      throw unsupported(file, `added token ${JSON.stringify(token.content)} with "single_word": true`);
    }
    return token;
  });
}

function checkPart(role: string, part: Json, table: PartTable, file: string): void {
  if (part === null) return;
  if (!isObject(part) || typeof part.type !== 'string') throw malformed(file, `"${role}" has no "type"`);
  const rules = Object.hasOwn(table, part.type) ? table[part.type] : undefined;
  if (rules === undefined) throw unsupported(file, `${role} "${part.type}"`);
  for (const [setting, value] of Object.entries(part)) {
    if (setting === 'type') continue;
    const allowed = Object.hasOwn(rules, setting) ? rules[setting] : undefined;
    if (allowed === undefined || (allowed !== 'any' && !allowed.includes(value))) {
      throw unsupported(file, `${role} "${part.type}" with "${setting}": ${JSON.stringify(value)}`);
    }
  }
  const list = part.type === 'Sequence' ? part[nested[role] ?? ''] : [];
  if (!Array.isArray(list)) throw malformed(file, `"${role}" of type Sequence has no list of parts`);
  for (const inner of list as readonly Json[]) checkPart(role, inner, table, file);
}

function exactPreTokenizer(part: Json): Json {
  if (!isObject(part)) return part;
  const split = (regex: string) => ({ type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false });
  switch (part.type) {
    case 'Sequence': {
      const parts = part.pretokenizers;
      return { ...part, pretokenizers: Array.isArray(parts) ? parts.map(exactPreTokenizer) : [] };
    }
    case 'Digits': // Rust's char::is_numeric is Nd, Nl and No; JavaScript's \d is 0-9
      return split(part.individual_digits === true ? '\\p{N}' : '\\p{N}+');
    case 'ByteLevel':
      if (part.use_regex === false) return part;
      return { type: 'Sequence', pretokenizers: [split(gpt2Pattern), { ...part, use_regex: false }] };
    default:
      return part;
  }
}

function malformed(file: string, what: string): LimrError {
  return new LimrError('LIMR_FORMAT', `${file}: ${what}`, 'Take the tokenizer.json that belongs to the model.');
}

function unsupported(file: string, what: string): LimrError {
  return new LimrError(
    'LIMR_UNSUPPORTED',
    `${file}: ${what} is not implemented`,
    'Supported are the BPE tokenizers of the Qwen2, Qwen2.5, Qwen3 and Llama families.',
  );
}
