/** A loaded model and its verbs. */
import { LimrError } from '../errors.js';
import { writeFolder } from '../files.js';
import type {
  NativeGenerateRequest,
  NativeGenerateStats,
  NativeLoss,
  NativeLossTerms,
  NativeModel,
  NativeModelInfo,
  NativePacked,
  NativeSample,
  NativeSamplingProgress,
  NativeScoreRequest,
  NativeScores,
  NativeStepResult,
  NativeToken,
  TensorKind,
} from '../native.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { copyCompanions, unusedTokenIds } from './folder.js';
import { inRange, whole } from './numbers.js';
import type { EngineModel } from './port.js';
import { resolveSampling, type SamplingConfig, type SamplingOptions } from './sampling.js';
import { checkSequences, packSequences, type Tokens } from './sequences.js';
import { refuseAborted, streamSamples, underSignal } from './stream.js';

/**
 * A finished sample: its prompt and number, token ids (i32), log-probs (f32, in nats, of log-softmax(logits / T) before
 * any mask) and why it ended.
 */
export type Sample = NativeSample;
/** Counts of a call of `generate`: tokens, steps, preemptions. */
export type GenerateStats = NativeGenerateStats;
/** Architecture and sizes, by config.json, and the bytes taken. */
export type ModelInfo = NativeModelInfo;

/** A prompt to sample from. */
export interface GenerateRequest {
  /** The prompt, at least one token. */
  readonly tokens: Tokens;
  /** Key of the prompt's random stream; default: its place in the call. */
  readonly row?: number;
}

/** How log-probs or values are computed. */
export interface ScoreOptions {
  /** Temperature of log-probs and entropy. Default 1. */
  readonly temperature?: number;
  /** Packed tokens a forward pass, at most. Default: 4,096, or the longest sequence. */
  readonly maxTokens?: number;
  readonly signal?: AbortSignal;
}

/** How hidden states are computed. */
export interface HiddenStateOptions {
  /** Packed tokens a forward pass, at most. Default: 4,096, or the longest sequence. */
  readonly maxTokens?: number;
  readonly signal?: AbortSignal;
}

/** Per token, in the order of the call; entry i of a sequence speaks of token i given those before it, entry 0 is NaN. */
export interface Scores extends NativeScores {
  /** Sequence s has the entries [offsets[s], offsets[s + 1]). */
  readonly offsets: Int32Array;
}

/** Settings of one AdamW step (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2). */
export interface StepOptions {
  readonly learningRate: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.95. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly eps?: number;
  /** Decoupled, on matrices only. Default 0. */
  readonly weightDecay?: number;
  /** Global L2 norm at which gradients are clipped; 0 = off. Default 1. */
  readonly maxGradNorm?: number;
}

/** How a model folder is written. */
export interface SaveOptions {
  /** Replaces a folder that exists. Default false. */
  readonly overwrite?: boolean;
  /** Puts further files into the folder before it appears. */
  readonly fill?: (folder: string) => Promise<void>;
}

/** What `Engine.load` found beside the weights. */
export interface ModelParts {
  readonly native: NativeModel;
  readonly dir: string;
  readonly tokenizer: Tokenizer | undefined;
  readonly eosTokenIds: readonly number[];
}

/** Default budget of a forward pass, in tokens. */
const scoreTokens = 4096;

/**
 * A model in memory: bf16 weights, with f32 master weights and AdamW moments where it was loaded to be trained. One
 * call at a time (LIMR_BUSY); after `close` every call is LIMR_STATE.
 */
export class Model {
  /** The folder that the model was loaded from. */
  readonly dir: string;
  readonly tokenizer: Tokenizer | undefined;
  /** Tokens that end a text, by the folder's generation_config.json. */
  readonly eosTokenIds: readonly number[];
  /** Ids that stand for no token (padding rows of the embedding), which are never sampled. */
  readonly bannedTokenIds: Int32Array;
  private readonly native: NativeModel;
  private hasTokenBytes = false;

  /** Made by `Engine.load`. */
  constructor(parts: ModelParts) {
    this.native = parts.native;
    this.dir = parts.dir;
    this.tokenizer = parts.tokenizer;
    this.eosTokenIds = parts.eosTokenIds;
    const { tokenizer } = parts;
    const { vocabSize } = parts.native.info;
    this.bannedTokenIds = Int32Array.from(tokenizer === undefined ? [] : unusedTokenIds(tokenizer, vocabSize));
  }

  /** Architecture, sizes and bytes. */
  get info(): ModelInfo {
    return this.native.info;
  }

  /**
   * The tokenizer, which the folder must have for what is asked.
   * @param what needs it, for the message, e.g. "a text"
   * @throws {LimrError} LIMR_STATE when the model was loaded without a tokenizer
   */
  tokenizerFor(what: string): Tokenizer {
    if (this.tokenizer !== undefined) return this.tokenizer;
    throw new LimrError(
      'LIMR_STATE',
      `${what} needs a tokenizer, and ${this.dir} was loaded without one`,
      'Load the model from a folder with tokenizer.json, or give {"tokens": [...]}.',
    );
  }

