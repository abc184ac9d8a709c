/** Vectors of prompts, for the selection by diversity. */
import { askingTokens } from '../dataset/asking.js';
import type { Prompt } from '../dataset/prompts.js';
import { readRecords } from '../dataset/records.js';
import type { Model } from '../engine/model.js';
import { LimrError } from '../errors.js';
import { modelFolder } from './embedded.js';
import { chooseMachine, withEngine } from './machine.js';
import type { SelectHooks } from './select.js';
import type { SelectOptions } from './select-options.js';

/**
 * One vector of length 1 a prompt, so that distances are those of cosines: of `--embeddings`, else the mean over the prompt's tokens of
 * the last hidden state of `--model`.
 * @throws {LimrError} LIMR_FORMAT when a prompt has no vector in the file; LIMR_USAGE when one exceeds the model's context; LIMR_IO,
 *   LIMR_MEMORY, LIMR_ABORTED
 */
export async function promptEmbeddings(
  prompts: readonly Prompt[],
  options: SelectOptions,
  hooks: SelectHooks,
): Promise<readonly Float32Array[]> {
  const vectors =
    options.embeddings === ''
      ? await embed(prompts, options, hooks)
      : await readEmbeddings(prompts, options.embeddings);
  return vectors.map((vector) => {
    const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return norm > 0 ? vector.map((value) => value / norm) : vector;
  });
}

const rowForm = 'Rows are {"id": "...", "embedding": [0.1, ...]}, one for every prompt.';

async function readEmbeddings(prompts: readonly Prompt[], file: string): Promise<Float32Array[]> {
  const vectors = new Map<string, Float32Array>();
  for (const { fields, where } of await readRecords(file)) {
    const { id, prompt, embedding } = fields;
    if (!Array.isArray(embedding) || embedding.length === 0 || !embedding.every((value) => typeof value === 'number')) {
      throw new LimrError('LIMR_FORMAT', `${where}: "embedding" is no list of numbers`, rowForm);
    }
    const vector = Float32Array.from(embedding as number[]);
    if (id !== undefined) vectors.set(`id ${String(id)}`, vector);
    else if (typeof prompt === 'string') vectors.set(`prompt ${prompt.trim()}`, vector);
  }
  return prompts.map(({ id, prompt, row }) => {
    const vector = vectors.get(`id ${id}`) ?? vectors.get(`prompt ${prompt.trim()}`);
    if (vector !== undefined) return vector;
    throw new LimrError('LIMR_FORMAT', `${file} has no vector for row ${row} of --prompts (id ${id})`, rowForm);
  });
}

/** Tokens of prompts that go through the model in one call. */
const callTokens = 4096;

async function embed(prompts: readonly Prompt[], options: SelectOptions, hooks: SelectHooks): Promise<Float32Array[]> {
  const { onProgress, signal } = hooks;
  const folder = await modelFolder(options.model, hooks);
  return withEngine(chooseMachine(options), async (engine) => {
    const model = await engine.load(folder);
    const vectors: Float32Array[] = [];
    const waiting: Int32Array[] = [];
    const flush = async () => {
      vectors.push(...(await model.meanHiddenStates(waiting, signal === undefined ? {} : { signal })));
      waiting.length = 0;
      onProgress?.(vectors.length, prompts.length);
    };
    let held = 0;
    for (const prompt of prompts) {
      const tokens = promptTokens(prompt, model, options);
      if (waiting.length > 0 && held + tokens.length > callTokens) {
        await flush();
        held = 0;
      }
      waiting.push(tokens);
      held += tokens.length;
    }
    await flush();
    return vectors;
  });
}

function promptTokens({ prompt, messages, row, id }: Prompt, model: Model, options: SelectOptions): Int32Array {
  const tokens = askingTokens(messages ?? prompt, model.tokenizerFor('a text'), options);
  const { maxPositionEmbeddings } = model.info;
  if (tokens.length <= maxPositionEmbeddings) return tokens;
  throw new LimrError(
    'LIMR_USAGE',
    `row ${row} of --prompts (id ${id}) has ${tokens.length} tokens, and the model's context is ${maxPositionEmbeddings}`,
    'Leave it out, or give vectors by --embeddings.',
  );
}
