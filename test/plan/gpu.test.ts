/** LIMR's whole recipe on one GPU of 80 GB, by the addon's own arithmetic: no GPU is needed to plan for one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native.js';
import { planMemory } from '../../src/plan/memory.js';
import { memoryTable, planTraining } from '../../src/plan/training.js';
import { resolveTrainConfig, type TrainOverrides } from '../../src/ppo/config.js';
import { recipes } from '../../src/ppo/recipes.js';

/** As Qwen/Qwen2.5-Math-7B has it, with room for LIMR's 4,096 tokens. */
const qwen7b = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  hidden_size: 3584,
  intermediate_size: 18944,
  num_hidden_layers: 28,
  num_attention_heads: 28,
  num_key_value_heads: 4,
  max_position_embeddings: 4096,
  initializer_range: 0.02,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: false,
  vocab_size: 152064,
};

const folder = mkdtempSync(join(tmpdir(), 'limr-plan-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'config.json'), JSON.stringify(qwen7b));

const addon = loadNative();
const gpuBytes = 80e9;
const hostBytes = 128 * 2 ** 30;
const plan = (overrides: TrainOverrides, host = hostBytes) =>
  planTraining({
    config: resolveTrainConfig({ ...recipes.limr, ...overrides }),
    dir: folder,
    threads: 16,
    limitBytes: gpuBytes,
    gpuHostBytes: host,
    numPrompts: 1389,
    planModel: (request) => addon.plan(request),
  });

describe("LIMR's recipe with 7 billion parameters on one GPU of 80 GB", () => {
  it('fits, with 128 GiB of host memory, as models that take turns', () => {
    const { memory, fits } = plan({ optimizerMoments: '8bit' });
    expect(fits).toBe(true);
    expect(memory.placement).toBe('turns');
    const [actor, critic, reference] = memory.models;
    // bf16 weights; the critic has one row where the others have a head of 152,064.
    expect(actor?.weightBytes).toBeGreaterThan(15.2e9);
    expect(actor?.weightBytes).toBeLessThan(15.3e9);
    expect(reference?.weightBytes).toBe(actor?.weightBytes);
    expect(critic?.weightBytes).toBeLessThan(14.2e9);
    // Weights, f32 gradients and the workspace of the one that trains.
    expect(memory.totalBytes).toBeGreaterThan(3 * (actor?.weightBytes ?? 0));
    expect(memory.totalBytes).toBeLessThan(60e9);
    // Resting weights; the low halves of the masters and two moments of one byte, 4 bytes a trained parameter.
    const trained = (actor?.numParameters ?? 0) + (critic?.numParameters ?? 0);
    expect(memory.hostBytes).toBeGreaterThan(memory.weightBytes + 4 * trained * 0.99);
    expect(memory.hostBytes).toBeLessThan(110e9);
    expect(memoryTable(plan({ optimizerMoments: '8bit' })).join('\n')).toContain('one model on the GPU at a time');
  });

  it('does not with moments of 4 bytes, and says which do', () => {
    const { memory, fits } = plan({ optimizerMoments: 'f32' });
    expect(fits).toBe(false);
    expect(memory.hostBytes).toBeGreaterThan(hostBytes);
  });

  it('has room for a cache that a rollout of many long samples fills', () => {
    const cache = 20 * 2 ** 30;
    const { memory, fits } = plan({ optimizerMoments: '8bit', maxBatch: 512, kvCacheBytes: cache });
    expect(fits).toBe(true);
    expect(memory.workspace.generateBytes).toBeGreaterThan(cache);
  });

  it('leaves a smaller model where it is', () => {
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({
        ...qwen7b,
        hidden_size: 896,
        intermediate_size: 4864,
        num_hidden_layers: 24,
        num_attention_heads: 14,
        num_key_value_heads: 2,
        vocab_size: 151936,
        tie_word_embeddings: true,
      }),
    );
    const memory = planMemory(resolveTrainConfig(recipes.limr), folder, 16, (request) => addon.plan(request), {
      kind: 'cuda',
      limitBytes: gpuBytes,
      hostBytes,
    });
    expect(memory.placement).toBe('resident');
    expect(memory.hostBytes).toBe(0);
    expect(memory.overheadBytes).toBeGreaterThan(0);
    writeFileSync(join(folder, 'config.json'), JSON.stringify(qwen7b));
  });
});
