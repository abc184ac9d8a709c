/** What the tokens of a sample were trained on, with their texts. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataRecord, streamRecords } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import { exists } from '../files.js';
import { Checkpoints } from '../run/checkpoints.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import type { TokenView } from './data.js';
import { tokensFile } from './sample-files.js';

/** Texts of tokens; null = the run's tokenizer is not to be found. */
export type TokenTexts = Pick<Tokenizer, 'pieces'> | null;

/**
 * The tokenizer that a run sampled with: its checkpoints have it, else the model's folder may be on this machine.
 * @throws {LimrError} LIMR_FORMAT, LIMR_UNSUPPORTED when it is there and cannot be read
 */
export async function runTokenizer(run: string, modelFolder: unknown): Promise<TokenTexts> {
  const checkpoints = new Checkpoints(join(run, 'checkpoints'));
  const places = (await checkpoints.steps()).reverse().map((step) => checkpoints.path(step));
  if (typeof modelFolder === 'string') places.push(modelFolder);
  for (const folder of places) {
    if (!(await exists(folder))) continue;
    const names = await readdir(folder);
    if (names.includes('tokenizer.json') && names.includes('tokenizer_config.json')) return Tokenizer.load(folder);
  }
  return null;
}

/**
 * Of some samples of a rollout.
 * @param rows their places in the rollout's file
 * @throws {LimrError} LIMR_FORMAT with file and row; LIMR_IO
 */
export async function readTokens(
  run: string,
  rollout: number,
  rows: ReadonlySet<number>,
  texts: TokenTexts,
): Promise<Map<number, TokenView>> {
  const found = new Map<number, TokenView>();
  let row = -1;
  for await (const record of streamRecords(tokensFile(run, rollout))) {
    row += 1;
    if (!rows.has(row)) continue;
    found.set(row, viewOf(record, texts));
    if (found.size === rows.size) break;
  }
  return found;
}

function viewOf({ fields, where }: DataRecord, texts: TokenTexts): TokenView {
  const { tokens, logprobs, advantages } = fields;
  if (!isNumbers(tokens) || !isNumbers(logprobs) || !isNumbers(advantages) || logprobs.length !== tokens.length) {
    throw new LimrError(
      'LIMR_FORMAT',
      `${where} is no {tokens, logprobs, advantages} of one length`,
      'Report from an untouched copy of the run folder.',
    );
  }
  return {
    text: texts === null ? tokens.map((id) => `#${id} `) : texts.pieces(tokens),
    logprobs: logprobs.map((value) => Number(value.toPrecision(4))),
    advantages: advantages.map((value) => Number(value.toPrecision(4))),
  };
}

const isNumbers = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'number');
