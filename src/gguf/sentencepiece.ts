/**
 * SentencePiece BPE ("llama"): pieces with scores, no merges. Hugging Face turns them into merges of every pair of pieces whose joint
 * is a piece, better scores first, which gives the same tokens. Score ranks must be whole numbers: log-probabilities would be those of a
 * unigram model, which GGUF calls by the same name and which is another algorithm.
 * https://github.com/huggingface/transformers/blob/main/src/transformers/tokenization_utils_base.py, generate_merges
 */
import type { JsonObject } from '../json.js';
import type { Metadata } from './metadata.js';

/** The space of SentencePiece, U+2581. */
const space = '\u2581';

/** @returns parts of tokenizer.json. @throws {LimrError} LIMR_FORMAT, LIMR_UNSUPPORTED */
export function sentencePieceParts(
  metadata: Metadata,
  tokens: readonly string[],
  types: readonly number[],
  vocabulary: JsonObject,
  unknown: string | undefined,
): JsonObject {
  refuseNormalisation(metadata);
  const prefix = metadata.flag('tokenizer.ggml.add_space_prefix') ?? true;
  const replace = { type: 'Replace', pattern: { String: ' ' }, content: space };
  const strip = { type: 'Strip', content: ' ', start: 1, stop: 0 };
  return {
    normalizer: {
      type: 'Sequence',
      normalizers: [...(prefix ? [{ type: 'Prepend', prepend: space }] : []), replace],
    },
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: space }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        ...(prefix ? [strip] : []),
      ],
    },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: unknown ?? null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: true,
      byte_fallback: types.includes(6),
      ignore_merges: false,
      vocab: vocabulary,
      merges: mergesOf(tokens, readScores(metadata, tokens, types)),
    },
  };
}

/** Keys under which text would be changed before it is cut. */
function refuseNormalisation(metadata: Metadata): void {
  if (metadata.has('tokenizer.ggml.precompiled_charsmap')) {
    throw metadata.unsupported('tokenizer.ggml.precompiled_charsmap', 'its absence');
  }
  if (metadata.flag('tokenizer.ggml.remove_extra_whitespaces') === true) {
    throw metadata.unsupported('tokenizer.ggml.remove_extra_whitespaces', 'false');
  }
}

/** Scores of the pieces that merges may give, NaN for the others. */
function readScores(metadata: Metadata, tokens: readonly string[], types: readonly number[]): readonly number[] {
  const key = 'tokenizer.ggml.scores';
  const scores = metadata.numbers(key) ?? metadata.missing(key);
  if (scores.length !== tokens.length) throw metadata.malformed(key, `${tokens.length} scores, one a token`);
  const ranks = scores.map((score, id) => (types[id] === 1 || types[id] === 4 ? score : Number.NaN));
  if (ranks.some((rank) => Number.isFinite(rank) && !Number.isInteger(rank))) {
    throw metadata.unsupported(
      key,
      'the ranks of a SentencePiece BPE model',
      'Unigram tokenizers are not implemented.',
    );
  }
  return ranks;
}

interface Merge {
  readonly left: string;
  readonly right: string;
  readonly score: number;
}

function mergesOf(tokens: readonly string[], scores: readonly number[]): readonly (readonly [string, string])[] {
  const vocab = new Map(tokens.map((token, id) => [token, id]));
  const merges: Merge[] = [];
  for (const [id, token] of tokens.entries()) {
    const score = scores[id] ?? Number.NaN;
    if (Number.isNaN(score)) continue;
    const characters = Array.from(token);
    const pairs: Merge[] = [];
    for (let i = 1; i < characters.length; ++i) {
      const [left, right] = [characters.slice(0, i).join(''), characters.slice(i).join('')];
      if (vocab.has(left) && vocab.has(right)) pairs.push({ left, right, score });
    }
    pairs.sort((a, b) => vocab.get(a.left)! - vocab.get(b.left)! || vocab.get(a.right)! - vocab.get(b.right)!);
    merges.push(...pairs);
  }
  const length = (text: string) => Array.from(text).length;
  // Stable, as Python's: pairs alike in all three keep the order of their ids.
  merges.sort((a, b) => b.score - a.score || length(b.left) - length(a.left) || length(b.right) - length(a.right));
  return merges.map(({ left, right }) => [left, right]);
}
