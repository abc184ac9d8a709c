/** Text to token ids and back, by a Hugging Face folder's tokenizer.json and tokenizer_config.json. */
import { join } from 'node:path';
import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { LimrError } from '../errors.js';
import { readJson, readTextIfThere } from '../files.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { type ChatMessage, ChatTemplate } from './chat-template.js';
import { checkedTokenizer } from './parts.js';
import { fallbackByte, packTokenBytes, type TokenBytes, type TokenSpelling } from './token-bytes.js';

/** How a text becomes tokens. */
export interface EncodeOptions {
  /** Adds what the tokenizer's post-processor adds, such as Llama's begin-of-text. Chat templates write their own. */
  readonly addSpecialTokens?: boolean;
}

/** How tokens become a text. */
export interface DecodeOptions {
  /** Leaves out end-of-text and the like. Default false. */
  readonly skipSpecialTokens?: boolean;
}

const specialTokenNames = ['bos_token', 'eos_token', 'pad_token', 'unk_token'] as const;

/** The tokenizer of a model folder (tokenizer.json), byte for byte as Hugging Face's. */
export class Tokenizer {
  /** Largest token id + 1. The embedding may have more rows; those ids stand for nothing. */
  readonly numTokens: number;
  readonly eosTokenId: number | undefined;
  readonly chatTemplate: ChatTemplate | undefined;

  private readonly tokenizer: HuggingFaceTokenizer;
  private readonly vocabulary: (string | undefined)[];
  private readonly addedIds: ReadonlySet<number>;
  private readonly specialIds: ReadonlySet<number>;
  private readonly spelling: TokenSpelling;
  private readonly stripsFirstSpace: boolean;
  private readonly missingBytes: ReadonlySet<number>;
  private readonly utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
  private packed: TokenBytes | undefined;

  /**
   * @param tokenizer content of tokenizer.json
   * @param config content of tokenizer_config.json
   * @param folder where they come from, for messages
   * @param templateFile content of chat_template.jinja, which goes before the configuration's own template
   * @throws {LimrError} LIMR_FORMAT, LIMR_UNSUPPORTED
   */
  constructor(tokenizer: Json, config: JsonObject, folder: string, templateFile?: string) {
    const file = join(folder, 'tokenizer.json');
    const checked = checkedTokenizer(withConfiguredTokens(tokenizer, config), file);
    this.tokenizer = construct(checked, config, file);
    const added = checked.added_tokens as readonly { id: number; special?: boolean }[];
    this.addedIds = new Set(added.map(({ id }) => id));
    this.specialIds = new Set(added.filter(({ special }) => special === true).map(({ id }) => id));
    this.vocabulary = [];
    for (const [token, id] of this.tokenizer.get_vocab()) if (token !== undefined) this.vocabulary[id] = token;
    this.numTokens = this.vocabulary.length;
    this.spelling = spellingOf(checked);
    this.stripsFirstSpace = decoderParts(checked).some(({ type, start }) => type === 'Metaspace' || start === 1);
    this.missingBytes = missingBytes(checked, this.spelling, this.vocabulary);

    const special = specialTokens(config);
    const eos = special.eos_token;
    this.eosTokenId = eos === undefined ? undefined : this.idOf(eos);
    const template = templateFile ?? configuredTemplate(config.chat_template);
    if (template !== undefined) this.chatTemplate = new ChatTemplate(template, special, folder);
  }

  /**
   * Reads the tokenizer of a model folder.
   * @param folder a model folder in Hugging Face layout
   * @throws {LimrError} LIMR_IO when a file cannot be read, LIMR_FORMAT, LIMR_UNSUPPORTED
   */
  static async load(folder: string): Promise<Tokenizer> {
    const tokenizer = await readJson(join(folder, 'tokenizer.json'));
    const config = await readJson(join(folder, 'tokenizer_config.json'));
    const template = await readTextIfThere(join(folder, 'chat_template.jinja'));
    if (!isObject(config)) throw new LimrError('LIMR_FORMAT', `${folder}/tokenizer_config.json is not an object`);
    return new Tokenizer(tokenizer, config, folder, template);
  }

