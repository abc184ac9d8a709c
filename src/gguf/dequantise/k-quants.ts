/**
 * K-quants: blocks of 256 weights, in groups with scales of their own, which are quantised too. d and dmin are in half precision;
 * products and differences round to f32 one by one, as ggml's do.
 * https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h has the structures, ggml-quants.c dequantize_row_* the meaning.
 */
import { f32OfHalf } from '../half.js';

const half = (bytes: Uint8Array, at: number): number => f32OfHalf[bytes[at]! | (bytes[at + 1]! << 8)]!;
const { fround } = Math;

/** 16 bytes of scale and minimum (nibbles), 64 bytes of 2 bits, d, dmin. x = d scale q - dmin minimum, 16 groups of 16 */
export function dequantiseQ2K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 84, o += 256) {
    const [d, dmin] = [half(bytes, at + 80), half(bytes, at + 82)];
    for (let i = 0; i < 256; ++i) {
      const scales = bytes[at + (i >> 4)]!;
      const q = (bytes[at + 16 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) << 1)) & 3;
      out[o + i] = fround(fround(d * (scales & 15)) * q) - fround(dmin * (scales >> 4));
    }
  }
}

/** 32 bytes of third bits, 64 bytes of 2 bits, 12 bytes of 6-bit scales, d. x = d (scale - 32) (q - 4 when the third bit is 0) */
export function dequantiseQ3K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 110, o += 256) {
    const d = half(bytes, at + 108);
    for (let i = 0; i < 256; ++i) {
      const scale = sixBits(bytes, at + 96, i >> 4) - 32;
      const low = (bytes[at + 32 + ((i >> 7) << 5) + (i & 31)]! >> (((i >> 5) & 3) << 1)) & 3;
      const high = (bytes[at + (i & 31)]! >> (i >> 5)) & 1;
      out[o + i] = fround(d * scale) * (high === 1 ? low : low - 4);
    }
  }
}

/** Scale g of Q3_K's sixteen: the low four bits in nibbles of bytes 0 to 7, the high two in bytes 8 to 11. */
function sixBits(bytes: Uint8Array, at: number, g: number): number {
  const low = (bytes[at + (g & 7)]! >> (g < 8 ? 0 : 4)) & 15;
  const high = (bytes[at + 8 + (g & 3)]! >> ((g >> 2) << 1)) & 3;
  return low | (high << 4);
}

/** d, dmin, 12 bytes of scales and minima, 128 bytes of nibbles. x = d scale q - dmin minimum, 8 groups of 32 */
export function dequantiseQ4K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 144, o += 256) {
    for (let g = 0; g < 8; ++g) {
      const { scale, minimum } = groupOf(bytes, at, g);
      const quants = at + 16 + ((g >> 1) << 5);
      const shift = (g & 1) << 2;
      for (let i = 0; i < 32; ++i) {
        out[o + 32 * g + i] = fround(scale * ((bytes[quants + i]! >> shift) & 15)) - minimum;
      }
    }
  }
}

/** d, dmin, 12 bytes of scales and minima, 32 bytes of fifth bits (bit g of byte i), 128 bytes of nibbles */
export function dequantiseQ5K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 176, o += 256) {
    for (let g = 0; g < 8; ++g) {
      const { scale, minimum } = groupOf(bytes, at, g);
      const quants = at + 48 + ((g >> 1) << 5);
      const shift = (g & 1) << 2;
      for (let i = 0; i < 32; ++i) {
        const fifth = ((bytes[at + 16 + i]! >> g) & 1) << 4;
        out[o + 32 * g + i] = fround(scale * (((bytes[quants + i]! >> shift) & 15) | fifth)) - minimum;
      }
    }
  }
}

/** Group g of Q4_K and Q5_K. Groups 0 to 3 have six bits at hand; of the others four stand in bytes 8 to 11, two above the first. */
function groupOf(bytes: Uint8Array, at: number, g: number): { readonly scale: number; readonly minimum: number } {
  const packed = at + 4;
  const [first, second] = [bytes[packed + (g & 3)]!, bytes[packed + 4 + (g & 3)]!];
  const third = bytes[packed + 8 + (g & 3)]!;
  const scale = g < 4 ? first & 63 : (third & 15) | ((first >> 6) << 4);
  const minimum = g < 4 ? second & 63 : (third >> 4) | ((second >> 6) << 4);
  return { scale: fround(half(bytes, at) * scale), minimum: fround(half(bytes, at + 2) * minimum) };
}

/** 128 bytes of low nibbles, 64 bytes of high 2 bits, 16 x i8 scales, d. x = d scale (q - 32), 16 groups of 16 */
export function dequantiseQ6K(bytes: Uint8Array, out: Float32Array): void {
  for (let at = 0, o = 0; o < out.length; at += 210, o += 256) {
    const d = half(bytes, at + 208);
    for (let i = 0; i < 256; ++i) {
      const [part, quarter, column] = [i >> 7, (i >> 5) & 3, i & 31];
      const low = (bytes[at + (part << 6) + ((quarter & 1) << 5) + column]! >> ((quarter >> 1) << 2)) & 15;
      const high = (bytes[at + 128 + (part << 5) + column]! >> (quarter << 1)) & 3;
      const scale = (bytes[at + 192 + (i >> 4)]! << 24) >> 24;
      out[o + i] = fround(d * scale) * ((low | (high << 4)) - 32);
    }
  }
}
