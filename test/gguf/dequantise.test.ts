/** Every type, bit for bit what gguf-py makes of the same blocks (scripts/golden/gguf_quants.py). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { f32OfHalf, roundToBf16 } from '../../src/gguf/half.js';
import { tensorTypes } from '../../src/gguf/tensor-types.js';

const file = readFileSync(fileURLToPath(new URL('../golden/gguf/quants.safetensors', import.meta.url)));
const length = Number(file.readBigUInt64LE(0));
const header = JSON.parse(file.toString('utf8', 8, 8 + length)) as Record<string, { data_offsets: [number, number] }>;

function stored(name: string): Uint8Array {
  const entry = header[name];
  if (entry === undefined) throw new Error(`no golden ${name}`);
  return new Uint8Array(file.subarray(8 + length + entry.data_offsets[0], 8 + length + entry.data_offsets[1]));
}

describe('dequantisation', () => {
  it.each([...tensorTypes.values()])(
    'of $name equals gguf-py, bit for bit',
    ({ name, blockSize, blockBytes, dequantise }) => {
      const [bytes, want] = [stored(`${name}.bytes`), new Uint32Array(stored(`${name}.f32`).buffer)];
      expect((bytes.length / blockBytes) * blockSize).toBe(want.length);
      expect(want.length).toBeGreaterThanOrEqual(64);
      const got = new Float32Array(want.length).fill(Number.NaN);
      dequantise(bytes, got);
      expect(new Uint32Array(got.buffer)).toEqual(want);
    },
  );

  it('reads blocks from anywhere in a buffer', () => {
    for (const { name, dequantise } of tensorTypes.values()) {
      const bytes = stored(`${name}.bytes`);
      const shifted = new Uint8Array(bytes.length + 1);
      shifted.set(bytes, 1);
      const [want, got] = [stored(`${name}.f32`), new Float32Array(stored(`${name}.f32`).length / 4)];
      dequantise(shifted.subarray(1), got);
      expect(new Uint8Array(got.buffer), name).toEqual(want);
    }
  });
});

describe('half precision', () => {
  it('has the values of IEEE 754', () => {
    const cases = [
      [0x0000, 0],
      [0x0001, 2 ** -24],
      [0x03ff, 1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x3c00, 1],
      [0x3555, 0.333251953125],
      [0xc000, -2],
      [0x7bff, 65504],
      [0x7c00, Number.POSITIVE_INFINITY],
      [0xfc00, Number.NEGATIVE_INFINITY],
    ] as const;
    for (const [bits, value] of cases) expect(f32OfHalf[bits]).toBe(value);
    expect(Object.is(f32OfHalf[0x8000], -0)).toBe(true);
    expect(f32OfHalf[0x7e00]).toBeNaN();
  });
});

describe('rounding to bf16', () => {
  const round = (value: number) => {
    const out = new Uint16Array(1);
    const rounding = roundToBf16(Float32Array.of(value), out);
    return { bits: out[0], rounding };
  };

  it('goes to the nearest, ties to even', () => {
    expect(round(1).bits).toBe(0x3f80);
    expect(round(1 + 2 ** -8).bits).toBe(0x3f80); // a tie, down to even
    expect(round(1 + 3 * 2 ** -8).bits).toBe(0x3f82); // a tie, up to even
    expect(round(1 + 2 ** -8 + 2 ** -20).bits).toBe(0x3f81);
    expect(round(-1 - 2 ** -8 - 2 ** -20).bits).toBe(0xbf81);
    expect(round(-0).bits).toBe(0x8000);
    expect(round(2 ** -149).bits).toBe(0);
  });

  it('says what it changed', () => {
    const { rounding } = round(1 + 2 ** -9);
    expect(rounding).toEqual({ squaredError: 2 ** -18, squaredNorm: (1 + 2 ** -9) ** 2 });
  });

  it('refuses what is not finite, before and after', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, -3.4028234663852886e38]) {
      expect(round(value).rounding, String(value)).toBeUndefined();
    }
  });
});
