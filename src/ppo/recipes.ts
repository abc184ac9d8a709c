/**
 * Recipes: named overrides of the defaults. A recipe is data; flags, environment and file win over it. The numbers of
 * `limr` are the paper's code (arXiv:2502.11886, GAIR-NLP/LIMR 98ebf1b, scripts/train_limr.sh and the defaults of its
 * OpenRLHF fork); docs/recipes.md explains each quirk.
 */
import type { TrainOverrides } from './config.js';

/** The paper's recipe, quirks fixed: 1,024 prompts x 8 samples, 32 optimizer steps of 256, PPO with a critic. */
const limr: TrainOverrides = {
  rollouts: 120,
  rolloutBatchSize: 1024,
  nSamplesPerPrompt: 8,
  trainBatchSize: 256,
  microTrainBatchSize: 4,
  maxEpochs: 1,
  promptMaxLen: 1024,
  generateMaxLen: 3072,
  temperature: 1.2,
  topP: 1,
  minTokens: 1,
  stop: ['\nuser\n'],
  grader: 'limr',
  rewardTemplate: 'qwen',
  advantageEstimator: 'gae',
  gamma: 1,
  lambd: 0.95,
  rewardClip: 10,
  initKlCoef: 0.01,
  klEstimator: 'k1',
  epsClip: 0.2,
  valueClip: 0.2,
  actorLearningRate: 5e-7,
  criticLearningRate: 9e-6,
  lrWarmupSteps: 10,
  minLrRatio: 0.1,
  maxSteps: 430_000,
  adamBeta1: 0.9,
  adamBeta2: 0.95,
  adamEps: 1e-8,
  l2: 0,
  maxNorm: 1,
  evalSteps: 1,
  evalTemperature: 0.7,
  evalNSamples: 1,
  saveSteps: 1,
  maxCkptNum: 3,
};

/** LIMR's recipe scaled down to the embedded model, two cores and a few minutes. */
const nano: TrainOverrides = {
  rollouts: 30,
  rolloutBatchSize: 64,
  nSamplesPerPrompt: 8,
  trainBatchSize: 128,
  microTrainBatchSize: 256,
  microTrainMaxTokens: 4096,
  gradientCheckpointing: false,
  promptMaxLen: 96,
  generateMaxLen: 128,
  maxBatch: 256,
  temperature: 1,
  grader: 'limr',
  advantageEstimator: 'gae',
  gamma: 1,
  lambd: 0.95,
  initKlCoef: 0.01,
  actorLearningRate: 1e-4,
  criticLearningRate: 5e-4,
  lrWarmupSteps: 4,
  evalSteps: 10,
  evalTemperature: 0,
  evalNSamples: 1,
  evalSampled: 1,
  saveSteps: 5,
  maxCkptNum: 2,
};

/** Named sets of defaults: the paper's, and the same scaled down to limr-nano. */
export const recipes = { limr, nano } as const;
/** The name of a recipe. */
export type RecipeName = keyof typeof recipes;

/**
 * `--compat limr`: what the published code did and its paper did not mean. Each is an option of its own; together they
 * are laid over the recipe, under flags, environment and file.
 */
const compatLimr: TrainOverrides = {
  logprobTemperature: 1, // samples at T = 1.2, trains on the distribution at T = 1
  lossAgg: 'microbatch-token-mean:4', // mean over micro-batches of the token mean over their 4 sequences
  grader: 'limr-compat', // gold and answer reach Math-Verify as bare strings
  promptTruncation: 'right', // the tokenizer's default side, which cuts the assistant header off
  dropLast: true, // 365 of 1,389 prompts an epoch
  evalBeforeTraining: false,
  evalGrader: 'qwen-equal', // evaluations during training are graded by Qwen's script
  lrWarmupFromZero: true, // the first optimizer step of the run changes nothing
};

/** What LIMR's published code did and its paper did not mean, laid over a recipe; docs/recipes.md explains each. */
export const compatOverlays = { limr: compatLimr } as const;
/** The name of such an overlay. */
export type CompatName = keyof typeof compatOverlays;
