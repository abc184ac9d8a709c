/** The types that GGUF stores tensors in. Numbers and names: enum ggml_type of https://github.com/ggml-org/ggml/blob/master/include/ggml.h */
import {
  dequantiseQ4_0,
  dequantiseQ4_1,
  dequantiseQ5_0,
  dequantiseQ5_1,
  dequantiseQ8_0,
} from './dequantise/blocks-of-32.js';
import { dequantiseQ2K, dequantiseQ3K, dequantiseQ4K, dequantiseQ5K, dequantiseQ6K } from './dequantise/k-quants.js';
import { dequantiseBf16, dequantiseF16, dequantiseF32 } from './dequantise/plain.js';

export interface TensorType {
  readonly name: string;
  /** Weights in a block, and the bytes that it takes. */
  readonly blockSize: number;
  readonly blockBytes: number;
  /**
   * To f32, bit for bit as ggml does it.
   * @param bytes whole blocks
   * @param out as many weights as they hold
   */
  readonly dequantise: (bytes: Uint8Array, out: Float32Array) => void;
}

/** Types that are read, by their number. */
export const tensorTypes: ReadonlyMap<number, TensorType> = new Map([
  [0, { name: 'F32', blockSize: 1, blockBytes: 4, dequantise: dequantiseF32 }],
  [1, { name: 'F16', blockSize: 1, blockBytes: 2, dequantise: dequantiseF16 }],
  [30, { name: 'BF16', blockSize: 1, blockBytes: 2, dequantise: dequantiseBf16 }],
  [8, { name: 'Q8_0', blockSize: 32, blockBytes: 34, dequantise: dequantiseQ8_0 }],
  [2, { name: 'Q4_0', blockSize: 32, blockBytes: 18, dequantise: dequantiseQ4_0 }],
  [3, { name: 'Q4_1', blockSize: 32, blockBytes: 20, dequantise: dequantiseQ4_1 }],
  [6, { name: 'Q5_0', blockSize: 32, blockBytes: 22, dequantise: dequantiseQ5_0 }],
  [7, { name: 'Q5_1', blockSize: 32, blockBytes: 24, dequantise: dequantiseQ5_1 }],
  [10, { name: 'Q2_K', blockSize: 256, blockBytes: 84, dequantise: dequantiseQ2K }],
  [11, { name: 'Q3_K', blockSize: 256, blockBytes: 110, dequantise: dequantiseQ3K }],
  [12, { name: 'Q4_K', blockSize: 256, blockBytes: 144, dequantise: dequantiseQ4K }],
  [13, { name: 'Q5_K', blockSize: 256, blockBytes: 176, dequantise: dequantiseQ5K }],
  [14, { name: 'Q6_K', blockSize: 256, blockBytes: 210, dequantise: dequantiseQ6K }],
]);

/** Names of the types that are not read, for messages. */
const otherTypes: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [9, 'Q8_1'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [31, 'Q4_0_4_4'],
  [32, 'Q4_0_4_8'],
  [33, 'Q4_0_8_8'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
]);

/** "IQ4_NL (type 20)" */
export const typeName = (number: number): string => `${otherTypes.get(number) ?? 'an unknown type'} (type ${number})`;
