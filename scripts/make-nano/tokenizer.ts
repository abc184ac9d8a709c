/**
 * limr-nano's tokenizer: one token a byte, so that every text survives encoding and every digit is a token of its own.
 * In the terms of tokenizer.json it is byte-level BPE (GPT-2's alphabet) without merges, plus four whole pieces.
 */

/** Ids 256 and on, in this order. `\boxed{` is text like any other, only shorter; the rest are control tokens. */
const pieces = [
  { content: '<|endoftext|>', special: true },
  { content: '<|im_start|>', special: true },
  { content: '<|im_end|>', special: true },
  { content: '\\boxed{', special: false },
] as const;

/** 260 tokens, padded to a multiple of 32. */
export const vocabSize = 288;
export const eosTokenId = 256;

/**
 * The printable character that stands for each byte in byte-level BPE: itself where it is printable in Latin-1, else
 * the next free code point from 256 on (openai/gpt-2, src/encoder.py, bytes_to_unicode).
 */
function byteAlphabet(): string[] {
  const isPrintable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(isPrintable(byte) ? byte : next++));
}

/** The content of tokenizer.json, in the layout of the Rust library `tokenizers`. */
export function tokenizerJson(): object {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: pieces.map(({ content, special }, i) => ({
      id: 256 + i,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special,
    })),
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: null,
    decoder: byteLevel,
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(byteAlphabet().map((character, byte) => [character, byte])),
      merges: [],
    },
  };
}

/** The content of tokenizer_config.json. There is no chat template: a prompt is plain text. */
export function tokenizerConfig(maxLength: number): object {
  return {
    tokenizer_class: 'PreTrainedTokenizerFast',
    add_bos_token: false,
    add_prefix_space: false,
    bos_token: null,
    clean_up_tokenization_spaces: false,
    eos_token: '<|endoftext|>',
    errors: 'replace',
    model_max_length: maxLength,
    pad_token: '<|endoftext|>',
    unk_token: null,
    added_tokens_decoder: Object.fromEntries(
      pieces.map(({ content, special }, i) => [
        `${256 + i}`,
        { content, lstrip: false, normalized: false, rstrip: false, single_word: false, special },
      ]),
    ),
  };
}

/** Number of tokens of a text: its UTF-8 bytes, a whole piece counting once. */
export function numTokens(text: string): number {
  let count = Buffer.byteLength(text);
  for (const { content } of pieces) count -= (text.split(content).length - 1) * (content.length - 1);
  return count;
}
