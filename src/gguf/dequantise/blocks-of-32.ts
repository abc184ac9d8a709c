/**
 * Quantisations in blocks of 32 weights, d and m in half precision, with x = d q or x = d q + m. Of the 16 bytes of nibbles, the low
 * ones are weights 0 to 15, the high ones 16 to 31. Products and sums round to f32 one by one, as ggml's do.
 * https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h has the structures, ggml-quants.c dequantize_row_* the meaning.
 */
import { f32OfHalf } from '../half.js';

const half = (bytes: Uint8Array, at: number): number => f32OfHalf[bytes[at]! | (bytes[at + 1]! << 8)]!;

/** d, 32 x i8 */
export function dequantiseQ8_0(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 34, o += 32) {
    const d = half(bytes, at);
    for (let i = 0; i < 32; ++i) out[o + i] = d * ((bytes[at + 2 + i]! << 24) >> 24);
  }
}

/** d, 16 bytes of nibbles; q - 8 */
export function dequantiseQ4_0(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 18, o += 32) {
    const d = half(bytes, at);
    for (let i = 0; i < 16; ++i) {
      const pair = bytes[at + 2 + i]!;
      out[o + i] = d * ((pair & 15) - 8);
      out[o + 16 + i] = d * ((pair >> 4) - 8);
    }
  }
}

/** d, m, 16 bytes of nibbles */
export function dequantiseQ4_1(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 20, o += 32) {
    const [d, m] = [half(bytes, at), half(bytes, at + 2)];
    for (let i = 0; i < 16; ++i) {
      const pair = bytes[at + 4 + i]!;
      out[o + i] = Math.fround(d * (pair & 15)) + m;
      out[o + 16 + i] = Math.fround(d * (pair >> 4)) + m;
    }
  }
}

/** d, fifth bits (u32, bit i of weight i), 16 bytes of nibbles; q - 16 */
export function dequantiseQ5_0(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 22, o += 32) {
    const d = half(bytes, at);
    for (let i = 0; i < 16; ++i) {
      const pair = bytes[at + 6 + i]!;
      out[o + i] = d * ((pair & 15) + fifthBit(bytes, at + 2, i) - 16);
      out[o + 16 + i] = d * ((pair >> 4) + fifthBit(bytes, at + 2, 16 + i) - 16);
    }
  }
}

/** d, m, fifth bits, 16 bytes of nibbles */
export function dequantiseQ5_1(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 24, o += 32) {
    const [d, m] = [half(bytes, at), half(bytes, at + 2)];
    for (let i = 0; i < 16; ++i) {
      const pair = bytes[at + 8 + i]!;
      out[o + i] = Math.fround(d * ((pair & 15) + fifthBit(bytes, at + 4, i))) + m;
      out[o + 16 + i] = Math.fround(d * ((pair >> 4) + fifthBit(bytes, at + 4, 16 + i))) + m;
    }
  }
}

const fifthBit = (bytes: Uint8Array, at: number, i: number): number => ((bytes[at + (i >> 3)]! >> (i & 7)) & 1) << 4;
