/** Log-probs and entropy of the rows of a file. */
import { type DataRecord, readRecords } from '../dataset/records.js';
import { tokensOf } from '../dataset/token-rows.js';
import type { Model } from '../engine/model.js';
import { LimrError } from '../errors.js';
import type { HubHooks } from '../hub/index.js';
import { dataPath, modelFolder } from './embedded.js';
import type { TakeRow } from './json-lines-file.js';
import { type ChosenMachine, withEngine } from './machine.js';
import type { ScoreRunOptions } from './options.js';
import { checkOutputFile } from './output-file.js';
import { writeSafetensors } from './safetensors.js';

/** Scores of one row; entry 0 has nothing before it, so it is null. */
export interface ScoredRow {
  readonly tokens: readonly number[];
  readonly logprobs: readonly (number | null)[];
  readonly entropy: readonly (number | null)[];
}

/** What a caller of `launchScore` is told. */
export interface ScoreHooks extends HubHooks {
  /** Told of rows done, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What `score` did: counts, and seconds of forward passes. */
export interface ScoreResult {
  readonly rows: number;
  readonly tokens: number;
  /** Mean log-prob of the tokens that have one; NaN (in JSON null) when none has. */
  readonly meanLogprob: number;
  readonly seconds: number;
}

/** Rows scored in one native call: bounds what is held at once. */
const rowsPerCall = 256;

/**
 * Scores the rows of `--input`, and hands a row over for each: log-prob and entropy (f32, nats) of every token.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT, LIMR_ABORTED
 */
export async function launchScore(
  options: ScoreRunOptions,
  machine: ChosenMachine,
  take: TakeRow<ScoredRow>,
  hooks: ScoreHooks = {},
): Promise<ScoreResult> {
  if (options.input === '') throw new LimrError('LIMR_USAGE', 'there is nothing to score', 'Name a file by --input.');
  const input = await dataPath(options.input, hooks);
  await checkOutputFile('--output', options.output, { '--input': input });
  await checkOutputFile('--logits', options.logits, { '--input': input });
  const records = await readRecords(input);
  const folder = await modelFolder(options.model, hooks);
  return withEngine(machine, async (engine) => {
    const model = await engine.load(folder);
    const rows = records.map((record) => readTokens(record, model));
    const started = performance.now();
    let [tokens, counted, sum] = [0, 0, 0];
    for (let first = 0; first < rows.length; first += rowsPerCall) {
      const part = rows.slice(first, first + rowsPerCall);
      const longest = part.reduce((most, { length }) => Math.max(most, length), 0);
      const { offsets, logprobs, entropy } = await model.score(part, {
        temperature: options.temperature,
        maxTokens: Math.max(options.scoreMaxTokens, longest),
        ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
      });
      for (const [i, row] of part.entries()) {
        const own = (values: Float32Array) =>
          Array.from(values.subarray(offsets[i], offsets[i + 1]), (value) => (Number.isNaN(value) ? null : value));
        const scored = { tokens: Array.from(row), logprobs: own(logprobs), entropy: own(entropy) };
        for (const value of scored.logprobs) sum += value ?? 0;
        tokens += row.length;
        counted += row.length - 1;
        await take(scored);
      }
      hooks.onProgress?.(first + part.length, rows.length);
    }
    if (options.logits !== '') await writeLogits(options.logits, rows, model);
    return { rows: rows.length, tokens, meanLogprob: sum / counted, seconds: (performance.now() - started) / 1000 };
  });
}

function readTokens(record: DataRecord, model: Model): ArrayLike<number> {
  const { fields, where } = record;
  const tokens = tokensOf(record, model.info.vocabSize) ?? encode(fields, where, model);
  if (tokens.length === 0) throw new LimrError('LIMR_FORMAT', `${where} has no tokens`, 'Remove that row.');
  return tokens;
}

function encode(fields: DataRecord['fields'], where: string, model: Model): Int32Array {
  const { text } = fields;
  if (typeof text !== 'string') {
    throw new LimrError(
      'LIMR_FORMAT',
      `${where}: expected the text "text", or a list of token ids "tokens"`,
      `Its fields are ${Object.keys(fields).join(', ') || 'none'}.`,
    );
  }
  return model.tokenizerFor('a text').encode(text, { addSpecialTokens: true });
}

/** One tensor "logits.<row>" of [tokens, vocab] a row. */
async function writeLogits(file: string, rows: readonly ArrayLike<number>[], model: Model): Promise<void> {
  const tensors = [];
  for (const [i, row] of rows.entries()) {
    const data = await model.logits([row]);
    tensors.push({ name: `logits.${i}`, shape: [row.length, model.info.vocabSize], data });
  }
  await writeSafetensors(file, tensors);
}
