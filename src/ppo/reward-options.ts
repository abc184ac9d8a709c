/** What scores a sample: options of the training loop. */
import { optionGroup } from '../option-group.js';
import { graderNames } from '../reward/grader-names.js';

const reward = optionGroup('Reward');
const shaping = optionGroup('Reward shaping');
const remote = optionGroup('Remote reward', { free: true });

export const graderPattern = /^[a-z][a-z0-9-]*$/;

export const rewardOptions = {
  reward: reward.text(
    'limr-rule|random|module',
    'limr-rule',
    "limr-rule = LIMR's checks and a grader; random = chance, as a control; or a module of your own: ./reward.js or a package",
    /./,
    'limr-rule, random, or a module',
    { words: ['limr-rule', 'random'] },
  ),
  grader: reward.text(
    'grader',
    'standard',
    'what compares an answer with the gold one',
    graderPattern,
    'the name of a grader',
    { words: graderNames },
  ),
  rewardTemplate: reward.choice(
    'plain',
    ['plain', 'qwen', 'deepseek'],
    "where the reward finds prompt and response: given apart, or by the chat template's markers in the full text",
  ),
  randomRewardRate: reward.number(0.5, { max: 1 }, 'share of samples that the random reward calls right'),
  rewardWorkers: reward.integer(
    null,
    { max: 256, free: true },
    'threads that grade beside sampling; 0 = the main thread; null = one for every four CPUs, at least one',
  ),
  rewardTimeoutMs: reward.integer(
    30_000,
    { min: 100, free: true },
    'milliseconds that grading one sample may take before its worker is replaced; the second time ends the run',
  ),

  remoteRmUrl: reward.text(
    'url',
    '',
    'address of a reward server, such as http://host:5000/get_reward, in place of --reward; several with commas between',
  ),
  remoteRmBatchSize: remote.integer(8, { min: 1 }, 'samples a request, at most, all of one prompt'),
  remoteRmTimeoutMs: remote.integer(180_000, { min: 1 }, 'milliseconds until a request counts as lost'),
  remoteRmTries: remote.integer(5, { min: 1 }, 'tries of a request before the run ends'),
  remoteRmRetryMs: remote.integer(1000, {}, 'milliseconds between two tries'),
  remoteRmConcurrency: remote.integer(16, { min: 1 }, 'requests under way at once, at most'),

  overlongBufferLen: shaping.integer(
    0,
    {},
    'tokens before --generate-max-len over which a penalty grows (DAPO, eq. 13); 0 = off',
  ),
  overlongPenaltyFactor: shaping.number(1, {}, 'that penalty at --generate-max-len'),
  repetitionMaxPenalty: shaping.number(
    0,
    { min: -1e6, max: 0 },
    'reward of a response that only repeats itself, times the share of repeated n-grams (Open-R1); 0 = off',
  ),
  repetitionNGrams: shaping.integer(3, { min: 1 }, 'words of an n-gram'),
  formatReward: shaping.choice(
    'none',
    ['none', 'boxed', 'think-answer'],
    'form that is rewarded: a complete \\boxed{}, or <think>, <answer> tags',
  ),
  formatRewardWeight: shaping.number(1, { min: -1e6 }, 'reward of that form'),
  lengthReward: shaping.choice(
    'none',
    ['none', 'cosine', 'kimi'],
    'reward by length and correctness: cosine over --generate-max-len (Open-R1), or relative to the samples of the prompt (Kimi k1.5)',
  ),
  lengthRewardWeight: shaping.number(1, { min: -1e6 }, 'factor of the length reward'),
} as const;
