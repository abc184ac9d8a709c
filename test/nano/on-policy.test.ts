/**
 * Promise 1 on limr-nano's own weights: the log-probs that the sampler reports are the scorer's, bit for bit, whatever the
 * batch, the chunks of the prefill, the size of the cache and the number of threads; and every instruction set of this CPU
 * gives the same tokens and bits. test/native/engine/on_policy.test.cc holds it on random weights of every family.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadNative, type NativeModel, type NativePacked, type NativeSample } from '../../src/native.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';

const folder = fileURLToPath(new URL('../../models/limr-nano', import.meta.url));
const addon = loadNative();

function pack(sequences: readonly (readonly number[])[]): NativePacked {
  const offsets = new Int32Array(sequences.length + 1);
  sequences.forEach((s, i) => {
    offsets[i + 1] = (offsets[i] ?? 0) + s.length;
  });
  return { tokens: Int32Array.from(sequences.flat()), offsets };
}

async function prompts(): Promise<number[][]> {
  const tokenizer = await Tokenizer.load(folder);
  const lines = readFileSync(join(folder, 'heldout.jsonl'), 'utf8').trim().split('\n');
  // Prompts of one page and of two: the second kind repeats a question in front of another.
  const texts = lines.slice(0, 8).map((line) => (JSON.parse(line) as { prompt: string }).prompt);
  return [...texts, ...texts.slice(0, 4).map((text, i) => `${texts[i + 4]}1\n${text}`)].map((text) => [
    ...tokenizer.encode(text),
  ]);
}

interface Setting {
  readonly maxBatch: number;
  readonly prefillChunk: number;
  readonly kvCacheBytes: number;
}

async function sample(model: NativeModel, given: readonly number[][], setting: Setting) {
  const samples: NativeSample[] = [];
  const stats = await model.generate(
    {
      ...pack(given),
      rows: Int32Array.from(given, (_, i) => i),
      samplesPerPrompt: 3,
      seed: 1,
      purpose: 0,
      rollout: 0,
      temperature: 1,
      topK: 0,
      topP: 1,
      minP: 0,
      logprobTemperature: 1,
      minTokens: 1,
      maxTokens: 48,
      eosTokenIds: Int32Array.of(256),
      stopStrings: [],
      bannedTokenIds: new Int32Array(0),
      maxUnacknowledged: 0,
      ...setting,
    },
    (finished) => samples.push(...finished),
  );
  samples.sort((a, b) => a.prompt - b.prompt || a.sample - b.sample);
  return { samples, stats };
}

const bits = (values: Float32Array) => Buffer.from(values.slice().buffer).toString('hex');

async function expectScored(model: NativeModel, given: readonly number[][], samples: readonly NativeSample[]) {
  for (const order of [samples, [...samples].reverse()]) {
    const packed = pack(order.map((s) => [...(given[s.prompt] ?? []), ...s.tokens]));
    const { logprobs } = await model.score({ ...packed, temperature: 1, maxTokens: order === samples ? 1 << 20 : 300 });
    order.forEach((s, i) => {
      const end = packed.offsets[i + 1] ?? 0;
      expect(bits(logprobs.subarray(end - s.tokens.length, end))).toBe(bits(s.logprobs));
    });
  }
}

describe('promise 1 on limr-nano', () => {
  it('holds for every batch, chunk, cache, thread count and instruction set', async () => {
    const given = await prompts();
    const ran: string[] = [];
    let first: NativeSample[] | undefined;
    const { isas } = addon.machine();
    for (const isa of isas) {
      for (const threads of isa === isas[0] ? [1, 2, 3] : [2]) {
        const context = addon.createContext({ threads, isa, memoryLimitBytes: 0, checkNans: false });
        const model = await context.load({
          dir: folder,
          head: 'lm',
          trainable: false,
          randomSeed: -1,
          valueHeadSeed: 0,
          activationCheckpointing: false,
        });
        const { numHiddenLayers, numKeyValueHeads, headDim } = model.info;
        const pageBytes = numHiddenLayers * numKeyValueHeads * headDim * 2 * 32 * 2;
        const settings: Setting[] = [
          { maxBatch: 7, prefillChunk: 16, kvCacheBytes: 0 },
          { maxBatch: 64, prefillChunk: 512, kvCacheBytes: 0 },
          { maxBatch: 64, prefillChunk: 64, kvCacheBytes: 10 * pageBytes },
        ];
        if (isa !== 'scalar') settings.push({ maxBatch: 1, prefillChunk: 512, kvCacheBytes: 0 });
        for (const setting of settings) {
          const { samples, stats } = await sample(model, given, setting);
          if (setting.kvCacheBytes > 0) expect(stats.preemptions).toBeGreaterThan(0);
          await expectScored(model, given, samples);
          first ??= samples;
          expect(samples.map((s) => [...s.tokens])).toEqual(first.map((s) => [...s.tokens]));
          expect(samples.map((s) => bits(s.logprobs))).toEqual(first.map((s) => bits(s.logprobs)));
        }
        await model.close();
      }
      ran.push(isa);
    }
    console.log(`promise 1 on limr-nano: ${ran.join(', ')} ran, and agree with each other to the bit`);
  }, 600_000);
});
