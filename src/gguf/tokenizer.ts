/** tokenizer.json and tokenizer_config.json of a GGUF file's tokenizer. */
import type { JsonObject } from '../json.js';
import type { Metadata } from './metadata.js';
import { preTokenizers } from './pre-tokenizers.js';
import { sentencePieceParts } from './sentencepiece.js';

export interface ImportedTokenizer {
  readonly tokenizer: JsonObject;
  readonly config: JsonObject;
  /** Ids for config.json and generation_config.json, those that there are. */
  readonly ids: JsonObject;
  /** What the user should know. */
  readonly notes: readonly string[];
}

/** enum llama_token_type, tokenizer.ggml.token_type. */
const kinds = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 } as const;

const named = (name: string) => `tokenizer.ggml.${name}`;

/** Keys of `tokenizer.` beside the ids of tokens (`*_token_id`), which are all that may be there. */
const knownKeys = new Set(
  ['model', 'pre', 'tokens', 'token_type', 'scores', 'merges', 'token_type_count', 'add_bos_token', 'add_eos_token']
    .concat(['add_sep_token', 'add_space_prefix', 'remove_extra_whitespaces', 'precompiled_charsmap'])
    .map(named)
    .concat('tokenizer.huggingface.json', 'tokenizer.chat_template', 'tokenizer.chat_templates'),
);

/**
 * @param vocabulary rows of the embedding
 * @throws {LimrError} LIMR_FORMAT; LIMR_UNSUPPORTED for a kind of tokenizer that would not be exact
 */
export function importTokenizer(metadata: Metadata, vocabulary: number, contextLength: number): ImportedTokenizer {
  checkKeys(metadata);
  const tokens = metadata.texts(named('tokens')) ?? metadata.missing(named('tokens'));
  if (tokens.length > vocabulary) {
    throw metadata.malformed(named('tokens'), `at most ${vocabulary} tokens, the rows of token_embd.weight`);
  }
  const types = metadata.numbers(named('token_type')) ?? tokens.map(() => kinds.normal);
  if (types.length !== tokens.length)
    throw metadata.malformed(named('token_type'), `${tokens.length} types, one a token`);
  const special = specialTokens(metadata, tokens);
  const model = metadata.text(named('model')) ?? metadata.missing(named('model'));
  const { parts, addBos, notes } = modelParts(metadata, model, tokens, types, special.content.unk_token);
  const template = metadata.text('tokenizer.chat_template');
  return {
    tokenizer: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: addedTokens(tokens, types),
      ...parts,
      post_processor: postProcessor(metadata, addBos, tokens),
    },
    config: {
      tokenizer_class: 'PreTrainedTokenizerFast',
      ...special.content,
      model_max_length: contextLength,
      clean_up_tokenization_spaces: false,
      ...(template === undefined ? {} : { chat_template: template }),
    },
    ids: special.ids,
    notes,
  };
}

function checkKeys(metadata: Metadata): void {
  const isKnown = (key: string) =>
    knownKeys.has(key) || /^tokenizer\.(ggml\.\w+_token_id|chat_template\.\w+)$/.test(key);
  const unknown = metadata.keys().find((key) => key.startsWith('tokenizer.') && !isKnown(key));
  if (unknown === undefined) return;
  throw metadata.unsupported(unknown, 'its absence', 'It may change how text is cut, so it is not ignored.');
}

interface ModelParts {
  readonly parts: JsonObject;
  readonly addBos: boolean;
  readonly notes: readonly string[];
}

function modelParts(
  metadata: Metadata,
  model: string,
  tokens: readonly string[],
  types: readonly number[],
  unknown: string | undefined,
): ModelParts {
  switch (model) {
    case 'gpt2':
      return byteLevelParts(metadata, tokens, types);
    case 'llama':
      return {
        parts: sentencePieceParts(metadata, tokens, types, vocabularyOf(metadata, tokens, types), unknown),
        addBos: true,
        notes: [],
      };
    default:
      throw metadata.unsupported(named('model'), '"gpt2" (byte-level BPE) and "llama" (SentencePiece BPE)');
  }
}

