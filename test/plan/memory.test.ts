import { describe, expect, it } from 'vitest';
import type { NativePlanRequest } from '../../src/native.js';
import { nearestFit, planMemory } from '../../src/plan/memory.js';
import { planTraining, refuseFullDisk, refuseUnfit } from '../../src/plan/training.js';
import { resolveTrainConfig, type TrainOverrides } from '../../src/ppo/config.js';

/** A model of 1,000 parameters whose workspace is easy to compute: 10 bytes a training token (30 kept), 4 a scored one. */
const planModel = (request: NativePlanRequest) => ({
  numParameters: 1000,
  weightBytes: 2000,
  gradientBytes: request.trainable ? 4000 : 0,
  optimizerBytes: request.trainable ? 10_000 : 0,
  optimizerHostBytes: 0,
  overheadBytes: request.device === 'cuda' ? 500 : 0,
  trainBytes: request.trainTokens * (request.activationCheckpointing ? 10 : 30),
  scoreBytes: request.scoreTokens * 4,
  generateBytes: request.kvCacheBytes + request.maxBatch * request.contextLength + request.prefillChunk,
});

const configOf = (overrides: TrainOverrides = {}) =>
  resolveTrainConfig({
    promptMaxLen: 60,
    generateMaxLen: 40,
    microTrainMaxTokens: 1000,
    maxBatch: 8,
    prefillChunk: 128,
    ...overrides,
  });
const memoryOf = (overrides?: TrainOverrides) => planMemory(configOf(overrides), 'dir', 2, planModel);

const trained = 2000 + 4000 + 10_000;

describe('planMemory', () => {
  it('adds up what models keep, and takes the largest phase', () => {
    const memory = memoryOf();
    expect(memory.models.map(({ role }) => role)).toEqual(['actor', 'critic', 'reference']);
    expect(memory.workspace).toEqual({ trainBytes: 10_000, scoreBytes: 4000, generateBytes: 8 * 100 + 128 });
    expect(memory).toMatchObject({ weightBytes: 6000, gradientBytes: 8000, optimizerBytes: 20_000 });
    expect(memory.totalBytes).toBe(2 * trained + 2000 + 10_000);
  });

  it('has no critic without gae and no reference without KL', () => {
    const roles = (overrides: TrainOverrides) => memoryOf(overrides).models.map(({ role }) => role);
    expect(roles({ advantageEstimator: 'rloo' })).toEqual(['actor', 'reference']);
    expect(roles({ advantageEstimator: 'rloo', initKlCoef: 0 })).toEqual(['actor']);
  });

  it('makes room for evaluations longer than training samples', () => {
    expect(memoryOf({ evalMaxLen: 440 }).workspace.generateBytes).toBe(8 * 500 + 128);
  });
});

describe('planMemory on a GPU', () => {
  // As above, with optimizer state on the host where it is asked for; a little of it stays.
  const onGpu = (request: NativePlanRequest) => ({
    ...planModel(request),
    ...(request.optimizerOnHost ? { optimizerBytes: 100, optimizerHostBytes: 10_000 } : {}),
  });
  const placed = (limitBytes: number, hostBytes = 1e6) =>
    planMemory(configOf(), 'dir', 2, onGpu, { kind: 'cuda', limitBytes, hostBytes });

  it('keeps everything on it where that fits', () => {
    expect(placed(44_500)).toMatchObject({
      placement: 'resident',
      totalBytes: 44_500,
      overheadBytes: 500,
      hostBytes: 0,
    });
  });

  it('streams optimizer state from the host first, then lets models take turns', () => {
    const streamed = 500 + 6000 + 8000 + 200 + 10_000;
    expect(placed(streamed)).toMatchObject({ placement: 'streamed', totalBytes: streamed, hostBytes: 20_000 });
    // The one that trains: weights, gradients and workspace; the others' weights are on the host.
    const turns = 500 + 200 + 2000 + 4000 + 10_000;
    expect(placed(turns)).toMatchObject({ placement: 'turns', totalBytes: turns, hostBytes: 26_000 });
  });

  it('counts the memory of the host too', () => {
    const plan = (gpuHostBytes: number) =>
      planTraining({
        config: configOf(),
        dir: 'dir',
        threads: 2,
        limitBytes: 20_000,
        gpuHostBytes,
        numPrompts: 10,
        planModel: onGpu,
      });
    expect(plan(26_000).fits).toBe(true);
    const unfit = plan(25_000);
    expect(unfit.fits).toBe(false);
    expect(() => refuseUnfit(unfit)).toThrowError(
      expect.objectContaining({ code: 'LIMR_MEMORY', hint: expect.stringContaining('--optimizer-moments 8bit') }),
    );
  });
});

describe('nearestFit', () => {
  const nearest = (limit: number, overrides?: TrainOverrides) =>
    nearestFit(configOf(overrides), limit, (config) => planMemory(config, 'dir', 2, planModel));

  it('gives up speed where most is needed, and no more than that', () => {
    expect(nearest(44_000)?.flags).toEqual([]);
    const half = nearest(40_000);
    expect(half?.flags).toEqual(['--micro-train-max-tokens 500', '--micro-rollout-max-tokens 1000']);
    expect(half?.memory.totalBytes).toBe(2 * trained + 2000 + 5000);
    // 34,000 are kept whatever is given up, and 100 tokens, the longest sequence, need 1,000.
    expect(nearest(35_000)?.config).toMatchObject({ microTrainMaxTokens: 100, microRolloutMaxTokens: 250 });
  });

  it('recomputes activations before it makes micro-batches smaller', () => {
    expect(nearest(44_000, { gradientCheckpointing: false })?.flags).toEqual(['--gradient-checkpointing true']);
  });

  it('decodes fewer sequences when the cache is the largest', () => {
    const { flags = [] } = nearest(2 * trained + 2000 + 13_000, { maxBatch: 200 }) ?? {};
    expect(flags).toEqual(['--max-batch 100']);
  });

  it('finds nothing where nothing fits', () => {
    expect(nearest(34_500)).toBeUndefined();
  });
});

