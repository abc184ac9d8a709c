/** Model folders in Hugging Face layout: what stands in them beside config.json and the weights. */
import { copyFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LimrError } from '../errors.js';
import { exists, parseJsonFile, readJson, readTextIfThere, withIo } from '../files.js';
import { isObject, type Json } from '../json.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/** Files of the tokenizer and of generation, which belong to a model and do not change when it is trained. */
const companionFiles = new Set([
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
  'generation_config.json',
]);

/** Paths of the tokenizer and generation files of a model folder, those that are there. @throws {LimrError} LIMR_IO */
export async function companionPaths(dir: string): Promise<string[]> {
  const names = await withIo(`list ${dir}`, () => readdir(dir));
  return names.filter((name) => companionFiles.has(name)).map((name) => join(dir, name));
}

/** Copies them into another folder. @throws {LimrError} LIMR_IO */
export async function copyCompanions(from: string, to: string): Promise<void> {
  for (const path of await companionPaths(from)) {
    await withIo(`copy ${path} to ${to}`, () => copyFile(path, join(to, basename(path))));
  }
}

/** @throws {LimrError} LIMR_IO when there is no config.json */
export async function checkModelFolder(dir: string): Promise<void> {
  if (await exists(join(dir, 'config.json'))) return;
  throw new LimrError(
    'LIMR_IO',
    `${dir} is no model folder: it has no config.json`,
    'Point at one folder in Hugging Face layout (config.json, *.safetensors, tokenizer.json).',
  );
}

/**
 * The tokens that end a text: generation_config.json's eos_token_id, or config.json's.
 * @returns ids, none when neither names one
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT
 */
export async function readEosTokenIds(dir: string): Promise<readonly number[]> {
  const generation = join(dir, 'generation_config.json');
  const text = await readTextIfThere(generation);
  const ids = text === undefined ? undefined : eosOf(parseJsonFile(text, generation), generation);
  if (ids !== undefined) return ids;
  const config = join(dir, 'config.json');
  return eosOf(await readJson(config), config) ?? [];
}

/** Rows of the embedding, by config.json. @throws {LimrError} LIMR_IO, LIMR_FORMAT */
export async function readVocabSize(dir: string): Promise<number> {
  const file = join(dir, 'config.json');
  const config = await readJson(file);
  const size = isObject(config) ? config.vocab_size : undefined;
  if (typeof size === 'number' && Number.isSafeInteger(size) && size > 0) return size;
  throw new LimrError('LIMR_FORMAT', `${file}: "vocab_size" is ${JSON.stringify(size)}, expected a number of tokens`);
}

/** Ids below `vocabSize` that stand for no token: padding rows of the embedding, which are never sampled. */
export function unusedTokenIds(tokenizer: Tokenizer, vocabSize: number): number[] {
  return Array.from({ length: vocabSize }, (_, id) => id).filter((id) => !tokenizer.has(id));
}

function eosOf(content: Json, file: string): readonly number[] | undefined {
  const eos = isObject(content) ? (content.eos_token_id ?? null) : null;
  if (eos === null) return undefined;
  const ids: readonly Json[] = Array.isArray(eos) ? eos : [eos];
  if (ids.every((id) => typeof id === 'number')) return ids;
  throw new LimrError('LIMR_FORMAT', `${file}: "eos_token_id" is ${JSON.stringify(eos)}, expected ids`);
}