  /**
   * @returns token ids; an empty text has none
   * @throws {LimrError} LIMR_UNSUPPORTED for a text with a byte that no token stands for, where there is no unknown token
   */
  encode(text: string, options: EncodeOptions = {}): Int32Array {
    if (this.missingBytes.size > 0) this.refuseMissingBytes(text);
    const { ids } = this.tokenizer.encode(text, { add_special_tokens: options.addSpecialTokens ?? false });
    return Int32Array.from(ids);
  }

  private refuseMissingBytes(text: string): void {
    for (const byte of Buffer.from(text, 'utf8')) {
      if (!this.missingBytes.has(byte)) continue;
      throw new LimrError(
        'LIMR_UNSUPPORTED',
        `no token of the model stands for byte 0x${byte.toString(16).padStart(2, '0')}, which is in ${JSON.stringify(text.slice(0, 80))}`,
        'Leave the character out of the text, or give tokenizer.json an unk_token.',
      );
    }
  }

  /**
   * Text of token ids. Special tokens are kept unless asked otherwise; spaces are never "cleaned up"; bytes that are not
   * UTF-8 become U+FFFD.
   * @throws {LimrError} LIMR_USAGE for an id that is negative, or not whole
   */
  decode(tokens: ArrayLike<number>, options: DecodeOptions = {}): string {
    const skip = options.skipSpecialTokens ?? false;
    const ids = Array.from(tokens).filter((id) => !(skip && this.specialIds.has(id)));
    const bad = ids.find((id) => !Number.isInteger(id) || id < 0);
    if (bad !== undefined) throw new LimrError('LIMR_USAGE', `${bad} is not a token id`);
    const text = this.spelling.kind === 'byte-level' ? this.utf8.decode(this.bytesOf(ids)) : this.decodePieces(ids);
    return this.stripsFirstSpace && text.startsWith(' ') ? text.slice(1) : text;
  }

  /**
   * The text of each token, special ones spelt out; together they are the text. A character of several tokens stands with its last
   * one, and bytes that are not UTF-8 become U+FFFD.
   */
  pieces(tokens: ArrayLike<number>): string[] {
    const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
    const texts = Array.from(tokens, (id) => utf8.decode(this.bytesOf([id]), { stream: true }));
    const rest = utf8.decode();
    return rest === '' ? texts : texts.with(-1, texts.at(-1)! + rest);
  }

  /** The text's bytes, which need not be UTF-8 when the tokens end inside a character. */
  bytesOf(tokens: ArrayLike<number>): Uint8Array {
    const { bytes, offsets } = this.tokenBytes();
    const parts = Array.from(tokens, (id) => bytes.subarray(offsets[id] ?? 0, offsets[id + 1] ?? offsets[id] ?? 0));
    const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let end = 0;
    for (const part of parts) {
      joined.set(part, end);
      end += part.length;
    }
    return joined;
  }

  /** Bytes of every id: byte-level alphabet or byte fallback, added tokens in UTF-8. */
  tokenBytes(): TokenBytes {
    this.packed ??= packTokenBytes(this.vocabulary, (id) => this.addedIds.has(id), this.spelling);
    return this.packed;
  }

  /**
   * The text of a conversation by the model's chat template.
   * @throws {LimrError} LIMR_UNSUPPORTED when the tokenizer has no template
   */
  renderChat(messages: readonly ChatMessage[], addGenerationPrompt = true): string {
    if (this.chatTemplate === undefined) {
      throw new LimrError(
        'LIMR_UNSUPPORTED',
        'the tokenizer has no chat template',
        'Prompts may go without one: --apply-chat-template off.',
      );
    }
    return this.chatTemplate.render(messages, addGenerationPrompt);
  }

  /** Id of a token by its exact spelling in the vocabulary. */
  idOf(token: string): number | undefined {
    return this.tokenizer.token_to_id(token);
  }

  /** True for an id that stands for a token. */
  has(id: number): boolean {
    return this.vocabulary[id] !== undefined;
  }