/** Byte-level BPE. Every token is in the vocabulary, control tokens too, so that each keeps its id; the holes of the ids are not. */
function byteLevelParts(metadata: Metadata, tokens: readonly string[], types: readonly number[]): ModelParts {
  const name = metadata.text(named('pre')) ?? 'default';
  const pre = preTokenizers.get(name);
  if (pre === undefined) {
    const known = Array.from(preTokenizers.keys()).join(', ');
    throw metadata.unsupported(named('pre'), known, "Take the model's folder in Hugging Face layout instead.");
  }
  const merges = metadata.texts(named('merges')) ?? metadata.missing(named('merges'));
  const { normalizer, preTokenizer, ignoreMerges, addBos } = pre;
  const vocab = vocabularyOf(metadata, tokens, types);
  const parts = {
    normalizer,
    pre_tokenizer: preTokenizer,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: ignoreMerges,
      vocab,
      merges: merges.map((merge) => {
        const cut = merge.indexOf(' ', 1);
        if (cut > 0) return [merge.slice(0, cut), merge.slice(cut + 1)];
        throw metadata.malformed(
          named('merges'),
          `pairs of tokens with a space between them, not ${JSON.stringify(merge)}`,
        );
      }),
    },
  };
  return { parts, addBos, notes: pre.note === undefined ? [] : [pre.note] };
}

function vocabularyOf(metadata: Metadata, tokens: readonly string[], types: readonly number[]): JsonObject {
  const vocab: Record<string, number> = {};
  for (const [id, token] of tokens.entries()) {
    // Rows of the embedding without a token have this name in a converted model.
    if (types[id] === kinds.unused && token === `[PAD${id}]`) continue;
    if (Object.hasOwn(vocab, token)) {
      throw metadata.malformed(
        named('tokens'),
        `each token once, and ${JSON.stringify(token)} is also ${vocab[token]}`,
      );
    }
    Object.defineProperty(vocab, token, { value: id, enumerable: true });
  }
  return vocab;
}

function addedTokens(tokens: readonly string[], types: readonly number[]): readonly JsonObject[] {
  return tokens.flatMap((content, id): JsonObject[] => {
    const type = types[id];
    const special = type === kinds.control || type === kinds.unknown;
    if (!special && type !== kinds.userDefined) return [];
    return [{ id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special }];
  });
}

/** What is put around a text whose special tokens are asked for. */
function postProcessor(metadata: Metadata, addBosDefault: boolean, tokens: readonly string[]): JsonObject | null {
  const wanted = (name: 'bos' | 'eos', fallback: boolean): readonly number[] => {
    if (!(metadata.flag(named(`add_${name}_token`)) ?? fallback)) return [];
    const id = metadata.integer(named(`${name}_token_id`));
    return id === undefined ? [] : [id];
  };
  const [before, after] = [wanted('bos', addBosDefault), wanted('eos', false)];
  if (before.length + after.length === 0) return null;
  const tokenOf = (id: number) => tokens[id] ?? '';
  const around = (type: number, sequence: string) => [
    ...before.map((id) => ({ SpecialToken: { id: tokenOf(id), type_id: type } })),
    { Sequence: { id: sequence, type_id: type } },
    ...after.map((id) => ({ SpecialToken: { id: tokenOf(id), type_id: type } })),
  ];
  return {
    type: 'TemplateProcessing',
    single: around(0, 'A'),
    pair: [...around(0, 'A'), ...around(1, 'B')],
    special_tokens: Object.fromEntries(
      [...new Set([...before, ...after])].map((id) => [
        tokenOf(id),
        { id: tokenOf(id), ids: [id], tokens: [tokenOf(id)] },
      ]),
    ),
  };
}

/** bos, eos, pad and unk: their texts by Hugging Face's names, and their ids. Turns also end with eot and eom. */
function specialTokens(metadata: Metadata, tokens: readonly string[]) {
  const idOf = (name: string): number | undefined => {
    const key = named(`${name}_token_id`);
    const id = metadata.integer(key);
    if (id === undefined || id < tokens.length) return id;
    throw metadata.malformed(key, `an id below ${tokens.length}, the number of tokens`);
  };
  const ids = { bos: idOf('bos'), eos: idOf('eos'), unk: idOf('unknown'), pad: idOf('padding') };
  const content: Record<string, string> = {};
  for (const [name, id] of Object.entries(ids)) if (id !== undefined) content[`${name}_token`] = tokens[id]!;
  const ends = [...new Set([ids.eos, idOf('eot'), idOf('eom')])].filter((id) => id !== undefined);
  return {
    content,
    ids: {
      ...(ids.bos === undefined ? {} : { bos_token_id: ids.bos }),
      ...(ends.length === 0 ? {} : { eos_token_id: ends.length === 1 ? ends[0]! : ends }),
      ...(ids.pad === undefined ? {} : { pad_token_id: ids.pad }),
    },
  };
}
