/** Which files of a model's repository this engine reads: no more are downloaded, and never one that could run code. */
import { LimrError } from '../errors.js';
import { parseJsonFile } from '../files.js';
import { isObject } from '../json.js';
import { type HubName, isInnerPath } from './name.js';
import type { Choose } from './snapshot.js';
import type { HubFile } from './tree.js';

/** Beside the weights; those that are there. */
const smallFiles = new Set([
  'config.json',
  'generation_config.json',
  'tokenizer.json',
  'tokenizer_config.json',
  'tokenizer.model',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'chat_template.jinja',
]);

const indexFile = 'model.safetensors.index.json';
const singleFile = 'model.safetensors';

/**
 * The files of the folder's own level that make a model: configuration, tokenizer, chat template, safetensors. A path in the name
 * means one GGUF file.
 * @throws {LimrError} LIMR_UNSUPPORTED when the weights are in other formats; LIMR_FORMAT for a model without config.json or shards
 */
export function modelFiles(name: HubName): Choose {
  return async (files, read) => {
    if (name.path !== '') return [oneFile(files, name)];
    const byPath = new Map(files.map((file) => [file.path, file]));
    const index = byPath.get(indexFile);
    const weights = index === undefined ? byPath.get(singleFile) : undefined;
    if (index === undefined && weights === undefined) throw noWeights(files, name);
    if (!byPath.has('config.json')) {
      throw new LimrError('LIMR_FORMAT', `model ${name.id} has no config.json`, 'Take a model in Hugging Face layout.');
    }
    const small = files.filter(({ path }) => smallFiles.has(path));
    if (index === undefined) return [...small, weights!];
    const shards = shardsOf(await read(index), name).map((path) => byPath.get(path) ?? missingShard(path, name));
    return [...small, ...shards, index];
  };
}

function shardsOf(text: string, { id }: HubName): string[] {
  const index = parseJsonFile(text, `${id}: ${indexFile}`);
  const map = isObject(index) && isObject(index.weight_map) ? Object.values(index.weight_map) : [];
  const shards = [...new Set(map)];
  if (shards.length > 0 && shards.every(isShard)) return shards;
  throw new LimrError('LIMR_FORMAT', `${id}: ${indexFile} has no weight_map of .safetensors files`);
}

const isShard = (path: unknown): path is string =>
  typeof path === 'string' && path.endsWith('.safetensors') && isInnerPath(path);

function missingShard(path: string, { id }: HubName): never {
  throw new LimrError(
    'LIMR_FORMAT',
    `model ${id} has no ${path}, which its ${indexFile} lists`,
    'Its upload is broken.',
  );
}

function oneFile(files: readonly HubFile[], { id, path }: HubName): HubFile {
  if (!path.endsWith('.gguf')) {
    throw new LimrError(
      'LIMR_USAGE',
      `${id}:${path} names one file of a model, and that can only be a .gguf`,
      `Leave it out: ${id}.`,
    );
  }
  const found = files.find((file) => file.path === path);
  if (found !== undefined) return found;
  const names = files.map((file) => file.path).filter((file) => file.endsWith('.gguf'));
  throw new LimrError(
    'LIMR_IO',
    `model ${id} has no file ${path}`,
    names.length === 0 ? 'It has no .gguf at all.' : `It has ${names.slice(0, 10).join(', ')}.`,
  );
}

function noWeights(files: readonly HubFile[], { id }: HubName): LimrError {
  const paths = files.map(({ path }) => path);
  const gguf = paths.find((path) => path.endsWith('.gguf'));
  const pickled = paths.find((path) => /\.(bin|pt|pth|ckpt)$/.test(path));
  const found = gguf ?? pickled;
  return new LimrError(
    'LIMR_UNSUPPORTED',
    `model ${id} has no ${singleFile} and no ${indexFile}${found === undefined ? '' : `, only such as ${found}`}`,
    gguf !== undefined
      ? 'A GGUF file becomes a model folder by `limr-engine model import`.'
      : pickled === undefined
        ? 'Name a model with safetensors weights.'
        : 'Pickled weights can run code when they are read, so they are not; look for the model with safetensors.',
  );
}
