/** Names as users give them, to paths: what is here goes first, then the hub. */
import { join } from 'node:path';
import { dataFiles } from '../dataset/data-files.js';
import { LimrError } from '../errors.js';
import { exists, hasCode } from '../files.js';
import { type DatasetChoice, datasetFiles } from './dataset-files.js';
import { modelFiles } from './model-files.js';
import { isFileName, parseHubName } from './name.js';
import { HubRefusal } from './refusals.js';
import { fetchSnapshot, type HubOptions } from './snapshot.js';

/**
 * A folder as it is, else a model of the hub, downloaded unless the cache has it.
 * @param model folder or file; or owner/name, `@revision` behind it; owner/name:file.gguf means that file
 * @returns folder in Hugging Face layout, or the file
 * @throws {LimrError} LIMR_IO when it is neither; as `fetchSnapshot` and `modelFiles`
 */
export async function resolveModel(model: string, options: HubOptions = {}): Promise<string> {
  if ((await exists(model)) || isPath(model)) return model;
  const name = parseHubName(model, 'model');
  if (name === undefined) {
    throw new LimrError(
      'LIMR_IO',
      `there is no folder ${model}, and it is no name on the hub either`,
      'Point at a folder in Hugging Face layout, or name a model as owner/name or owner/name@revision.',
    );
  }
  const snapshot = await notHere(`folder ${model}`, () => fetchSnapshot(name, modelFiles(name), options));
  return join(snapshot, name.path);
}

/**
 * A file, folder or split as it is, else a data set of the hub, downloaded unless the cache has it.
 * @param data what `dataFiles` takes; or owner/name, then perhaps @revision, and :path of a file, folder or split in it
 * @returns what `dataFiles` takes
 * @throws {LimrError} LIMR_IO when it is neither; LIMR_USAGE when a split has to be named; as `fetchSnapshot`
 */
export async function resolveDataset(data: string, options: HubOptions = {}): Promise<string> {
  if (isPath(data) || (await isLocalData(data))) return data;
  const name = parseHubName(data, 'dataset');
  if (name === undefined) {
    throw new LimrError(
      'LIMR_IO',
      `there is no file or folder ${data}, and it is no name on the hub either`,
      'Check the path, or name a data set as owner/name, owner/name@revision or owner/name:file.',
    );
  }
  let choice: DatasetChoice | undefined;
  const snapshot = await notHere(`file or folder ${data}`, () =>
    fetchSnapshot(
      name,
      (files) => {
        choice = datasetFiles(name, files);
        return choice.files;
      },
      options,
    ),
  );
  return join(snapshot, choice?.path ?? '');
}

/** A path by its form, there or not: what is not there is for its reader to tell. */
const isPath = (text: string): boolean => /^[./~]/.test(text) || isFileName(text);

/** There, or a split such as `folder/train` whose shards are; what is there and broken stays for the reader to tell. */
async function isLocalData(path: string): Promise<boolean> {
  if (await exists(path)) return true;
  const isMissing = (error: unknown) =>
    error instanceof LimrError && (hasCode(error.cause, 'ENOENT') || hasCode(error.cause, 'ENOTDIR'));
  return dataFiles(path).then(
    () => true,
    (error: unknown) => !isMissing(error),
  );
}

/** Says of what the hub refuses that there is nothing here by that name either. */
async function notHere<T>(what: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof HubRefusal)) throw error;
    throw new HubRefusal(`${error.message} (and there is no ${what} here)`, error.hint, { cause: error });
  }
}