describe('planTraining', () => {
  const plan = (limitBytes: number, overrides: TrainOverrides = {}, numPrompts?: number) =>
    planTraining({ config: configOf(overrides), dir: 'dir', threads: 2, limitBytes, numPrompts, planModel });

  it('counts batches, steps and epochs', () => {
    const recipe = { rollouts: 3, rolloutBatchSize: 1024, nSamplesPerPrompt: 8, trainBatchSize: 256 };
    expect(plan(1e9, recipe, 1389).batches).toEqual({
      samplesPerRollout: 8192,
      tokensPerRollout: 8192 * 40,
      optimizerStepsPerRollout: 32,
      optimizerSteps: 96,
      rolloutsPerEpoch: 1389 / 1024,
      epochs: 3 / (1389 / 1024),
    });
    // LIMR: one rollout an epoch, 365 prompts dropped.
    expect(plan(1e9, { ...recipe, dropLast: true }, 1389).batches).toMatchObject({ rolloutsPerEpoch: 1, epochs: 3 });
    expect(plan(1e9).batches).toMatchObject({ rolloutsPerEpoch: undefined, epochs: undefined });
  });

  it('says what dropping by LIM changes: epochs, and no optimizer step', () => {
    const recipe = {
      rollouts: 20,
      rolloutBatchSize: 10,
      trainBatchSize: 40,
      lim: true,
      limDrop: true,
      limFromEpoch: 3,
    };
    // Two epochs of 35 prompts end within rollout 7.
    expect(plan(1e9, recipe, 35).batches).toMatchObject({
      optimizerSteps: 40,
      epochs: 20 / 3.5,
      subset: { rollout: 8, prompts: 35, isExact: false, rolloutsPerEpoch: 3.5 },
    });
    expect(plan(1e9, { ...recipe, limCount: 15 }, 35).batches).toMatchObject({
      optimizerSteps: 40,
      epochs: 7 / 3.5 + 13 / 1.5,
      subset: { rollout: 8, prompts: 15, isExact: true, rolloutsPerEpoch: 1.5 },
    });
    expect(plan(1e9, { ...recipe, limCount: 15, dropLast: true }, 35).batches).toMatchObject({
      epochs: 6 / 3 + 14,
      subset: { rollout: 7, rolloutsPerEpoch: 1 },
    });
    const weighted = plan(1e9, { ...recipe, limDrop: false, limWeight: true }, 35).batches;
    expect([weighted.subset, weighted.epochs]).toEqual([undefined, 20 / 3.5]);
    expect(plan(1e9, recipe).batches).toMatchObject({ subset: undefined, epochs: undefined });
  });

  it('samples the learning-rate curve', () => {
    const points = plan(1e9, {
      rollouts: 10,
      lrWarmupSteps: 4,
      actorLearningRate: 1,
      criticLearningRate: 2,
    }).learningRates;
    expect(points.at(0)).toEqual({ step: 1, rollout: 1, actor: 0.25, critic: 0.5 });
    expect(points.find(({ step }) => step === 4)).toMatchObject({ rollout: 1, actor: 1, critic: 2 });
    expect(points.at(-1)).toMatchObject({ step: 40, rollout: 10 });
    expect(points.at(-1)?.actor).toBeCloseTo(0.1, 2);
  });

  it('counts checkpoints: weights in bf16 and the optimizer of what is trained, one more while it is written', () => {
    expect(plan(1e9, { maxCkptNum: 2, saveSteps: 1 }).disk).toEqual({
      checkpointBytes: 2 * (2000 + 10_000),
      mostCheckpoints: 3,
      totalBytes: 3 * 2 * 12_000,
    });
    expect(plan(1e9, { saveSteps: 0 }).disk.mostCheckpoints).toBe(1);
  });

  it('refuses what does not fit, with the table and the way out', () => {
    expect(() => refuseUnfit(plan(1e9))).not.toThrow();
    expect(() => refuseUnfit(plan(40_000))).toThrowError(
      expect.objectContaining({
        code: 'LIMR_MEMORY',
        message: expect.stringMatching(/does not fit in memory\n {2}weights.*\n(.*\n)*.*limit +40\.0 kB/),
        hint: '--micro-train-max-tokens 500 --micro-rollout-max-tokens 1000 fits in 39.0 kB.',
      }),
    );
    expect(() => refuseUnfit(plan(20_000))).toThrowError(
      expect.objectContaining({ hint: expect.stringContaining('Weights, gradients and optimizer alone need 34.0 kB') }),
    );
  });

  it('refuses checkpoints that the disk cannot hold', () => {
    const { disk } = plan(1e9);
    expect(() => refuseFullDisk(disk, disk.totalBytes, '/runs')).not.toThrow();
    expect(() => refuseFullDisk(disk, disk.totalBytes - 1, '/runs')).toThrowError(
      expect.objectContaining({ code: 'LIMR_IO', message: expect.stringContaining('free at /runs') }),
    );
  });
});
