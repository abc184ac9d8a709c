/** Hidden states out of logits: the engine hands out logits, which are a linear image of the last hidden state. */
import { LimrError } from '../errors.js';

/** The output head of a model: logits = weight * hidden. */
export interface OutputHead {
  /** [vocab, hidden], row by row. */
  readonly weight: Float32Array;
  readonly hiddenSize: number;
}

/** Relative error of logits made again from what was recovered: bf16 inputs with f32 sums stay far below it. */
const tolerance = 1e-3;

/**
 * Least squares, prepared once a head: h = (W^T W)^-1 W^T y, in f64 by Cholesky. Exact up to the rounding of the logits when W has full
 * column rank, which vocab >= hidden gives a trained model. O(vocab * hidden^2) once, O(vocab * hidden) a vector.
 * @returns what maps logits [vocab], or a mean of such, to the hidden state [hidden] (after the final norm)
 * @throws {LimrError} LIMR_NUMERIC when the head has not full rank, or the logits are none of this head
 */
export function hiddenStateSolver({ weight, hiddenSize }: OutputHead): (logits: Float64Array) => Float32Array {
  const vocab = weight.length / hiddenSize;
  const factor = cholesky(gram(weight, hiddenSize), hiddenSize);
  return (logits) => {
    const hidden = transposeTimes(weight, logits, hiddenSize);
    solve(factor, hidden);
    let [missed, norm] = [0, 0];
    for (let v = 0; v < vocab; ++v) {
      let made = 0;
      for (let c = 0; c < hiddenSize; ++c) made += weight[v * hiddenSize + c]! * hidden[c]!;
      missed += (made - logits[v]!) ** 2;
      norm += logits[v]! ** 2;
    }
    if (!(missed <= tolerance ** 2 * norm)) {
      throw new LimrError(
        'LIMR_NUMERIC',
        `logits are no image of a hidden state: relative error ${Math.sqrt(missed / norm)}`,
      );
    }
    return Float32Array.from(hidden);
  };
}

/** W^T W, its lower triangle, [C, C]. */
function gram(weight: Float32Array, size: number): Float64Array {
  const out = new Float64Array(size * size);
  for (let at = 0; at < weight.length; at += size) {
    for (let i = 0; i < size; ++i) {
      const w = weight[at + i]!;
      for (let j = 0; j <= i; ++j) out[i * size + j]! += w * weight[at + j]!;
    }
  }
  return out;
}

/** L of L L^T, in place. */
function cholesky(matrix: Float64Array, size: number): { readonly lower: Float64Array; readonly size: number } {
  for (let j = 0; j < size; ++j) {
    for (let i = j; i < size; ++i) {
      let sum = matrix[i * size + j]!;
      for (let k = 0; k < j; ++k) sum -= matrix[i * size + k]! * matrix[j * size + k]!;
      if (i === j && !(sum > 0)) {
        throw new LimrError(
          'LIMR_NUMERIC',
          `the output head has no full rank: pivot ${j} is ${sum}`,
          'Give the vectors by --embeddings.',
        );
      }
      matrix[i * size + j] = i === j ? Math.sqrt(sum) : sum / matrix[j * size + j]!;
    }
  }
  return { lower: matrix, size };
}

/** b := (L L^T)^-1 b. */
function solve({ lower, size }: { readonly lower: Float64Array; readonly size: number }, b: Float64Array): void {
  for (let i = 0; i < size; ++i) {
    for (let k = 0; k < i; ++k) b[i]! -= lower[i * size + k]! * b[k]!;
    b[i]! /= lower[i * size + i]!;
  }
  for (let i = size - 1; i >= 0; --i) {
    for (let k = i + 1; k < size; ++k) b[i]! -= lower[k * size + i]! * b[k]!;
    b[i]! /= lower[i * size + i]!;
  }
}

function transposeTimes(weight: Float32Array, y: Float64Array, size: number): Float64Array {
  const out = new Float64Array(size);
  for (let v = 0; v < y.length; ++v) for (let c = 0; c < size; ++c) out[c]! += weight[v * size + c]! * y[v]!;
  return out;
}
