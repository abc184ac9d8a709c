/** Completions of one prompt, or of a file of them. */
import { askingTokens } from '../dataset/asking.js';
import { type DataRecord, readRecords } from '../dataset/records.js';
import { tokensOf } from '../dataset/token-rows.js';
import type { GenerateStats, Model, Sample } from '../engine/model.js';
import type { SamplingOptions } from '../engine/sampling.js';
import { LimrError } from '../errors.js';
import type { HubHooks } from '../hub/index.js';
import type { StopReason } from '../native.js';
import { TextStream } from '../tokenizer/text-stream.js';
import { dataPath, modelFolder } from './embedded.js';
import type { TakeRow } from './json-lines-file.js';
import { type ChosenMachine, withEngine } from './machine.js';
import type { GenerateOptions } from './options.js';
import { checkOutputFile } from './output-file.js';

/** A completion, as it is written. */
export interface Completion {
  /** Index of the prompt, and of the sample among the prompt's. */
  readonly prompt: number;
  readonly sample: number;
  /** Special tokens are kept out. */
  readonly text: string;
  readonly tokens: readonly number[];
  /** Of each token, under the model at the temperature of log-probs, before any mask. */
  readonly logprobs: readonly number[];
  readonly stop: StopReason;
}

/** What a caller of `launchGenerate` is told. */
export interface GenerateHooks extends HubHooks {
  /** Told of samples done, of how many, and tokens generated so far. */
  readonly onProgress?: (done: number, total: number, tokens: number) => void;
  readonly signal?: AbortSignal;
  /** Of the only sample of an only prompt: its text, piece by piece as it is sampled; together they are its text. */
  readonly onText?: (piece: string) => void;
}

/** What `generate` did: counts, and seconds of sampling. */
export interface GenerateResult {
  readonly prompts: number;
  readonly samples: number;
  readonly stats: GenerateStats;
  readonly seconds: number;
}

/**
 * Completes `--prompt`, or the rows of `--input`, and hands the completions over in the order of prompts and samples.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT, LIMR_ABORTED
 */
export async function launchGenerate(
  options: GenerateOptions,
  machine: ChosenMachine,
  take: TakeRow<Completion>,
  hooks: GenerateHooks = {},
): Promise<GenerateResult> {
  if ((options.prompt === '') === (options.input === '')) {
    throw new LimrError('LIMR_USAGE', 'expected either --prompt or --input', 'Give a prompt, or a file of prompts.');
  }
  const input = options.input === '' ? '' : await dataPath(options.input, hooks);
  await checkOutputFile('--output', options.output, { '--input': input });
  const records = input === '' ? undefined : await readRecords(input);
  const folder = await modelFolder(options.model, hooks);
  return withEngine(machine, async (engine) => {
    const model = await engine.load(folder);
    const ask = (prompt: string) => askingTokens(prompt, model.tokenizerFor('a text'), options);
    const prompts = records?.map((record) => readTokens(record, model, options.inputKey, ask)) ?? [ask(options.prompt)];
    const started = performance.now();
    const ordered = new Ordered(options.nSamplesPerPrompt, take);
    const total = prompts.length * options.nSamplesPerPrompt;
    let [done, generated] = [0, 0];
    const { onText } = hooks;
    const text = onText === undefined ? undefined : new TextStream(model.tokenizerFor('text'));
    const stream = model.generate(
      prompts.map((tokens) => ({ tokens })),
      {
        ...samplingOf(options, model, prompts),
        ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
        ...(text === undefined ? {} : { onToken: ({ token }) => onText?.(text.push(token)) }),
      },
    );
    for (;;) {
      const next = await stream.next();
      if (next.done === true) {
        const seconds = (performance.now() - started) / 1000;
        return { prompts: prompts.length, samples: done, stats: next.value, seconds };
      }
      done += 1;
      generated += next.value.tokens.length;
      hooks.onProgress?.(done, total, generated);
      onText?.(text?.end() ?? '');
      await ordered.add(completion(next.value, model));
    }
  });
}

/** Brings completions that finish in any order into that of prompts and samples. */
class Ordered {
  private readonly waiting = new Map<number, Completion>();
  private next = 0;

  constructor(
    private readonly samplesPerPrompt: number,
    private readonly take: TakeRow<Completion>,
  ) {}

  async add(completion: Completion): Promise<void> {
    this.waiting.set(completion.prompt * this.samplesPerPrompt + completion.sample, completion);
    for (let ready = this.waiting.get(this.next); ready !== undefined; ready = this.waiting.get(this.next)) {
      this.waiting.delete(this.next);
      this.next += 1;
      await this.take(ready);
    }
  }
}

function completion({ prompt, sample, tokens, logprobs, stopReason }: Sample, model: Model): Completion {
  const text = model.tokenizer?.decode(tokens, { skipSpecialTokens: true }) ?? '';
  return { prompt, sample, text, tokens: Array.from(tokens), logprobs: Array.from(logprobs), stop: stopReason };
}

function readTokens(
  record: DataRecord,
  model: Model,
  inputKey: string,
  ask: (prompt: string) => Int32Array,
): ArrayLike<number> {
  const { fields, where } = record;
  const tokens = tokensOf(record, model.info.vocabSize);
  if (tokens !== undefined) return tokens;
  const prompt = fields[inputKey];
  if (typeof prompt === 'string') return ask(prompt);
  throw new LimrError(
    'LIMR_FORMAT',
    `${where}: expected the text "${inputKey}", or a list of token ids "tokens"`,
    `Its fields are ${Object.keys(fields).join(', ')}; choose one with --input-key.`,
  );
}

function samplingOf(options: GenerateOptions, model: Model, prompts: readonly ArrayLike<number>[]): SamplingOptions {
  const longest = prompts.reduce((most, { length }) => Math.max(most, length), 0);
  return {
    samplesPerPrompt: options.nSamplesPerPrompt,
    temperature: options.temperature,
    topP: options.topP,
    topK: options.topK,
    minP: options.minP,
    minTokens: options.minTokens,
    maxTokens: options.generateMaxLen ?? Math.max(1, model.info.maxPositionEmbeddings - longest),
    stopStrings: options.stop,
    seed: options.seed,
    maxBatch: options.maxBatch,
    prefillChunk: options.prefillChunk,
    kvCacheBytes: options.kvCacheBytes,
  };
}
