/** A GGUF file as a model folder in Hugging Face layout, in bf16. */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../bytes.js';
import { LimrError } from '../errors.js';
import { checkNewFolder, freeBytes, withIo, writeFolder } from '../files.js';
import type { JsonObject } from '../json.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import { convertTensor } from './convert.js';
import { readGgufHeader } from './header.js';
import { Metadata } from './metadata.js';
import { type Architecture, configJson, readModelShape } from './model-config.js';
import { modelTensors } from './tensor-names.js';
import { importTokenizer } from './tokenizer.js';
import { WeightFiles, weightBytes } from './weight-files.js';

export interface GgufImport {
  readonly architecture: Architecture;
  readonly numParameters: number;
  /** Weights of each type that the file has, the most first. */
  readonly types: readonly { readonly name: string; readonly weights: number }[];
  /** Size of the safetensors files. */
  readonly weightBytes: number;
  /** ||bf16(w) - w|| / ||w|| over all weights as dequantised in f32; 0 when they all are bf16 numbers. */
  readonly roundingError: number;
  /** What the user should know. */
  readonly notes: readonly string[];
}

export interface ImportHooks {
  /** Weights done, of all. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
  /** Looks at the folder before any weight is written: config.json and the tokenizer are there. What it throws ends the import. */
  readonly check?: (folder: string) => void | Promise<void>;
}

/** What the other files and the metadata of the file system may take. */
const spareBytes = 64e6;

/**
 * Reads a GGUF file and writes the folder, whole or not at all. Weights go tensor by tensor, a few MB at a time.
 * @param folder must not exist
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED, LIMR_NUMERIC, LIMR_ABORTED
 */
export async function importGguf(file: string, folder: string, hooks: ImportHooks = {}): Promise<GgufImport> {
  await checkNewFolder(folder);
  const header = readGgufHeader(file);
  const metadata = new Metadata(file, header.metadata);
  const shape = readModelShape(metadata, header.tensors);
  const tensors = modelTensors(header, shape);
  const { tokenizer, config, ids, notes } = importTokenizer(metadata, shape.vocabulary, shape.contextLength);
  new Tokenizer(tokenizer, config, file); // refuses what this engine would not cut exactly
  const bytes = tensors.reduce((sum, tensor) => sum + weightBytes(tensor), 0);
  await checkSpace(folder, bytes + spareBytes);

  const total = bytes / 2;
  let [done, squaredError, squaredNorm] = [0, 0, 0];
  await writeFolder(folder, async (temporary) => {
    const put = (name: string, content: JsonObject) => writeJson(join(temporary, name), content);
    await put('config.json', configJson(shape, ids));
    await put('generation_config.json', ids);
    await put('tokenizer.json', tokenizer);
    await put('tokenizer_config.json', config);
    await hooks.check?.(temporary);
    const weights = new WeightFiles(temporary, tensors);
    const handle = await withIo(`read ${file}`, () => open(file, 'r'));
    try {
      for (const tensor of tensors) {
        const rounding = await convertTensor(handle, file, tensor, async (piece) => {
          if (hooks.signal?.aborted === true) throw new LimrError('LIMR_ABORTED', 'the import was interrupted');
          await weights.write(piece);
          done += piece.length;
          hooks.onProgress?.(done, total);
        });
        squaredError += rounding.squaredError;
        squaredNorm += rounding.squaredNorm;
      }
      await weights.finish();
    } finally {
      await weights.close();
      await handle.close();
    }
  });
  return {
    architecture: shape.architecture,
    numParameters: total,
    types: countTypes(tensors.map(({ source }) => source)),
    weightBytes: bytes,
    roundingError: squaredNorm === 0 ? 0 : Math.sqrt(squaredError / squaredNorm),
    notes,
  };
}

/** @throws {LimrError} LIMR_IO */
async function checkSpace(folder: string, bytes: number): Promise<void> {
  const free = await freeBytes(folder);
  if (free >= bytes) return;
  throw new LimrError(
    'LIMR_IO',
    `cannot write ${folder}: ${formatBytes(bytes)} are needed, and ${formatBytes(free)} are free`,
    'Free some space, or choose a folder on another disk.',
  );
}

const writeJson = (file: string, content: JsonObject): Promise<void> =>
  withIo(`write ${file}`, () => writeFile(file, `${JSON.stringify(content, null, 2)}\n`));

function countTypes(
  sources: readonly { readonly type: { readonly name: string }; readonly shape: readonly number[] }[],
) {
  const counts = new Map<string, number>();
  for (const { type, shape } of sources) {
    const weights = shape.reduce((product, size) => product * size, 1);
    counts.set(type.name, (counts.get(type.name) ?? 0) + weights);
  }
  return Array.from(counts, ([name, weights]) => ({ name, weights })).sort((a, b) => b.weights - a.weights);
}
