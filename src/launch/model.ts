/** Models with random weights, and what a model folder holds. */
import { copyFile, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkModelFolder, copyCompanions, readEosTokenIds } from '../engine/folder.js';
import { LimrError } from '../errors.js';
import { exists, readJson, refuseExisting, withIo } from '../files.js';
import type { HubHooks } from '../hub/index.js';
import { isObject } from '../json.js';
import type { NativeModelInfo } from '../native.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import { modelFolder } from './embedded.js';
import { type ChosenMachine, withEngine } from './machine.js';
import type { ModelCreateOptions } from './options.js';

/**
 * Writes a model folder with random weights N(0, initializer_range).
 * @throws {LimrError} LIMR_USAGE when the output exists, LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED of the configuration
 */
export async function createModel(options: ModelCreateOptions, machine: ChosenMachine): Promise<NativeModelInfo> {
  const { config, output, seed } = options;
  if (config === '') throw new LimrError('LIMR_USAGE', 'there is no configuration', 'Name a config.json by --config.');
  if (output === '') throw new LimrError('LIMR_USAGE', 'there is no place for the model', 'Name it by --output.');
  await refuseExisting(output);
  const folder = await mkdtemp(join(tmpdir(), 'limr-create-'));
  const copy = join(folder, 'config.json');
  try {
    await withIo(`read ${config}`, () => copyFile(config, copy));
    return await withEngine(machine, async (engine) => {
      const model = await engine.load(folder, { randomSeed: seed, tokenizer: false });
      const from = options.tokenizer === '' ? dirname(config) : options.tokenizer;
      await model.save(output, { fill: (to) => copyCompanions(from, to) });
      return model.info;
    });
  } catch (error) {
    if (!(error instanceof LimrError)) throw error;
    throw new LimrError(error.code, error.message.replaceAll(copy, config), error.hint, { cause: error });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What a model folder holds, without its weights being loaded. */
export interface ModelSummary {
  readonly dir: string;
  readonly modelType: string;
  readonly architecture: string;
  readonly numParameters: number;
  /** Of the weights in memory, in bf16. */
  readonly weightBytes: number;
  /** Of the safetensors files. */
  readonly fileBytes: number;
  readonly shape: Readonly<Record<string, number | boolean>>;
  readonly eosTokenIds: readonly number[];
  /** undefined without tokenizer.json. */
  readonly tokenizer: { readonly numTokens: number; readonly hasChatTemplate: boolean } | undefined;
}

/** Keys of config.json that give a model its shape. */
const shapeKeys = [
  'num_hidden_layers',
  'hidden_size',
  'intermediate_size',
  'num_attention_heads',
  'num_key_value_heads',
  'head_dim',
  'vocab_size',
  'max_position_embeddings',
  'tie_word_embeddings',
];

/** What a model folder holds; loads no weights. @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED */
export async function describeModel(
  model: string,
  { addon, threads }: ChosenMachine,
  hooks: HubHooks = {},
): Promise<ModelSummary> {
  const dir = await modelFolder(model, hooks);
  await checkModelFolder(dir);
  const file = join(dir, 'config.json');
  const config = await readJson(file);
  if (!isObject(config)) throw new LimrError('LIMR_FORMAT', `${file} is not an object`);
  const none = { trainTokens: 0, scoreTokens: 0, maxSequences: 0, maxBatch: 0, prefillChunk: 0, contextLength: 0 };
  const plan = addon.plan({
    dir,
    head: 'lm',
    trainable: false,
    activationCheckpointing: true,
    ...none,
    kvCacheBytes: 0,
    threads,
  });
  const tokenizer = (await exists(join(dir, 'tokenizer.json'))) ? await Tokenizer.load(dir) : undefined;
  const shape = shapeKeys.flatMap((key) => {
    const value = config[key];
    return typeof value === 'number' || typeof value === 'boolean' ? [[key, value] as const] : [];
  });
  return {
    dir,
    modelType: String(config.model_type),
    architecture: Array.isArray(config.architectures) ? String(config.architectures[0]) : '',
    numParameters: plan.numParameters,
    weightBytes: plan.weightBytes,
    fileBytes: await weightFileBytes(dir),
    shape: Object.fromEntries(shape),
    eosTokenIds: await readEosTokenIds(dir),
    tokenizer: tokenizer && { numTokens: tokenizer.numTokens, hasChatTemplate: tokenizer.chatTemplate !== undefined },
  };
}

async function weightFileBytes(dir: string): Promise<number> {
  return withIo(`list ${dir}`, async () => {
    const names = (await readdir(dir)).filter((name) => name.endsWith('.safetensors'));
    const stats = await Promise.all(names.map((name) => stat(join(dir, name))));
    return stats.reduce((sum, { size }) => sum + size, 0);
  });
}
