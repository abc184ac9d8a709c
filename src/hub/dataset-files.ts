/** Which files of a data set's repository a name means, by their names alone: as src/dataset/data-files.ts reads a folder. */
import { LimrError } from '../errors.js';
import { type HubName, hubText } from './name.js';
import type { HubFile } from './tree.js';

export interface DatasetChoice {
  readonly files: readonly HubFile[];
  /** File, or split, below the snapshot: what readers are given. */
  readonly path: string;
}

const dataFile = /\.(?:jsonl?|parquet|arrows?|feather)$/;
const shard = /^(.+?)(?:-\d{5}-of-\d{5})?\.(parquet|arrow|jsonl)$/;
/** JSON beside the data, which holds none. */
const isAbout = (base: string) => /^(?:dataset_infos?|dataset_dict|state|package|config|metadata)\.json$/.test(base);

/**
 * @throws {LimrError} LIMR_USAGE when a file or split has to be named, with those there are; LIMR_IO when the one that is named is not
 *   there; LIMR_UNSUPPORTED for a file that is no data of a kind that is read
 */
export function datasetFiles(name: HubName, files: readonly HubFile[]): DatasetChoice {
  const path = name.path.replace(/\/$/, '');
  if (path === '') return folderChoice(name, files, '');
  const exact = files.find((file) => file.path === path);
  if (exact !== undefined) {
    if (dataFile.test(path)) return { files: [exact], path };
    throw new LimrError('LIMR_UNSUPPORTED', `${hubText(name)} is no .json, .jsonl, .parquet or .arrow file`);
  }
  if (files.some((file) => file.path.startsWith(`${path}/`))) return folderChoice(name, files, path);
  const slash = path.lastIndexOf('/');
  const folder = path.slice(0, Math.max(slash, 0));
  const split = path.slice(slash + 1);
  for (const place of [folder, join(folder, 'data')]) {
    const shards = splitsOf(name, files, place).get(split);
    if (shards !== undefined) return splitChoice(place, split, shards);
  }
  throw new LimrError('LIMR_IO', `data set ${name.id} has no ${path}`, known(name, files));
}

function folderChoice(name: HubName, files: readonly HubFile[], folder: string): DatasetChoice {
  const own = files.filter((file) => parentOf(file.path) === folder);
  const has = (base: string) => own.some((file) => file.path === join(folder, base));
  if (has('state.json')) {
    const saved = own.filter(({ path }) => /(?:^|\/)(?:state|dataset_info)\.json$|\.arrow$/.test(path));
    return { files: saved, path: folder };
  }
  if (has('dataset_dict.json')) {
    const depth = folder === '' ? 1 : folder.split('/').length + 1;
    const states = files.filter(({ path }) => path.startsWith(prefix(folder)) && path.endsWith('/state.json'));
    const splits = states.map(({ path }) => parentOf(path)).filter((path) => path.split('/').length === depth);
    if (splits.length === 1) return folderChoice(name, files, splits[0]!);
    throw severalChoices(name, folder, splits);
  }
  for (const place of [folder, join(folder, 'data')]) {
    const splits = splitsOf(name, files, place);
    const [only] = splits;
    if (only !== undefined && splits.size === 1) return splitChoice(place, ...only);
    if (splits.size > 1)
      throw severalChoices(
        name,
        folder,
        Array.from(splits.keys(), (split) => join(place, split)),
      );
  }
  const documents = own.filter(({ path }) => path.endsWith('.json') && !isAbout(path.slice(prefix(folder).length)));
  if (documents.length === 1) return { files: documents, path: documents[0]!.path };
  if (documents.length > 1)
    throw severalChoices(
      name,
      folder,
      documents.map(({ path }) => path),
    );
  throw new LimrError(
    'LIMR_USAGE',
    `data set ${name.id} has no data files in ${folder === '' ? 'its uppermost folder' : folder}, nor in ${join(folder, 'data')}`,
    known(name, files),
  );
}

/** A split of one file is that file, whatever else the cache has of the folder. */
function splitChoice(folder: string, split: string, shards: readonly HubFile[]): DatasetChoice {
  return { files: shards, path: shards.length === 1 ? shards[0]!.path : join(folder, split) };
}

/** Data files of one folder by split; shards in their order. */
function splitsOf(name: HubName, files: readonly HubFile[], folder: string): Map<string, HubFile[]> {
  const splits = new Map<string, HubFile[]>();
  for (const file of files) {
    if (parentOf(file.path) !== folder) continue;
    const split = shard.exec(file.path.slice(prefix(folder).length))?.[1];
    if (split !== undefined) splits.set(split, [...(splits.get(split) ?? []), file]);
  }
  for (const shards of splits.values()) {
    const formats = new Set(shards.map(({ path }) => shard.exec(path)![2]));
    if (formats.size > 1)
      throw severalChoices(
        name,
        folder,
        shards.map(({ path }) => path),
      );
    shards.sort((a, b) => (a.path < b.path ? -1 : 1));
  }
  return splits;
}

const join = (folder: string, base: string) => (folder === '' ? base : `${folder}/${base}`);
const prefix = (folder: string) => (folder === '' ? '' : `${folder}/`);
const parentOf = (path: string) => path.slice(0, Math.max(path.lastIndexOf('/'), 0));

function severalChoices(name: HubName, folder: string, choices: readonly string[]): LimrError {
  return new LimrError(
    'LIMR_USAGE',
    `data set ${name.id} has several parts${folder === '' ? '' : ` in ${folder}`}: ${some(choices)}`,
    `Name one of them: ${hubText({ ...name, path: choices[0] ?? 'train' })}.`,
  );
}

/** The data there is, by split. */
function known(name: HubName, files: readonly HubFile[]): string {
  const data = files.filter(({ path }) => dataFile.test(path) && !isAbout(path.slice(path.lastIndexOf('/') + 1)));
  const names = [...new Set(data.map(({ path }) => path.replace(/-\d{5}-of-\d{5}\.\w+$/, '')))];
  if (names.length === 0) return 'It has no .json, .jsonl, .parquet or .arrow files.';
  return `Name one as ${hubText({ ...name, path: names[0]! })}; it has ${some(names)}.`;
}

const some = (names: readonly string[]) => `${names.slice(0, 12).join(', ')}${names.length > 12 ? ', ...' : ''}`;
