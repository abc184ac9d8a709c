/** Greedy continuations are f32's, up to choices whose f32 top-2 margin is within the error that bf16 was measured to make. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeContext, NativeSample } from '../../src/native.js';
import { lmGoldens, openContext, withModel } from './golden.js';

describe('greedy continuations against transformers', () => {
  let context: NativeContext;
  beforeAll(() => {
    context = openContext();
  });
  afterAll(() => context.close());

  for (const golden of lmGoldens()) {
    it(`${golden.name}: four prompts of 1 to 33 tokens`, async () => {
      const prompts = golden.packed('greedy.prompt_');
      const count = prompts.offsets.length - 1;
      const want = golden.i32('greedy.tokens');
      const margins = golden.f32('greedy.margins');
      const maxTokens = want.length / count;
      const samples: NativeSample[] = [];
      await withModel(
        context,
        golden.dir,
        async (model) => {
          const take = (finished: NativeSample[]) => {
            samples.push(...finished);
            model.acknowledge(finished.length);
          };
          await model.generate(
            {
              ...prompts,
              rows: Int32Array.from({ length: count }, (_, i) => i),
              samplesPerPrompt: 1,
              seed: 1,
              purpose: 0,
              rollout: 0,
              temperature: 0,
              topK: 0,
              topP: 1,
              minP: 0,
              logprobTemperature: 1,
              minTokens: 0,
              maxTokens,
              eosTokenIds: new Int32Array(),
              stopStrings: [],
              bannedTokenIds: new Int32Array(),
              maxBatch: count,
              prefillChunk: 64,
              kvCacheBytes: 0,
              maxUnacknowledged: 16,
            },
            take,
          );
        },
        { trainable: false },
      );
      expect(samples.map((s) => s.prompt).sort()).toEqual([0, 1, 2, 3]);
      let agreed = 0;
      for (const { prompt, tokens, stopReason } of samples) {
        expect(stopReason).toBe('length');
        expect(tokens.length).toBe(maxTokens);
        const row = want.subarray(prompt * maxTokens, (prompt + 1) * maxTokens);
        const parting = row.findIndex((token, i) => token !== tokens[i]);
        agreed += parting < 0 ? maxTokens : parting;
        if (parting < 0) continue;
        const margin = margins[prompt * maxTokens + parting]!;
        expect(margin, `prompt ${prompt}, token ${parting}`).toBeLessThan(golden.report.bf16.margin_error);
      }
      console.log(`parity ${golden.name} greedy: ${agreed} of ${want.length} tokens before the first close call`);
      expect(agreed).toBeGreaterThan(want.length / 4);
    });
  }
});
