import { describe, expect, expectTypeOf, it } from 'vitest';
import type { LimrError } from '../../src/errors.js';
import { checkOption, kebabCase, parseOption, snakeCase } from '../../src/option.js';
import {
  resolveTrainConfig,
  type TrainConfig,
  tokenBudgets,
  trainDefaults,
  trainOptions,
} from '../../src/ppo/config.js';
import { compatOverlays, recipes } from '../../src/ppo/recipes.js';

function failure(body: () => unknown): LimrError {
  try {
    body();
  } catch (error) {
    return error as LimrError;
  }
  throw new Error('nothing was thrown');
}

describe('the option table', () => {
  it('gives precise types', () => {
    expectTypeOf<TrainConfig['rollouts']>().toEqualTypeOf<number>();
    expectTypeOf<TrainConfig['klTarget']>().toEqualTypeOf<number | null>();
    expectTypeOf<TrainConfig['klEstimator']>().toEqualTypeOf<'k1' | 'k2' | 'k3'>();
    expectTypeOf<TrainConfig['stop']>().toEqualTypeOf<readonly string[]>();
    expectTypeOf<TrainConfig['dropLast']>().toEqualTypeOf<boolean>();
  });

  it('has defaults that pass their own checks, and help without a final period', () => {
    for (const [name, option] of Object.entries(trainOptions)) {
      expect(checkOption(trainOptions, name, option.default), name).toBe(option.default);
      expect(option.help, name).toMatch(/[^.]$/);
    }
    expect(resolveTrainConfig({})).toEqual(trainDefaults);
  });

  it('spells one word three ways', () => {
    expect(['evalNSamples', 'topP', 'adamBeta1', 'l2', 'epsClip'].map(kebabCase)).toEqual([
      'eval-n-samples',
      'top-p',
      'adam-beta1',
      'l2',
      'eps-clip',
    ]);
    expect(snakeCase('nSamplesPerPrompt')).toBe('n_samples_per_prompt');
    const flags = Object.keys(trainOptions).map(kebabCase);
    expect(new Set(flags).size).toBe(flags.length);
  });

  it('reads values from text', () => {
    expect(parseOption(trainOptions, 'seed', '7')).toBe(7);
    expect(parseOption(trainOptions, 'klTarget', 'null')).toBe(null);
    expect(parseOption(trainOptions, 'dropLast', 'false')).toBe(false);
    expect(parseOption(trainOptions, 'stop', '\nuser\n')).toEqual(['\nuser\n']);
    expect(parseOption(trainOptions, 'lossAgg', 'microbatch-token-mean:4')).toBe('microbatch-token-mean:4');
  });

  it.each([
    ['seed', '', /seed is ""/],
    ['seed', '1.5', /seed is 1.5, expected a whole number >= 0/],
    ['topP', '0', /topP is 0, expected a number > 0 and <= 1/],
    ['gamma', 'null', /gamma is "null"/],
    ['klEstimator', 'k4', /one of k1, k2, k3/],
    ['lossAgg', 'microbatch-token-mean:0', /microbatch-token-mean:<sequences>/],
    ['dropLast', 'yes', /true or false/],
    ['eps-clip', '1', /no option "eps-clip"/],
  ])('refuses %s = %j', (name, text, message) => {
    const error = failure(() => parseOption(trainOptions, name, text));
    expect(error.code).toBe('LIMR_USAGE');
    expect(error.message).toMatch(message);
  });

  it.each([
    [{ advantageEstimator: 'rloo', nSamplesPerPrompt: 1 }, /nSamplesPerPrompt is 1/],
    [{ advantageEstimator: 'group_norm', gamma: 0.9 }, /gamma is 0.9/],
    [{ rolloutBatchSize: 4, trainBatchSize: 64 }, /a rollout has 32 samples/],
    [{ microTrainMaxTokens: 100 }, /a sequence can have 2048 tokens/],
    [{ microRolloutMaxTokens: 100 }, /a sequence can have 2048 tokens/],
    [{ klTarget: 1, initKlCoef: 0 }, /initKlCoef is 0/],
    [{ freezingActorSteps: 2, advantageEstimator: 'reinforce' }, /has no critic/],
    [{ minTokens: 2000 }, /more than generateMaxLen/],
    [{ stop: [''] }, /not empty/],
    [{ polish: 1 }, /no option "polish"/],
  ])('refuses the combination %j', (overrides, message) => {
    const error = failure(() => resolveTrainConfig(overrides));
    expect(error.code).toBe('LIMR_USAGE');
    expect(error.message).toMatch(message);
  });
});

describe('token budgets', () => {
  const budgets = (overrides: Partial<TrainConfig>) => tokenBudgets(resolveTrainConfig(overrides));

  it('are 2,048, as far as sequences fill them, or one longest sequence', () => {
    expect(budgets({ promptMaxLen: 32, generateMaxLen: 64 })).toEqual({ train: 2048, score: 2048 });
    expect(budgets({ promptMaxLen: 32, generateMaxLen: 64, microTrainBatchSize: 4 }).train).toBe(384);
    expect(budgets({ promptMaxLen: 1024, generateMaxLen: 3000 }).train).toBe(4024);
  });

  it('are what is asked for', () => {
    const lengths = { promptMaxLen: 32, generateMaxLen: 64 };
    expect(budgets({ ...lengths, microTrainMaxTokens: 100 })).toEqual({ train: 100, score: 100 });
    expect(budgets({ ...lengths, microRolloutMaxTokens: 100 })).toEqual({ train: 2048, score: 100 });
  });
});

describe('recipes', () => {
  it('limr is the paper: 8,192 samples, 32 optimizer steps a rollout', () => {
    const c = resolveTrainConfig(recipes.limr);
    expect((c.rolloutBatchSize * c.nSamplesPerPrompt) / c.trainBatchSize).toBe(32);
    expect([c.temperature, c.logprobTemperature, c.lossAgg, c.dropLast]).toEqual([1.2, null, 'token-mean', false]);
  });

  it('compat is an overlay of quirks whose defaults are off', () => {
    const c = resolveTrainConfig({ ...recipes.limr, ...compatOverlays.limr });
    expect([c.logprobTemperature, c.lossAgg, c.dropLast]).toEqual([1, 'microbatch-token-mean:4', true]);
    for (const [name, value] of Object.entries(compatOverlays.limr))
      expect(trainDefaults[name as keyof TrainConfig], name).not.toEqual(value);
  });

  it('nano resolves', () => {
    expect(resolveTrainConfig(recipes.nano).advantageEstimator).toBe('gae');
  });
});
