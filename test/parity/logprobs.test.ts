/** Per-token log-probs and entropies are no further from f32 than transformers' own bf16, in the mean and in RMS. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeContext, NativeModel } from '../../src/native.js';
import { lmGoldens, openContext, withModel } from './golden.js';
import { type Distance, distance, pooled } from './measures.js';

describe('log-probs against transformers', () => {
  let context: NativeContext;
  beforeAll(() => {
    context = openContext();
  });
  afterAll(() => context.close());

  for (const golden of lmGoldens()) {
    it(`${golden.name}: packed sequences of odd lengths`, async () => {
      const ours: Record<string, Distance[]> = { logprobs: [], logprobs_t07: [], entropy: [] };
      const peers: Record<string, Distance[]> = { logprobs: [], logprobs_t07: [], entropy: [] };
      const compare = (key: string, prefix: string, got: Float32Array) => {
        const want = golden.f32(prefix + key);
        ours[key]!.push(distance(got, want));
        peers[key]!.push(distance(golden.f32(`${prefix}bf16.${key}`), want));
      };
      const score = async (model: NativeModel) => {
        for (const prefix of golden.report.batches) {
          const batch = golden.packed(prefix);
          const plain = await model.score({ ...batch, temperature: 1, maxTokens: 128 });
          const sharp = await model.score({ ...batch, temperature: 0.7, maxTokens: batch.tokens.length });
          for (const first of batch.offsets.subarray(0, -1)) {
            expect(plain.logprobs[first]).toBeNaN();
            expect(plain.entropy[first]).toBeNaN();
          }
          compare('logprobs', prefix, plain.logprobs);
          compare('entropy', prefix, plain.entropy);
          compare('logprobs_t07', prefix, sharp.logprobs);
        }
      };
      await withModel(context, golden.dir, score, { trainable: false });
      for (const key of Object.keys(ours)) {
        const mine = pooled(ours[key]!);
        const theirs = pooled(peers[key]!);
        const meanAbs = mine.meanAbs / theirs.meanAbs;
        const rms = mine.rms / theirs.rms;
        console.log(
          `parity ${golden.name} ${key}: mean ${meanAbs.toFixed(3)}, RMS ${rms.toFixed(3)} of transformers' bf16`,
        );
        expect(meanAbs, `${key}, mean error over transformers'`).toBeLessThanOrEqual(1);
        expect(rms, `${key}, RMS error over transformers'`).toBeLessThanOrEqual(1);
      }
    });
  }
});
