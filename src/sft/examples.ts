/** Examples to learn from, as tokens in one array: 20 million of them are 80 MB. */
import { askingTokens } from '../dataset/asking.js';
import { type DataRecord, streamRecords } from '../dataset/records.js';
import { tokensOf } from '../dataset/token-rows.js';
import { LimrError } from '../errors.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { SftConfig } from './config.js';

/** S examples. */
export interface ExampleSet {
  /** All tokens, one example after the other. */
  readonly tokens: Int32Array;
  /** [S + 1] */
  readonly offsets: Int32Array;
  /** [S] Index into `tokens` of the first one whose loss counts; never the first of its example. */
  readonly lossStarts: Int32Array;
  /** Longer ones that were left out. */
  readonly numDropped: number;
}

/** How examples become tokens. */
export interface ReadExamplesOptions {
  readonly config: SftConfig;
  /** undefined: only {"tokens": [...]} can be read. */
  readonly tokenizer: Tokenizer | undefined;
  readonly vocabSize: number;
  /** Token that ends a response or a text. */
  readonly eosTokenId: number | undefined;
  /** Tokens of an example, at most. */
  readonly maxLen: number;
  /** Told of examples and tokens read so far. */
  readonly onProgress?: (examples: number, tokens: number) => void;
}

/** What one row becomes: its tokens, and how many at their start are not learned. */
interface Example {
  readonly tokens: ArrayLike<number>;
  readonly promptLength: number;
}

const progressEvery = 10_000;

/**
 * Reads rows {prompt, response}, {text} or {tokens}. A response or text ends with the end-of-text token; tokens stay as they are.
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT naming file and line; LIMR_USAGE for an example that is too long
 */
export async function readExamples(file: string, options: ReadExamplesOptions): Promise<ExampleSet> {
  const { config, maxLen, onProgress } = options;
  const tokens = new GrowingInt32();
  const offsets = new GrowingInt32();
  const lossStarts = new GrowingInt32();
  let numDropped = 0;
  offsets.push(0);
  for await (const record of streamRecords(file)) {
    const example = readExample(record, options);
    const { length } = example.tokens;
    if (length > maxLen) {
      if (config.longExamples === 'error') throw tooLong(record, length, maxLen);
      numDropped += 1;
      continue;
    }
    if (length < 2)
      throw new LimrError('LIMR_FORMAT', `${record.where}: an example needs two tokens, it has ${length}`);
    lossStarts.push(tokens.length + Math.max(1, config.trainOnPrompt ? 1 : example.promptLength));
    tokens.append(example.tokens);
    offsets.push(tokens.length);
    if (lossStarts.length % progressEvery === 0) onProgress?.(lossStarts.length, tokens.length);
  }
  if (lossStarts.length === 0) {
    throw new LimrError(
      'LIMR_FORMAT',
      `${file}: all ${numDropped} examples exceed ${maxLen} tokens`,
      'Raise --max-len.',
    );
  }
  onProgress?.(lossStarts.length, tokens.length);
  return { tokens: tokens.values(), offsets: offsets.values(), lossStarts: lossStarts.values(), numDropped };
}

function readExample(record: DataRecord, options: ReadExamplesOptions): Example {
  const { fields, where } = record;
  const { inputKey, outputKey } = options.config;
  const tokens = tokensOf(record, options.vocabSize);
  if (tokens !== undefined) return { tokens, promptLength: 1 };
  const { tokenizer, eosTokenId } = options;
  if (tokenizer === undefined) {
    throw new LimrError('LIMR_USAGE', `${where} holds text, and the model has no tokenizer`, 'Give {"tokens": [...]}.');
  }
  if (eosTokenId === undefined) {
    throw new LimrError(
      'LIMR_UNSUPPORTED',
      'the model names no end-of-text token, which every response ends with',
      'Add "eos_token_id" to its generation_config.json.',
    );
  }
  if (typeof fields.text === 'string') {
    return { tokens: [...tokenizer.encode(fields.text, { addSpecialTokens: true }), eosTokenId], promptLength: 1 };
  }
  const prompt = fields[inputKey];
  const response = fields[outputKey];
  if (typeof prompt !== 'string' || typeof response !== 'string') {
    throw new LimrError(
      'LIMR_FORMAT',
      `${where}: expected the texts "${inputKey}" and "${outputKey}", or "text", or "tokens"; its fields are ${Object.keys(fields).join(', ')}`,
      'Name the fields by --input-key and --output-key.',
    );
  }
  const asked = askingTokens(prompt, tokenizer, options.config);
  if (asked.length === 0) throw new LimrError('LIMR_FORMAT', `${where}: "${inputKey}" is empty`, 'Use {"text": ...}.');
  return { tokens: [...asked, ...tokenizer.encode(response), eosTokenId], promptLength: asked.length };
}

function tooLong({ where }: DataRecord, length: number, maxLen: number): LimrError {
  return new LimrError(
    'LIMR_USAGE',
    `${where}: the example has ${length} tokens, more than ${maxLen}`,
    'Leave such examples out by --long-examples drop, or raise --max-len as far as the context allows.',
  );
}

/** An Int32Array that doubles when it is full. */
class GrowingInt32 {
  length = 0;
  private store = new Int32Array(1 << 16);

  push(value: number): void {
    this.reserve(this.length + 1);
    this.store[this.length++] = value;
  }

  append(values: ArrayLike<number>): void {
    this.reserve(this.length + values.length);
    this.store.set(values, this.length);
    this.length += values.length;
  }

  /** A copy of exactly the values. */
  values(): Int32Array {
    return this.store.slice(0, this.length);
  }

  private reserve(size: number): void {
    if (size <= this.store.length) return;
    const larger = new Int32Array(Math.max(size, this.store.length * 2));
    larger.set(this.store.subarray(0, this.length));
    this.store = larger;
  }
}
