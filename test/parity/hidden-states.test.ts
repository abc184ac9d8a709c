/** Mean hidden states against transformers: scripts/golden/hidden_means.py. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeContext, NativeModel } from '../../src/native.js';
import { lmGoldens, openContext, readTensors, withModel } from './golden.js';
import { distance } from './measures.js';

const file = join(import.meta.dirname, '../golden/hidden-means.safetensors');

describe('mean hidden states', () => {
  let context: NativeContext;
  beforeAll(() => {
    context = openContext();
  });
  afterAll(() => context.close());
  const means = readTensors(file);
  const goldens = lmGoldens().filter(({ name }) => means.has(`${name}.f32`));

  it('has references for the models of every family', () => {
    expect(goldens.map(({ name }) => name)).toEqual(['qwen2-tied', 'qwen2-untied', 'qwen3-tied', 'llama-rope3']);
  });

  it.each(goldens)('$name: no further from f32 than transformers in bf16', async (golden) => {
    const reference = (dtype: string) => Float32Array.from(means.get(`${golden.name}.${dtype}`)!.data);
    const run = (model: NativeModel) => model.meanHiddenStates({ ...golden.packed('b0.'), maxTokens: 128 });
    const got = await withModel(context, golden.dir, run, { trainable: false });
    const want = reference('f32');
    const [ours, theirs] = [distance(got, want).rms, distance(reference('bf16'), want).rms];
    console.log(`parity ${golden.name} mean hidden state: RMS ${(ours / theirs).toFixed(3)} of transformers' bf16`);
    expect(ours).toBeLessThanOrEqual(theirs);
    expect(ours).toBeLessThan(0.01 * Math.sqrt(want.reduce((sum, x) => sum + x * x, 0) / want.length));
  });

  it.each(goldens)('$name: the same bits alone, among others, and in any order', async (golden) => {
    const { tokens, offsets } = golden.packed('b0.');
    const sequences = Array.from(offsets.subarray(1), (end, s) => tokens.subarray(offsets[s]!, end));
    await withModel(
      context,
      golden.dir,
      async (model) => {
        const { hiddenSize } = model.info;
        const together = await model.meanHiddenStates({ tokens, offsets, maxTokens: tokens.length });
        for (const [s, sequence] of sequences.entries()) {
          const alone = { tokens: sequence, offsets: Int32Array.of(0, sequence.length), maxTokens: 1 };
          const want = together.slice(s * hiddenSize, (s + 1) * hiddenSize);
          expect(Buffer.from((await model.meanHiddenStates(alone)).buffer)).toEqual(Buffer.from(want.buffer));
        }
        const reversed = sequences.toReversed();
        const turned = await model.meanHiddenStates({
          tokens: Int32Array.from(reversed.flatMap((sequence) => [...sequence])),
          offsets: Int32Array.from([0, ...reversed.keys()], (_, i) =>
            reversed.slice(0, i).reduce((sum, { length }) => sum + length, 0),
          ),
          maxTokens: 200,
        });
        for (const s of sequences.keys()) {
          const at = (sequences.length - 1 - s) * hiddenSize;
          expect([...turned.subarray(at, at + hiddenSize)]).toEqual([
            ...together.subarray(s * hiddenSize, (s + 1) * hiddenSize),
          ]);
        }
      },
      { trainable: false },
    );
  });
});
