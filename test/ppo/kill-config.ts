import type { TrainOverrides } from '../../src/ppo/config.js';

/**
 * A run of three rollouts in which every kind of file is written, replaced and pruned, and the KL coefficient moves; the last one draws
 * from the prompts that LIM kept.
 */
export const killConfig: TrainOverrides = {
  rollouts: 3,
  rolloutBatchSize: 3,
  nSamplesPerPrompt: 2,
  trainBatchSize: 4,
  evalSteps: 2,
  maxCkptNum: 1,
  klTarget: 0.01,
  saveTokenStats: true,
  lim: true,
  limDrop: true,
  limFromEpoch: 2,
  limCount: 3,
};