  /** SentencePiece text: a run of byte tokens that is not UTF-8 becomes one U+FFFD a byte, as in Hugging Face's ByteFallback. */
  private decodePieces(ids: readonly number[]): string {
    const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    let text = '';
    let run: number[] = [];
    const flush = () => {
      try {
        text += strict.decode(Uint8Array.from(run));
      } catch {
        text += '\ufffd'.repeat(run.length);
      }
      run = [];
    };
    for (const id of ids) {
      const byte = this.addedIds.has(id) ? undefined : fallbackByte(this.vocabulary[id] ?? '');
      if (byte !== undefined) run.push(byte);
      else {
        flush();
        text += this.utf8.decode(this.bytesOf([id]));
      }
    }
    flush();
    return text;
  }
}

function construct(tokenizer: JsonObject, config: JsonObject, file: string): HuggingFaceTokenizer {
  try {
    return new HuggingFaceTokenizer(tokenizer, config);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new LimrError('LIMR_FORMAT', `${file}: ${reason}`, 'Take the tokenizer.json that belongs to the model.', {
      cause: error,
    });
  }
}

/** transformers adds the tokens of tokenizer_config.json that tokenizer.json lacks; so do we. */
function withConfiguredTokens(tokenizer: Json, config: JsonObject): Json {
  const configured = config.added_tokens_decoder;
  if (!isObject(tokenizer) || !isObject(configured)) return tokenizer;
  const present = Array.isArray(tokenizer.added_tokens) ? (tokenizer.added_tokens as readonly Json[]) : [];
  const known = new Set(present.map((token) => (isObject(token) ? token.id : undefined)));
  const missing = Object.entries(configured)
    .filter(([id]) => !known.has(Number(id)))
    .map(([id, token]) => ({ ...(isObject(token) ? token : {}), id: Number(id) }));
  return missing.length === 0 ? tokenizer : { ...tokenizer, added_tokens: [...present, ...missing] };
}

function decoderParts(tokenizer: JsonObject): readonly JsonObject[] {
  const decoder = tokenizer.decoder;
  if (!isObject(decoder)) return [];
  return Array.isArray(decoder.decoders) ? (decoder.decoders as readonly Json[]).filter(isObject) : [decoder];
}

function spellingOf(tokenizer: JsonObject): TokenSpelling {
  const parts = decoderParts(tokenizer);
  if (parts.some(({ type }) => type === 'ByteLevel')) return { kind: 'byte-level' };
  const replacements = parts.flatMap((part): (readonly [string, string])[] => {
    if (part.type === 'Metaspace') return [['▁', ' ']];
    if (part.type !== 'Replace' || !isObject(part.pattern)) return [];
    return [[String(part.pattern.String ?? ''), String(part.content ?? '')]];
  });
  return {
    kind: 'sentencepiece',
    byteFallback: parts.some(({ type }) => type === 'ByteFallback'),
    replacements: replacements.filter(([from]) => from !== ''),
  };
}

/** Bytes of UTF-8 whose text would be dropped in silence: no token stands for them, and there is no unknown token. */
function missingBytes(
  tokenizer: JsonObject,
  spelling: TokenSpelling,
  vocabulary: readonly (string | undefined)[],
): ReadonlySet<number> {
  if (isObject(tokenizer.model) && typeof tokenizer.model.unk_token === 'string') return new Set();
  const table = packTokenBytes(vocabulary, () => false, spelling);
  const missing = new Set(Array.from({ length: 0xf5 }, (_, byte) => byte)); // UTF-8 never has the bytes C0, C1 and F5 to FF
  missing.delete(0xc0);
  missing.delete(0xc1);
  for (let id = 0; id < vocabulary.length; ++id) {
    const begin = table.offsets[id]!;
    if (table.offsets[id + 1] === begin + 1) missing.delete(table.bytes[begin]!);
  }
  return missing;
}

function specialTokens(config: JsonObject): Record<string, string> {
  const named: Record<string, string> = {};
  for (const name of specialTokenNames) {
    const token = config[name];
    const content = isObject(token) ? token.content : token;
    if (typeof content === 'string') named[name] = content;
  }
  return named;
}

/** A template is text, or a list of named ones whose "default" is meant. */
function configuredTemplate(template: Json | undefined): string | undefined {
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return undefined;
  const named = (template as readonly Json[]).filter(isObject).find(({ name }) => name === 'default');
  return typeof named?.template === 'string' ? named.template : undefined;
}
