/**
 * Gradients of a weighted cross-entropy: RMS error against f32 at most 1.1 times transformers' bf16 for every tensor, and at
 * most 1.0 times in geometric mean. Errors are pooled over the batches that have a reference.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeContext, NativeModel } from '../../src/native.js';
import { type Golden, type LmReport, lmGoldens, openContext, readGradients, withModel } from './golden.js';
import { type Distance, distance, geometricMean, pooled, sum } from './measures.js';

async function crossEntropyGradients(model: NativeModel, golden: Golden<LmReport>, prefix: string) {
  await model.zeroGrad();
  const weights = golden.f32(`${prefix}weights`);
  const packed = golden.packed(prefix);
  const terms = await model.accumulate(packed, { kind: 'cross_entropy', weights, temperature: 1 });
  expect(terms.nonFinite).toBe('');
  return { loss: sum(terms.losses), gradients: readGradients(model) };
}

describe('gradients against transformers', () => {
  let context: NativeContext;
  beforeAll(() => {
    context = openContext();
  });
  afterAll(() => context.close());

  for (const golden of lmGoldens()) {
    it(`${golden.name}: every parameter`, async () => {
      const errors = new Map<string, Distance[]>();
      const compare = async (model: NativeModel) => {
        const { batches, vector_batches: vectorBatches } = golden.report;
        for (const prefix of [...batches, ...vectorBatches]) {
          const { gradients } = await crossEntropyGradients(model, golden, prefix);
          const want = golden.gradients(prefix);
          if (batches.includes(prefix)) expect([...gradients.keys()]).toEqual([...want.keys()]);
          expect(want.size).toBeGreaterThan(0);
          for (const [name, reference] of want) {
            errors.set(name, [...(errors.get(name) ?? []), distance(gradients.get(name)!, reference)]);
          }
        }
      };
      await withModel(context, golden.dir, compare);
      const ratios = [...errors].map(([name, parts]) => ({
        name,
        ratio: pooled(parts).rms / golden.report.bf16.grad_rms[name]!,
      }));
      ratios.sort((a, b) => b.ratio - a.ratio);
      const mean = geometricMean(ratios.map(({ ratio }) => ratio));
      const worst = ratios[0]!;
      console.log(
        `parity ${golden.name} gradients: ${mean.toFixed(3)} of transformers' bf16 in geometric mean over ` +
          `${ratios.length} tensors, at most ${worst.ratio.toFixed(3)} (${worst.name})`,
      );
      expect(ratios.filter(({ ratio }) => !(ratio <= 1.1))).toEqual([]);
      expect(mean).toBeLessThanOrEqual(1);
    });
  }

  it('are the same bits with and without recomputed activations', async () => {
    const golden = lmGoldens()[0]!;
    const run = (activationCheckpointing: boolean) =>
      withModel(context, golden.dir, (model) => crossEntropyGradients(model, golden, 'b0.'), {
        activationCheckpointing,
      });
    const [kept, recomputed] = [await run(false), await run(true)];
    expect(recomputed.loss).toBe(kept.loss);
    const bits = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    const differ = [...kept.gradients].filter(
      ([name, data]) => !bits(data).equals(bits(recomputed.gradients.get(name)!)),
    );
    expect(differ.map(([name]) => name)).toEqual([]);
  });
});
