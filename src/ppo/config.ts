/**
 * Everything that the training loop can be told, in one table: name, type, default, range, meaning. Names are
 * OpenRLHF's. Files and machine (model, prompts, output, device, threads) are not here: the loop gets them loaded.
 *
 * Counts: a rollout samples rolloutBatchSize prompts x nSamplesPerPrompt; each PPO epoch walks them once in optimizer
 * steps of trainBatchSize samples; each optimizer step is split into micro-batches, which changes memory and nothing
 * else (promise 2).
 */
import { LimrError } from '../errors.js';
import { checkOption, type OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { graderNames } from '../reward/grader-names.js';
import { optimizerOptions, samplerOptions } from '../shared-options.js';
import { limContradictions, limOptions } from './lim-options.js';
import { graderPattern, rewardOptions } from './reward-options.js';

const run = optionGroup('Run');
const sampling = optionGroup('Sampling');
const advantages = optionGroup('Advantages');
const kl = optionGroup('KL');
const loss = optionGroup('Loss');
const optimizer = optionGroup('Optimizer');
const batch = optionGroup('Batches');
const evaluation = optionGroup('Evaluation');
const files = optionGroup('Files');

/** The options of training: name, type, default, range, meaning. */
export const trainOptions = {
  rollouts: run.integer(20, { free: true }, 'rollouts of the whole run; 0 only evaluates'),
  seed: run.integer(42, { max: 0xffffffff }, 'seed of prompt order, sampling, batch order and value head'),

  rolloutBatchSize: batch.integer(128, { min: 1 }, 'prompts a rollout'),
  nSamplesPerPrompt: batch.integer(8, { min: 1 }, 'samples a prompt'),
  trainBatchSize: batch.integer(256, { min: 1 }, 'samples an optimizer step'),
  microTrainBatchSize: batch.integer(32, { min: 1, free: true }, 'sequences a micro-batch, at most'),
  microTrainMaxTokens: batch.integer(
    null,
    { min: 2, free: true },
    'packed tokens a micro-batch, at most; null = 2048, or --prompt-max-len + --generate-max-len where a sequence can be longer',
  ),
  microRolloutMaxTokens: batch.integer(
    null,
    { min: 2, free: true },
    'packed tokens a scoring pass, at most; null = --micro-train-max-tokens',
  ),
  sharePrompts: batch.boolean(
    false,
    "compute a prompt once for its samples in a micro-batch, gradients included: less time, but micro-batches then change a gradient by bf16's rounding, 0.3%, not by 1e-6; on a CPU",
  ),
  maxEpochs: batch.integer(1, { min: 1 }, 'PPO epochs: passes over a rollout'),
  shufflePrompts: batch.boolean(
    true,
    "permute the prompts anew each epoch (torch.randperm, seed + epoch); false = the file's order",
  ),
  dropLast: batch.boolean(
    false,
    'drop the prompts of an epoch that do not fill a rollout; false = a rollout goes on into the next epoch',
  ),

  promptMaxLen: sampling.integer(1024, { min: 1 }, 'prompt tokens, at most'),
  promptTruncation: sampling.choice(
    'error',
    ['error', 'drop', 'left', 'right'],
    'what becomes of a longer prompt: error refuses the data set, drop leaves the prompt out, left and right cut that end',
  ),
  generateMaxLen: sampling.integer(1024, { min: 1 }, 'generated tokens a sample, at most'),
  minTokens: sampling.integer(1, {}, 'tokens before which no end-of-text token is sampled'),
  temperature: sampling.number(1, { exclusiveMin: true }, 'sampling temperature'),
  logprobTemperature: sampling.number(
    null,
    { exclusiveMin: true },
    'temperature of log-probs, entropy and KL, in sampler and trainer alike; null = --temperature',
  ),
  ...samplerOptions,

  ...rewardOptions,

  ...limOptions,

  advantageEstimator: advantages.choice(
    'gae',
    ['gae', 'reinforce', 'rloo', 'group_norm', 'dr_grpo', 'reinforce_baseline'],
    'how rewards become advantages; only gae has a critic; group_norm is GRPO',
  ),
  gamma: advantages.number(1, { max: 1 }, 'discount a token'),
  lambd: advantages.number(0.95, { max: 1 }, 'lambda of generalised advantage estimation'),
  normalizeAdvantages: advantages.choice(
    'auto',
    ['auto', 'on', 'off'],
    "whiten advantages over a rollout's tokens; auto = on for gae, reinforce and reinforce_baseline",
  ),
  rewardClip: advantages.number(
    null,
    { exclusiveMin: true },
    "bound of a sample's reward, as the estimator shaped it and before KL; null = none",
  ),

  initKlCoef: kl.number(0.01, {}, 'coefficient of the KL to the initial model; 0 = no reference model'),
  klEstimator: kl.choice('k1', ['k1', 'k2', 'k3'], 'estimator of the KL a token'),
  klInLoss: kl.boolean(false, 'KL as a term of the loss instead of in the reward'),
  klTarget: kl.number(
    null,
    { exclusiveMin: true },
    'KL that the adaptive coefficient aims at; null = fixed coefficient',
  ),
  klHorizon: kl.number(10_000, { exclusiveMin: true }, 'samples over which the adaptive coefficient reacts'),

  epsClip: loss.number(0.2, { exclusiveMin: true }, 'PPO clip range of the probability ratio'),
  epsClipLow: loss.number(null, { exclusiveMin: true, max: 1 }, 'lower clip range; null = --eps-clip'),
  epsClipHigh: loss.number(null, { exclusiveMin: true }, 'upper clip range; null = --eps-clip'),
  valueClip: loss.number(0.2, {}, 'clip range of the value around the old one; 0 = off'),
  entropyCoef: loss.number(0, {}, 'coefficient of the entropy bonus'),
  lossAgg: loss.text(
    'rule',
    'token-mean',
    "weight of a token in an optimizer step: token-mean = 1/tokens, sequence-mean = 1/(samples x its sample's tokens), constant = 1/(samples x --generate-max-len), microbatch-token-mean:<sequences> = LIMR's mean of the means of micro-batches",
    /^(token-mean|sequence-mean|constant|microbatch-token-mean:[1-9][0-9]*)$/,
    'token-mean, sequence-mean, constant or microbatch-token-mean:<sequences>',
    { words: ['token-mean', 'sequence-mean', 'constant', 'microbatch-token-mean:'] },
  ),

  actorLearningRate: optimizer.number(5e-7, {}, 'peak learning rate of the policy'),
  criticLearningRate: optimizer.number(9e-6, {}, 'peak learning rate of the critic'),
  lrWarmupFromZero: optimizer.boolean(
    false,
    'start the warm-up at 0, so that the first step changes nothing, instead of at 1/--lr-warmup-steps',
  ),
  maxSteps: optimizer.integer(
    null,
    { min: 1 },
    'optimizer steps at which the cosine reaches its floor; null = those of this run',
  ),
  ...optimizerOptions,
  freezingActorSteps: optimizer.integer(0, {}, 'rollouts at the start in which only the critic learns'),

  evalSteps: evaluation.integer(1, {}, 'rollouts between evaluations; 0 = never'),
  evalBeforeTraining: evaluation.boolean(true, 'evaluate the initial model, as rollout 0'),
  evalNSamples: evaluation.integer(1, {}, 'samples a prompt at --eval-temperature; 0 = none'),
  evalTemperature: evaluation.number(0, {}, 'temperature of evaluations; 0 = greedy'),
  evalTopP: evaluation.number(1, { max: 1, exclusiveMin: true }, 'nucleus of evaluations; 1 = off'),
  evalSampled: evaluation.integer(
    0,
    {},
    "further samples a prompt, drawn with training's settings and reported apart; 0 = none",
  ),
  evalMaxLen: evaluation.integer(
    null,
    { min: 1 },
    'generated tokens an evaluation sample, at most; null = --generate-max-len',
  ),
  evalGrader: evaluation.text(
    'grader',
    'same',
    'what compares answers in evaluations; same = --grader',
    graderPattern,
    'same, or the name of a grader',
    { words: ['same', ...graderNames] },
  ),

  saveSteps: files.integer(
    1,
    { free: true },
    'rollouts between checkpoints; the last rollout always has one; 0 = only that',
  ),
  maxCkptNum: files.integer(3, { min: 1, free: true }, 'checkpoints kept, the newest ones'),
  saveSamples: files.boolean(true, "write each rollout's samples"),
  saveTokenStats: files.boolean(
    false,
    'write log-probs, reference log-probs, values and advantages of every token beside the samples',
  ),
} as const;

/** A complete training configuration, as `resolveTrainConfig` gives it; each field is described in `train --help`. */
export type TrainConfig = OptionValues<typeof trainOptions>;
/** Some of its fields; what is missing takes the default. */
export type TrainOverrides = { readonly [K in keyof TrainConfig]?: TrainConfig[K] };
/** How rewards become advantages. */
export type AdvantageEstimator = TrainConfig['advantageEstimator'];
export type KlEstimator = TrainConfig['klEstimator'];

/** The defaults, as a complete configuration. */
export const trainDefaults = Object.fromEntries(
  Object.entries(trainOptions).map(([name, option]) => [name, option.default]),
) as unknown as TrainConfig;

/**
 * Completes and validates a configuration: unknown names, types, ranges, and settings that contradict each other.
 * @param overrides values by their camelCase name; what is missing (or undefined) takes the default
 * @throws {LimrError} LIMR_USAGE, naming the option, the value found and the one expected
 */
export function resolveTrainConfig(overrides: Readonly<Record<string, unknown>>): TrainConfig {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  const checked = given.map(([name, value]) => [name, checkOption(trainOptions, name, value)] as const);
  const config = { ...trainDefaults, ...Object.fromEntries(checked) } as TrainConfig;
  for (const [broken, message, hint] of contradictions(config))
    if (broken) throw new LimrError('LIMR_USAGE', message, hint);
  return Object.freeze(config);
}

/** Packed tokens of the largest pass, for training and for scoring. */
export function tokenBudgets(config: TrainConfig): { readonly train: number; readonly score: number } {
  const longest = config.promptMaxLen + config.generateMaxLen;
  // Fewer make products slower: a micro-batch reads and writes all gradients once. More than its sequences have are of no use.
  const enough = Math.min(2048, config.microTrainBatchSize * longest);
  const train = config.microTrainMaxTokens ?? Math.max(enough, longest);
  return { train, score: config.microRolloutMaxTokens ?? train };
}

/** T of log-probs, entropy and KL. */
export const logprobTemperature = (config: TrainConfig): number => config.logprobTemperature ?? config.temperature;

/** Generated tokens an evaluation sample, at most. */
export const evalMaxLen = (config: TrainConfig): number => config.evalMaxLen ?? config.generateMaxLen;

function contradictions(c: TrainConfig): readonly (readonly [boolean, string, string])[] {
  const grouped = ['rloo', 'group_norm', 'dr_grpo', 'reinforce_baseline'].includes(c.advantageEstimator);
  const longest = c.promptMaxLen + c.generateMaxLen;
  const samples = c.rolloutBatchSize * c.nSamplesPerPrompt;
  return [
    [
      grouped && c.nSamplesPerPrompt < 2,
      `${c.advantageEstimator} compares the samples of a prompt, and nSamplesPerPrompt is ${c.nSamplesPerPrompt}`,
      'Set --n-samples-per-prompt to 2 or more, or take --advantage-estimator gae or reinforce.',
    ],
    [
      grouped && c.gamma !== 1,
      `gamma is ${c.gamma}, and advantageEstimator ${c.advantageEstimator} gives a sample one advantage, undiscounted`,
      'Leave --gamma at 1, or take --advantage-estimator gae or reinforce.',
    ],
    [
      c.trainBatchSize > samples,
      `trainBatchSize is ${c.trainBatchSize}, and a rollout has ${samples} samples`,
      `Set --train-batch-size to ${samples} or less.`,
    ],
    [
      c.microTrainMaxTokens !== null && c.microTrainMaxTokens < longest,
      `microTrainMaxTokens is ${c.microTrainMaxTokens}, and a sequence can have ${longest} tokens`,
      `Set --micro-train-max-tokens to ${longest} or more: a sequence is never split.`,
    ],
    [
      c.microRolloutMaxTokens !== null && c.microRolloutMaxTokens < longest,
      `microRolloutMaxTokens is ${c.microRolloutMaxTokens}, and a sequence can have ${longest} tokens`,
      `Set --micro-rollout-max-tokens to ${longest} or more: a sequence is never split.`,
    ],
    [
      c.minTokens > c.generateMaxLen,
      `minTokens is ${c.minTokens}, more than generateMaxLen, ${c.generateMaxLen}`,
      'Lower --min-tokens.',
    ],
    [
      c.remoteRmUrl !== '' && c.reward !== 'limr-rule',
      `remoteRmUrl names a reward server, and reward is ${c.reward}`,
      'Leave one of --remote-rm-url and --reward out.',
    ],
    [
      c.lengthReward === 'kimi' && c.nSamplesPerPrompt < 2,
      `lengthReward kimi compares the samples of a prompt, and nSamplesPerPrompt is ${c.nSamplesPerPrompt}`,
      'Set --n-samples-per-prompt to 2 or more, or take --length-reward cosine.',
    ],
    [
      c.overlongBufferLen > c.generateMaxLen,
      `overlongBufferLen is ${c.overlongBufferLen}, more than generateMaxLen, ${c.generateMaxLen}`,
      'Lower --overlong-buffer-len.',
    ],
    [
      c.klTarget !== null && c.initKlCoef === 0,
      'klTarget adapts the KL coefficient, and initKlCoef is 0',
      'Set --init-kl-coef above 0, or leave --kl-target out.',
    ],
    [
      c.freezingActorSteps > 0 && c.advantageEstimator !== 'gae',
      `freezingActorSteps trains the critic alone, and advantageEstimator ${c.advantageEstimator} has no critic`,
      'Leave --freezing-actor-steps out, or take --advantage-estimator gae.',
    ],
    ...limContradictions(c),
  ];
}
