/** Cases of single linear layers, at the shapes that the engine fuses a model's products to. */
import type { Engine } from '../engine/engine.js';
import type { LinearOp, NativeLinear } from '../native.js';
import type { ModelShape } from '../plan/time.js';
import { type BenchCase, limitOf } from './case.js';

export interface LinearShape {
  readonly layer: string;
  readonly outputs: number;
  readonly inputs: number;
}

/** The products of a layer, and the head. */
export function linearShapes(shape: ModelShape): LinearShape[] {
  const { hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabSize } = shape;
  return [
    { layer: 'qkv', outputs: (heads + 2 * kvHeads) * headDim, inputs: hiddenSize },
    { layer: 'out', outputs: hiddenSize, inputs: heads * headDim },
    { layer: 'gate_up', outputs: 2 * intermediateSize, inputs: hiddenSize },
    { layer: 'down', outputs: hiddenSize, inputs: intermediateSize },
    { layer: 'head', outputs: vocabSize, inputs: hiddenSize },
  ];
}

/** More than caches hold, as all layers of a model together: each repetition reads another copy. */
const rotateBytes = 256 * 2 ** 20;
/** Seconds of a repetition at least. */
const repetitionSeconds = 0.01;

/** Operands of a case are made for each repetition and freed after it, so that cases together take no more memory than the largest. */
export function gemmCase(engine: Engine, op: LinearOp, shape: LinearShape, tokens: number): BenchCase {
  const { layer, outputs, inputs } = shape;
  const flops = 2 * tokens * outputs * inputs;
  const bytes = 2 * tokens * (outputs + inputs) + (op === 'dweight' ? 8 : 2) * outputs * inputs;
  return {
    name: `${op} ${layer} [${tokens},${inputs}]x[${inputs},${outputs}]`,
    suite: 'gemm',
    unit: 'FLOP',
    amount: flops,
    flops,
    bytes,
    limit: limitOf(flops, bytes),
    run: async () => {
      const linear: NativeLinear = await engine.linear({ op, tokens, outputs, inputs, rotateBytes });
      try {
        return await linear.time(repetitionSeconds);
      } finally {
        linear.close();
      }
    },
  };
}
