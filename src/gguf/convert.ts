/** A tensor's weights, from GGUF's blocks to bf16 in Hugging Face's order, a piece at a time. */
import type { FileHandle } from 'node:fs/promises';
import { LimrError } from '../errors.js';
import { type Rounding, roundToBf16 } from './half.js';
import type { ModelTensor } from './tensor-names.js';

/** Weights converted at once, unless a row or a permuted head has more. */
const pieceWeights = 1 << 20;

/**
 * @param take gets the weights in order; their array is used again for the next piece
 * @returns what rounding to bf16 changed
 * @throws {LimrError} LIMR_FORMAT when the file ends early; LIMR_NUMERIC for weights that are not finite
 */
export async function convertTensor(
  handle: FileHandle,
  file: string,
  { source, permutedHead }: ModelTensor,
  take: (weights: Uint16Array) => Promise<void>,
): Promise<Rounding> {
  const { type, shape, name } = source;
  const rows = shape.length === 1 && permutedHead === 0 ? 1 : (shape[0] ?? 1);
  const columns = shape.reduce((product, size) => product * size, 1) / rows;
  const unit = permutedHead === 0 ? 1 : permutedHead;
  const step = Math.max(1, Math.floor(pieceWeights / (columns * unit))) * unit;
  const rowBytes = source.bytes / rows;
  const bytes = new Uint8Array(Math.min(step, rows) * rowBytes);
  const values = new Float32Array(Math.min(step, rows) * columns);
  const weights = new Uint16Array(values.length);
  const ordered = permutedHead === 0 ? weights : new Uint16Array(values.length);
  let [squaredError, squaredNorm] = [0, 0];
  for (let row = 0; row < rows; row += step) {
    const count = Math.min(step, rows - row);
    const [blocks, out] = [bytes.subarray(0, count * rowBytes), values.subarray(0, count * columns)];
    await readAll(handle, file, blocks, source.offset + row * rowBytes);
    type.dequantise(blocks, out);
    const rounding = roundToBf16(out, weights);
    if (rounding === undefined) {
      const at = `tensor ${name}, rows ${row} to ${row + count - 1}`;
      throw new LimrError(
        'LIMR_NUMERIC',
        `${file}: ${at}: a weight is infinite or not a number`,
        'Take the file again.',
      );
    }
    squaredError += rounding.squaredError;
    squaredNorm += rounding.squaredNorm;
    if (permutedHead > 0) unpermute(weights, ordered, count, columns, permutedHead);
    await take(ordered.subarray(0, count * columns));
  }
  return { squaredError, squaredNorm };
}

/**
 * Row 2i + j of a head in GGUF is row j D/2 + i of Hugging Face's.
 * https://github.com/ggml-org/llama.cpp/blob/master/convert_hf_to_gguf.py, LlamaModel.permute
 */
function unpermute(from: Uint16Array, to: Uint16Array, rows: number, columns: number, head: number): void {
  for (let row = 0; row < rows; ++row) {
    const within = row % head;
    const source = row - within + 2 * (within % (head / 2)) + (within < head / 2 ? 0 : 1);
    to.set(from.subarray(source * columns, (source + 1) * columns), row * columns);
  }
}

async function readAll(handle: FileHandle, file: string, into: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < into.length; ) {
    const { bytesRead } = await handle.read(into, done, into.length - done, position + done);
    if (bytesRead === 0) throw new LimrError('LIMR_FORMAT', `${file} was cut while it was read`, 'Take it again.');
    done += bytesRead;
  }
}
