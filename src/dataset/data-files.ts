/** Which files a data set's path means: a file, a folder of `datasets.save_to_disk`, or a folder of shards. */
import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LimrError } from '../errors.js';
import { exists, hasCode, readJson, withIo } from '../files.js';
import { isObject, type Json } from '../json.js';

/**
 * - A file is itself.
 * - A folder with state.json is one that Hugging Face's `datasets` saved: the shards that state.json lists, in its order.
 * - A folder with dataset_dict.json holds one such folder a split; with several splits, name the split: `folder/train`.
 * - Any other folder, such as a snapshot of the hub: its .parquet, .arrow or .jsonl files, or those of its folder `data`. The shards
 *   `train-00000-of-00002.parquet`, ... are the split `folder/train`, although there is no such folder.
 * @returns at least one file, in the order of the rows
 * @throws {LimrError} LIMR_IO when nothing is there; LIMR_USAGE when the split has to be named; LIMR_FORMAT when a shard is missing
 */
export async function dataFiles(path: string): Promise<readonly string[]> {
  const found = await withIo(`read ${path}`, () =>
    stat(path).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return undefined;
      throw error;
    }),
  );
  if (found === undefined) return splitOfFolder(path);
  if (!found.isDirectory()) return [path];
  if (await exists(join(path, 'dataset_dict.json'))) return dataFiles(await onlySplit(path));
  if (await exists(join(path, 'state.json'))) return savedFiles(path);
  const splits = await shardedSplits(path);
  const [first] = splits.values();
  if (first === undefined) {
    throw new LimrError(
      'LIMR_IO',
      `cannot read ${path}: it is a folder without data files`,
      'Name a .json, .jsonl, .parquet or .arrow file, or a folder of them.',
    );
  }
  if (splits.size > 1) throw severalSplits(path, [...splits.keys()]);
  return first;
}

async function splitOfFolder(path: string): Promise<readonly string[]> {
  const folder = dirname(path);
  const above = await stat(folder).catch(() => undefined);
  const splits: ReadonlyMap<string, readonly string[]> = above?.isDirectory() ? await shardedSplits(folder) : new Map();
  const files = splits.get(basename(path));
  if (files !== undefined) return files;
  await withIo(`read ${path}`, () => stat(path)); // throws: it is not there
  return [path];
}

/** The folder of the only split. */
async function onlySplit(folder: string): Promise<string> {
  const file = join(folder, 'dataset_dict.json');
  const content = await readJson(file);
  const splits = isObject(content) ? names(content.splits) : undefined;
  if (splits === undefined) throw new LimrError('LIMR_FORMAT', `${file} lists no splits`, 'Save the data set again.');
  if (splits.length > 1) throw severalSplits(folder, splits);
  return join(folder, splits[0]!);
}

/** The shards of a saved split. */
async function savedFiles(folder: string): Promise<readonly string[]> {
  const file = join(folder, 'state.json');
  const content = await readJson(file);
  const shards = isObject(content) ? names(content._data_files, 'filename') : undefined;
  if (!isObject(content) || shards === undefined) {
    throw new LimrError('LIMR_FORMAT', `${file} lists no data files`, 'Save the data set again.');
  }
  if (Array.isArray(content._indices_data_files) && content._indices_data_files.length > 0) {
    throw new LimrError(
      'LIMR_UNSUPPORTED',
      `${folder} was saved with an indices mapping, by a version of datasets before 2.0`,
      'Save it again by a newer version, or after flatten_indices().',
    );
  }
  const paths = shards.map((name) => join(folder, name));
  await requireShards(paths, file);
  return paths;
}

/** Data files of a folder by split; shards of a split in their order. */
async function shardedSplits(folder: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const splits = new Map<string, string[]>();
  const shardCounts = new Map<string, number>();
  for (const name of (await withIo(`read ${folder}`, () => readdir(folder))).sort()) {
    const [, split, count] = /^(.+?)(?:-\d{5}-of-(\d{5}))?\.(?:parquet|arrow|jsonl)$/.exec(name) ?? [];
    if (split === undefined) continue;
    splits.set(split, [...(splits.get(split) ?? []), join(folder, name)]);
    if (count !== undefined) shardCounts.set(split, Number(count));
  }
  for (const [split, count] of shardCounts) {
    const [first = ''] = splits.get(split)!;
    const pattern = first.replace(/\d{5}(?=-of-)/, '#####');
    const paths = Array.from({ length: count }, (_, i) => pattern.replace('#####', String(i).padStart(5, '0')));
    await requireShards(paths, folder);
    splits.set(split, paths);
  }
  const data = join(folder, 'data');
  if (splits.size > 0 || !(await exists(data))) return splits;
  return (await stat(data)).isDirectory() ? shardedSplits(data) : splits;
}

async function requireShards(paths: readonly string[], source: string): Promise<void> {
  for (const path of paths) {
    if (await exists(path)) continue;
    throw new LimrError(
      'LIMR_FORMAT',
      `${path} is missing, one of the ${paths.length} files of ${source}`,
      'Copy the data set again.',
    );
  }
}

/** File or folder names out of JSON: texts, or objects with such a key. Undefined unless it is a list of at least one. */
function names(value: Json | undefined, key?: string): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const found = (value as readonly Json[]).map((item) => (key !== undefined && isObject(item) ? item[key] : item));
  const areNames = found.every((name) => typeof name === 'string' && name !== '' && basename(name) === name);
  return areNames ? (found as string[]) : undefined;
}

function severalSplits(folder: string, splits: readonly string[]): LimrError {
  return new LimrError(
    'LIMR_USAGE',
    `${folder} has several splits: ${splits.join(', ')}`,
    `Name one of them: ${splits.map((split) => join(folder, split)).join(', ')}.`,
  );
}
