/** The model that comes with the package, and what stands for it: folders, or names on the hub. */
import { basename, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type HubHooks, hubNameOf, hubText, parseHubName, resolveDataset, resolveModel } from '../hub/index.js';

/** models/limr-nano, one folder above this module's folder in src/ and in dist/ alike. */
export const embeddedModel = fileURLToPath(new URL('../../models/limr-nano', import.meta.url));
/** Path of limr-nano's training prompts. */
export const embeddedPrompts = `${embeddedModel}/train.jsonl`;
/** Path of limr-nano's held-out prompts. */
export const embeddedEvalPrompts = `${embeddedModel}/heldout.jsonl`;

/** The folder that --model means. @throws {LimrError} as `resolveModel` */
export async function modelFolder(model: string, hooks: HubHooks = {}): Promise<string> {
  return model === '' ? embeddedModel : resolveModel(model, hooks);
}

/** "Qwen2.5-Math-1.5B" of a folder or of a name on the hub: what a run of it is called. */
export function modelName(model: string): string {
  if (model === '') return basename(embeddedModel);
  return basename(parseHubName(model, 'model')?.id ?? model);
}

/** What `dataFiles` takes, of a data set that an option names; "" stays. @throws {LimrError} as `resolveDataset` */
export async function dataPath(data: string, hooks: HubHooks = {}): Promise<string> {
  return data === '' ? '' : resolveDataset(data, hooks);
}

/** What a run records of a folder or file, so that it is found again: the absolute path, or the hub's name with its commit. */
export function lastingName(path: string): string {
  const name = hubNameOf(resolve(path));
  return name === undefined ? resolve(path) : hubText(name);
}
