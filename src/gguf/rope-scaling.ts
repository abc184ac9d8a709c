/**
 * Llama 3's frequency scaling. GGUF keeps what it does, a factor for each frequency (rope_freqs.weight, f32 [head_dim / 2]), where
 * config.json names the parameters. They are found again by trying those that models have, and must give the same factors.
 *   wavelength w = 2 pi / f;  old = original_max_position_embeddings;  low, high = low_freq_factor, high_freq_factor
 *   w < old / high: 1;  w > old / low: factor;  between: 1 / ((1 - s) / factor + s),  s = (old / w - low) / (high - low)
 * https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py, LlamaModel.generate_extra_tensors
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { LimrError } from '../errors.js';
import { ioError } from '../files.js';
import type { JsonObject } from '../json.js';
import type { TensorInfo } from './header.js';

const originals = [8192, 4096, 2048, 16384, 32768, 65536, 131072];
const [low, high] = [1, 4];
/** The file's factors came from f32 arithmetic over powers of theta. */
const tolerance = 1e-4;

/** @returns undefined without the tensor. @throws {LimrError} LIMR_IO; LIMR_UNSUPPORTED when no parameters give its factors */
export function ropeScaling(
  file: string,
  tensor: TensorInfo | undefined,
  theta: number,
  headDim: number,
): JsonObject | undefined {
  if (tensor === undefined) return undefined;
  const factors = readFactors(file, tensor);
  if (factors.every((factor) => factor === 1)) return undefined;
  const factor = Math.max(...factors);
  const original = originals.find((old) => {
    const expected = Array.from({ length: headDim / 2 }, (_, i) =>
      factorOf(theta ** ((-2 * i) / headDim), factor, old),
    );
    return (
      expected.length === factors.length &&
      factors.every((found, i) => Math.abs(found - expected[i]!) <= tolerance * expected[i]!)
    );
  });
  if (original === undefined) {
    throw new LimrError(
      'LIMR_UNSUPPORTED',
      `${file}: the factors of ${tensor.name} are not those of Llama 3's frequency scaling`,
      'Other ways to stretch the context are not implemented; choose another model.',
    );
  }
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: low,
    high_freq_factor: high,
    original_max_position_embeddings: original,
  };
}

function factorOf(frequency: number, factor: number, original: number): number {
  const turns = (original * frequency) / (2 * Math.PI);
  if (turns > high) return 1;
  if (turns < low) return factor;
  const smooth = (turns - low) / (high - low);
  return 1 / ((1 - smooth) / factor + smooth);
}

function readFactors(file: string, { type, bytes, offset, shape }: TensorInfo): number[] {
  const data = new Uint8Array(bytes);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, data, 0, bytes, offset);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw ioError(`cannot read ${file}`, error);
  }
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  type.dequantise(data, values);
  return Array.from(values);
}
