/** Tensors that are stored as numbers. */
import { f32OfHalf } from '../half.js';

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function dequantiseF32(bytes: Uint8Array, out: Float32Array): void {
  const view = viewOf(bytes);
  for (let i = 0; i < out.length; ++i) out[i] = view.getFloat32(4 * i, true);
}

export function dequantiseF16(bytes: Uint8Array, out: Float32Array): void {
  const view = viewOf(bytes);
  for (let i = 0; i < out.length; ++i) out[i] = f32OfHalf[view.getUint16(2 * i, true)]!;
}

/** The upper half of an f32. */
export function dequantiseBf16(bytes: Uint8Array, out: Float32Array): void {
  const view = viewOf(bytes);
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < out.length; ++i) words[i] = view.getUint16(2 * i, true) << 16;
}