  /** Optimizer steps taken, not counting skipped ones. */
  get optimizerSteps(): number {
    return this.native.optimizerSteps;
  }

  /**
   * Samples completions. They come in the order they finish; a sample counts as taken when the next one is asked for, and
   * sampling pauses when too many wait (`maxUnacknowledged`). Leaving the loop stops the sampling.
   *
   *     for await (const { prompt, tokens } of model.generate([{ tokens: ids }], { maxTokens: 64 })) ...
   *
   * @returns statistics, as the generator's return value
   * @throws {LimrError} LIMR_USAGE for an option or token that is not valid, LIMR_ABORTED, LIMR_BUSY, LIMR_MEMORY
   */
  async *generate(
    requests: readonly GenerateRequest[],
    options: SamplingOptions = {},
  ): AsyncGenerator<Sample, GenerateStats, void> {
    const request = this.generateRequest(requests, options);
    const { signal, onToken } = options;
    if (signal === undefined) return yield* this.stream(request, onToken);
    refuseAborted(signal);
    const abort = () => this.native.abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return yield* this.stream(request, onToken);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Options completed by this model's defaults: all of a request but its prompts. @throws {LimrError} LIMR_USAGE */
  samplingConfig(options: SamplingOptions): SamplingConfig {
    const { vocabSize } = this.info;
    return resolveSampling(options, {
      vocabSize,
      eosTokenIds: this.eosTokenIds,
      bannedTokenIds: this.bannedTokenIds,
    });
  }

  /**
   * Log-prob and entropy of every token (lm head), or the value before it (value head).
   * @throws {LimrError} LIMR_USAGE, LIMR_ABORTED, LIMR_BUSY, LIMR_MEMORY
   */
  async score(sequences: readonly Tokens[], options: ScoreOptions = {}): Promise<Scores> {
    const packed = this.pack(sequences);
    const maxTokens = passTokens(sequences, options.maxTokens);
    const temperature = inRange('temperature', options.temperature ?? 1, 0, Number.MAX_VALUE, true);
    const scores = await underSignal(
      options.signal,
      () => this.native.abort(),
      () => this.native.score({ ...packed, temperature, maxTokens }),
    );
    return { ...scores, offsets: packed.offsets };
  }

  /** `score` on sequences that are packed already. */
  scorePacked(request: NativeScoreRequest): Promise<NativeScores> {
    return this.native.score(request);
  }

  /** Logits [tokens, vocab] in f32: the next token's distribution at every position. For small inputs. */
  logits(sequences: readonly Tokens[]): Promise<Float32Array> {
    return this.native.logits(this.pack(sequences));
  }

  /**
   * A vector for each sequence: the mean over its tokens of the last hidden state, after the final norm. It depends on nothing else in
   * the call, to the bit.
   * @returns hiddenSize numbers a sequence
   * @throws {LimrError} LIMR_USAGE, LIMR_ABORTED, LIMR_BUSY, LIMR_MEMORY
   */
  async meanHiddenStates(sequences: readonly Tokens[], options: HiddenStateOptions = {}): Promise<Float32Array[]> {
    const packed = this.pack(sequences);
    const maxTokens = passTokens(sequences, options.maxTokens);
    const { hiddenSize } = this.info;
    const means = await underSignal(
      options.signal,
      () => this.native.abort(),
      () => this.native.meanHiddenStates({ ...packed, maxTokens }),
    );
    return sequences.map((_, s) => means.subarray(s * hiddenSize, (s + 1) * hiddenSize));
  }

  /**
   * Forward and backward of one micro-batch; its gradients add to those of the optimizer step.
   * @throws {LimrError} LIMR_STATE when the model is frozen, LIMR_SHAPE when a per-token array has another length
   */
  accumulate(sequences: readonly Tokens[], loss: NativeLoss): Promise<NativeLossTerms> {
    return this.accumulatePacked(this.pack(sequences), loss);
  }

  /** `accumulate` on sequences that are packed already. */
  accumulatePacked(batch: NativePacked, loss: NativeLoss): Promise<NativeLossTerms> {
    for (const [name, value] of Object.entries(loss)) {
      if (!(value instanceof Float32Array) || value.length === batch.tokens.length) continue;
      if (name === 'refLogprobs' && value.length === 0) continue;
      throw new LimrError(
        'LIMR_SHAPE',
        `${name} has ${value.length} entries for ${batch.tokens.length} tokens`,
        'Per-token arrays have one entry a token.',
      );
    }
    return this.native.accumulate(batch, loss);
  }

  /** Gradient norm, clipping, AdamW; then the gradients are zero. @throws {LimrError} LIMR_USAGE, LIMR_STATE */
  async step(options: StepOptions): Promise<NativeStepResult> {
    return this.native.step({
      learningRate: inRange('learningRate', options.learningRate, 0),
      beta1: inRange('beta1', options.beta1 ?? 0.9, 0, 0.999999),
      beta2: inRange('beta2', options.beta2 ?? 0.95, 0, 0.999999),
      eps: inRange('eps', options.eps ?? 1e-8, 0, Number.MAX_VALUE, true),
      weightDecay: inRange('weightDecay', options.weightDecay ?? 0, 0),
      maxGradNorm: inRange('maxGradNorm', options.maxGradNorm ?? 1, 0),
    });
  }

  /**
   * Writes a Hugging Face folder: weights in bf16, config.json, and the tokenizer of the folder that the model came from. The
   * folder appears whole or not at all.
   * @throws {LimrError} LIMR_USAGE when it exists, LIMR_IO when it cannot be written
   */
  async save(folder: string, options: SaveOptions = {}): Promise<void> {
    const fill = async (temporary: string) => {
      await this.native.save(temporary);
      await copyCompanions(this.dir, temporary);
      await options.fill?.(temporary);
    };
    await writeFolder(folder, fill, { overwrite: options.overwrite ?? false });
  }

  /** Moments, master remainders and step count, bit-exact. @throws {LimrError} LIMR_IO */
  saveOptimizer(file: string): Promise<void> {
    return this.native.saveOptimizer(file);
  }

  /**
   * Reads what `saveOptimizer` wrote.
   * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_SHAPE when it belongs to another model
   */
  loadOptimizer(file: string): Promise<void> {
    return this.native.loadOptimizer(file);
  }

  /** Hugging Face names of the parameters. */
  tensorNames(): string[] {
    return this.native.tensorNames();
  }

  /** A copy of one buffer of a parameter, in f32 and Hugging Face's [rows, cols] order. */
  readTensor(name: string, kind: TensorKind = 'weight'): { rows: number; cols: number; data: Float32Array } {
    return this.native.readTensor(name, kind);
  }

  /** Where the sampling stands that runs, or where the last one ended. */
  samplingProgress(): NativeSamplingProgress {
    return this.native.samplingProgress();
  }

  /** Stops the verb that runs, which then throws LIMR_ABORTED. */
  abort(): void {
    this.native.abort();
  }

  /** Frees everything; idempotent. */
  close(): Promise<void> {
    return this.native.close();
  }

  /** The model as loops over it take it. */
  port(): EngineModel {
    return {
      generate: (request) => this.stream(request),
      samplingProgress: () => this.native.samplingProgress(),
      score: (request) => this.native.score(request),
      accumulate: (batch, loss) => this.native.accumulate(batch, loss),
      step: (options) => this.native.step(options),
      abort: () => this.native.abort(),
      save: (dir) => this.native.save(dir),
      saveOptimizer: (file) => this.native.saveOptimizer(file),
      loadOptimizer: (file) => this.native.loadOptimizer(file),
      close: () => this.native.close(),
    };
  }

  private pack(sequences: readonly Tokens[], noun = 'sequence'): NativePacked {
    checkSequences(sequences, this.info.vocabSize, noun);
    return packSequences(sequences);
  }

  private generateRequest(requests: readonly GenerateRequest[], options: SamplingOptions): NativeGenerateRequest {
    const config = this.samplingConfig(options);
    const packed = this.pack(
      requests.map(({ tokens }) => tokens),
      'prompt',
    );
    const rows = Int32Array.from(requests, ({ row }, index) => whole('row', row ?? index, 0, 0x7fffffff));
    const context = this.info.maxPositionEmbeddings;
    for (const [index, { tokens }] of requests.entries()) {
      const room = context - tokens.length;
      if (config.maxTokens <= room) continue;
      throw new LimrError(
        'LIMR_USAGE',
        `prompt ${index} has ${tokens.length} tokens; with maxTokens ${config.maxTokens} it exceeds the model's context of ${context}`,
        room < 1 ? 'Shorten the prompt.' : `Lower maxTokens to ${room}, or shorten the prompt.`,
      );
    }
    return { ...packed, rows, ...config };
  }

  private stream(
    request: NativeGenerateRequest,
    onToken?: (token: NativeToken) => void,
  ): AsyncGenerator<Sample, GenerateStats, void> {
    if (request.stopStrings.length > 0) this.giveTokenBytes();
    return streamSamples(this.native, request, onToken);
  }

  /** Stop strings match on bytes, for which the engine needs those of every token, once. */
  private giveTokenBytes(): void {
    if (this.hasTokenBytes) return;
    const table = this.tokenizerFor('a stop string').tokenBytes();
    const last = table.offsets.length - 1;
    const offsets = Int32Array.from({ length: this.info.vocabSize + 1 }, (_, id) => table.offsets[Math.min(id, last)]!);
    this.native.setTokenBytes(table.bytes.subarray(0, offsets.at(-1)), offsets);
    this.hasTokenBytes = true;
  }
}

/** The budget of a forward pass, which the longest sequence must fit. @throws {LimrError} LIMR_USAGE */
function passTokens(sequences: readonly Tokens[], given: number | undefined): number {
  const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
  return whole('maxTokens', given ?? Math.max(scoreTokens, longest), longest);
}
