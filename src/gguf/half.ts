/** Numbers of 16 bits. */

/** IEEE 754 half precision -> f32, exact. [65536], by the bits. */
export const f32OfHalf: Float32Array = Float32Array.from({ length: 1 << 16 }, (_, bits) => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
});

/** What rounding changed, summed in f64. */
export interface Rounding {
  readonly squaredError: number;
  readonly squaredNorm: number;
}

/**
 * f32 -> bf16, to nearest, ties to even.
 * @param values, out equally long
 * @returns undefined when a value is not finite, or is not any more
 */
export function roundToBf16(values: Float32Array, out: Uint16Array): Rounding | undefined {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const back = new Uint32Array(1);
  const rounded = new Float32Array(back.buffer);
  let [squaredError, squaredNorm] = [0, 0];
  for (let i = 0; i < values.length; ++i) {
    const word = bits[i]!;
    const half = (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
    if ((half & 0x7f80) === 0x7f80 || (word & 0x7f800000) === 0x7f800000) return undefined;
    out[i] = half;
    back[0] = half << 16;
    const value = values[i]!;
    const error = value - rounded[0]!;
    squaredError += error * error;
    squaredNorm += value * value;
  }
  return { squaredError, squaredNorm };
}
