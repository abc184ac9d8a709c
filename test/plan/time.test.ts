import { describe, expect, it } from 'vitest';
import { duration } from '../../src/cli/commands/plan.js';
import { shrink, sizesOnGpu } from '../../src/launch/calibrate.js';
import { assumedShares, assumedSpeed, forwardFlops, h100, multipliedWeights, planTime } from '../../src/plan/time.js';
import { resolveTrainConfig } from '../../src/ppo/config.js';

const shape = {
  layers: 2,
  hiddenSize: 8,
  intermediateSize: 10,
  heads: 2,
  kvHeads: 1,
  headDim: 4,
  vocabSize: 100,
};
/** A layer: q and o 8x8 each, k and v 8x4 each, three of 8x10; the head 8x100. */
const weights = 2 * (128 + 64 + 240) + 800;

describe('the work of a run', () => {
  it('is two flop a weight, and four a key and dimension', () => {
    expect(multipliedWeights(shape)).toBe(weights);
    // 3 tokens see 1, 2 and 3 keys: q.k and p.v, 2 flop each, over 2 layers x 2 heads x 4 dimensions.
    expect(3 * forwardFlops(shape, 3)).toBe(3 * 2 * weights + (1 + 2 + 3) * 4 * 2 * 2 * 4);
  });

  it('over the speeds of a machine is its time', () => {
    const config = resolveTrainConfig({
      ...{ rollouts: 5, rolloutBatchSize: 4, nSamplesPerPrompt: 2, trainBatchSize: 8, maxEpochs: 2 },
      ...{ promptMaxLen: 6, generateMaxLen: 4 },
    });
    const speed = { forward: 10, train: 20, decode: 5, attend: 4, numParameters: 1 };
    const time = planTime(config, shape, speed);
    const forward = 80 * forwardFlops(shape, 10); // 8 samples of 10 tokens
    const prefill = (24 * forwardFlops(shape, 6)) / 10; // 4 prompts of 6 tokens
    const decode = 32 * ((2 * weights) / 5 + (8 * 64) / 4); // 32 tokens, 8 keys before each in the mean
    expect(time.samplingSeconds).toBeCloseTo(prefill + decode, 6);
    expect(time.scoringSeconds).toBeCloseTo((2 * forward) / 10, 6); // reference and critic
    expect(time.trainingSeconds).toBeCloseTo((2 * 2 * 3 * forward) / 20, 6); // two models, two epochs
    expect(time.totalSeconds).toBeCloseTo(5 * (time.samplingSeconds + time.scoringSeconds + time.trainingSeconds), 4);
    const alone = planTime(resolveTrainConfig({ ...config, initKlCoef: 0, advantageEstimator: 'rloo' }), shape, speed);
    expect(alone.scoringSeconds).toBe(0);
    expect(alone.trainingSeconds).toBeCloseTo(time.trainingSeconds / 2, 6);
  });

  it('of a GPU that is not here follows from its peaks', () => {
    const { flops, bytes } = { flops: assumedShares.flops * h100.flops, bytes: assumedShares.bytes * h100.bytes };
    // One sequence reads 2 bytes for every 2 flop; two heads share the keys of one. 512 sequences are limited by products.
    expect(assumedSpeed(shape, 1)).toEqual({
      forward: flops,
      train: flops,
      decode: bytes,
      attend: 2 * bytes,
      numParameters: 0,
    });
    expect(assumedSpeed(shape, 512).decode).toBe(flops);
  });

  it('is told in units that people use', () => {
    expect([0.123, 45, 720, 12_240, 700_000].map(duration)).toEqual(['0.12 s', '45 s', '12 min', '3.4 h', '8.1 days']);
  });
});

describe('the model that a machine is measured on', () => {
  const config = (layers: number, hidden: number, intermediate: number, heads: number, kv: number, vocab: number) => ({
    model_type: 'qwen2',
    num_hidden_layers: layers,
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_attention_heads: heads,
    num_key_value_heads: kv,
    vocab_size: vocab,
    eos_token_id: vocab - 1,
  });

  it('is larger on a GPU, where it fits', () => {
    const qwen = config(28, 3584, 18_944, 28, 4, 152_064);
    expect(shrink(qwen, sizesOnGpu(80e9).weights)).toMatchObject({ num_hidden_layers: 2, hidden_size: 3584 });
    expect(sizesOnGpu(80e9).tokens).toBe(8192);
    const { weights, tokens } = sizesOnGpu(3e9);
    expect([14 * weights <= 1e9 + 1, tokens < 8192]).toEqual([true, true]);
  });

  it('is the planned one where that is small', () => {
    const nano = config(6, 192, 512, 6, 2, 288);
    expect(shrink(nano)).toEqual(nano);
  });

  it('has fewer tokens and layers where it is not', () => {
    const small = shrink(config(24, 896, 4864, 14, 2, 151_936)); // Qwen2.5-0.5B
    expect(small).toMatchObject({ hidden_size: 896, vocab_size: 8192, num_hidden_layers: 2, num_attention_heads: 14 });
    expect(small).not.toHaveProperty('eos_token_id');
  });

  it('is narrower where one layer is too large', () => {
    const small = shrink(config(28, 3584, 18_944, 28, 4, 152_064)); // Qwen2.5-Math-7B
    expect(small).toMatchObject({ hidden_size: 896, num_attention_heads: 7, num_key_value_heads: 1 });
  });
});
