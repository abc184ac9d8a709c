/** The safetensors format, as far as f32 results need it. https://github.com/huggingface/safetensors#format */
import { writeDurably } from '../files.js';

interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** @throws {LimrError} LIMR_IO */
export async function writeSafetensors(file: string, tensors: readonly NamedTensor[]): Promise<void> {
  await writeDurably(file, encodeSafetensors(tensors));
}

/** Header length (u64), JSON header padded with spaces to 8 bytes, then the data in order; all little-endian. */
function encodeSafetensors(tensors: readonly NamedTensor[]): Uint8Array {
  let end = 0;
  const entries = tensors.map(({ name, shape, data }) => {
    const begin = end;
    end += data.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, end] }] as const;
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  const header = new TextEncoder().encode(json.padEnd(json.length + ((8 - (json.length % 8)) % 8)));
  const bytes = new Uint8Array(8 + header.length + end);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(header.length), true);
  bytes.set(header, 8);
  let at = 8 + header.length;
  for (const { data } of tensors) {
    for (const value of data) {
      view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}
