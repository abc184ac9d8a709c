/** What the engine says of a sampling that runs. */
import { expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.js';
import { embeddedModel } from '../../src/launch/embedded.js';

it('counts tokens, and sequences in the batch and before it', async () => {
  const engine = Engine.open({ threads: 1 });
  try {
    const model = await engine.load(embeddedModel);
    expect(model.samplingProgress()).toEqual({ generatedTokens: 0, running: 0, waiting: 0 });
    const prompt = { tokens: model.tokenizerFor('a test').encode('Q: 12 + 30 = ?\nA:', { addSpecialTokens: false }) };
    const samples = model.generate([prompt], {
      samplesPerPrompt: 12,
      maxTokens: 8,
      minTokens: 8,
      maxBatch: 4,
      temperature: 1,
    });
    const seen: { generatedTokens: number; running: number; waiting: number }[] = [];
    let next = await samples.next();
    while (next.done !== true) {
      seen.push(model.samplingProgress());
      next = await samples.next();
    }
    for (const { generatedTokens, running, waiting } of seen) {
      expect(running).toBeLessThanOrEqual(4);
      expect(running + waiting).toBeLessThanOrEqual(12);
      expect(generatedTokens).toBeGreaterThan(0);
    }
    expect(seen.map(({ generatedTokens }) => generatedTokens)).toEqual(
      seen.map(({ generatedTokens }) => generatedTokens).toSorted((a, b) => a - b),
    );
    expect(model.samplingProgress()).toEqual({ generatedTokens: next.value.generatedTokens, running: 0, waiting: 0 });
    expect(next.value.generatedTokens).toBe(12 * 8);
  } finally {
    await engine.close();
  }
});
