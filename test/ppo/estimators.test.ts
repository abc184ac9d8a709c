import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { clipScores, discountedReturns, gae, shapeScores, whiten, whitens } from '../../src/ppo/advantages.js';
import { microBatches, select, trainBatches } from '../../src/ppo/batches.js';
import { type ActionSpans, packRollout } from '../../src/ppo/buffer.js';
import type { AdvantageEstimator, KlEstimator } from '../../src/ppo/config.js';
import { klOf, nextKlCoef } from '../../src/ppo/kl.js';
import { lossWeights } from '../../src/ppo/loss-weights.js';
import { explainedVariance, rolloutMetrics } from '../../src/ppo/metrics.js';
import { fitPrompts, keyedPrompt } from '../../src/ppo/prompts.js';
import { randperm } from '../../src/ppo/randperm.js';
import { lrFactor } from '../../src/ppo/schedule.js';

const golden = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../golden/${name}`, import.meta.url), 'utf8')) as T;

interface EstimatorCase {
  readonly name: string;
  readonly n_samples_per_prompt: number;
  readonly lengths: readonly number[];
  readonly rewards: readonly number[];
  readonly kl: readonly number[];
  readonly values: readonly number[];
  readonly gamma: number;
  readonly lambd: number;
  readonly kl_coef: number;
  readonly reward_clip: readonly [number, number];
  readonly expected: Readonly<
    Record<AdvantageEstimator, Readonly<Record<'scores' | 'advantages' | 'returns' | 'whitened', readonly number[]>>>
  >;
}

/** Spans of sequences that are all actions, or have `prompt` tokens before them. */
function spansOf(lengths: readonly number[], prompt = 0): ActionSpans {
  const starts = new Int32Array(lengths.length);
  const ends = new Int32Array(lengths.length);
  let at = 0;
  for (const [s, length] of lengths.entries()) {
    starts[s] = at + prompt;
    at += prompt + length;
    ends[s] = at;
  }
  return { starts, ends };
}

/** Spreads action values over token-aligned arrays whose prompt entries hold `filler`, which must not leak. */
function spread(spans: ActionSpans, values: readonly number[], filler: number): Float32Array {
  const out = new Float32Array(spans.ends.at(-1)!).fill(filler);
  let next = 0;
  for (const [s, start] of spans.starts.entries())
    for (let i = start; i < spans.ends[s]!; ++i) out[i] = values[next++]!;
  return out;
}

const actions = (spans: ActionSpans, values: Float32Array): number[] =>
  Array.from(spans.starts, (start, s) => Array.from(values.subarray(start, spans.ends[s]))).flat();

/** f32 results of f64 sums: half a unit in the last place, and 1e-6 for values near 0. */
function expectClose(got: readonly number[], want: readonly number[], what: string): void {
  expect(got.length, what).toBe(want.length);
  for (const [i, value] of want.entries())
    expect(Math.abs(got[i]! - value), `${what}[${i}]`).toBeLessThan(1e-6 + 2e-7 * Math.abs(value));
}

describe('estimators agree with the golden tables', () => {
  const { cases, whitens: whitened } = golden<{ cases: EstimatorCase[]; whitens: string[] }>('estimators.json');

  it.each(cases)('$name', (c) => {
    const spans = spansOf(c.lengths, 2);
    const kl = spread(spans, c.kl, 99);
    const values = spread(spans, c.values, 99);
    for (const [name, want] of Object.entries(c.expected)) {
      const estimator = name as AdvantageEstimator;
      const shaped = shapeScores(estimator, Float64Array.from(c.rewards), c.n_samples_per_prompt);
      expectClose(Array.from(shaped), want.scores, `${name} scores`);
      const signal = { scores: clipScores(shaped, c.reward_clip[1]), kl, klCoef: c.kl_coef };
      const gamma = estimator === 'gae' || estimator === 'reinforce' ? c.gamma : 1; // as the configuration demands
      const returns = discountedReturns(spans, signal, gamma, values.length);
      const got = estimator === 'gae' ? gae(spans, signal, values, c.gamma, c.lambd) : { advantages: returns, returns };
      expectClose(actions(spans, got.advantages), want.advantages, `${name} advantages`);
      expectClose(actions(spans, got.returns), want.returns, `${name} returns`);
      expect([got.advantages[0], got.advantages[1]], 'prompt entries').toEqual([0, 0]);
      const flat = new Set(want.advantages).size === 1; // 0/0 of a flat rollout: only the sign of rounding differs
      if (!flat) expectClose(actions(spans, whiten(spans, got.advantages)), want.whitened, `${name} whitened`);
    }
  });

  it('whitens what OpenRLHF whitens', () => {
    for (const estimator of Object.keys(cases[0]!.expected) as AdvantageEstimator[])
      expect(whitens({ normalizeAdvantages: 'auto', advantageEstimator: estimator }), estimator).toBe(
        whitened.includes(estimator),
      );
    expect(whitens({ normalizeAdvantages: 'on', advantageEstimator: 'group_norm' })).toBe(true);
    expect(whitens({ normalizeAdvantages: 'off', advantageEstimator: 'gae' })).toBe(false);
  });
});

describe('estimators by hand', () => {
  const spans = spansOf([2]);
  const signal = { scores: Float64Array.of(1), kl: Float32Array.of(0.5, -1), klCoef: 0.1 };

  it('gae: two actions, gamma 0.5, lambda 0.5', () => {
    const { advantages, returns } = gae(spans, signal, Float32Array.of(2, 4), 0.5, 0.5);
    // r = [-0.05, 1.1]; A_1 = 1.1 - 4 = -2.9; A_0 = -0.05 + 0.5 * 4 - 2 + 0.25 * -2.9 = -0.775
    expectClose(Array.from(advantages), [-0.775, -2.9], 'advantages');
    expectClose(Array.from(returns), [1.225, 1.1], 'returns');
  });

  it('whitening is population variance over tokens, and survives a flat rollout', () => {
    expectClose(
      Array.from(whiten(spansOf([1, 3]), Float32Array.of(1, 2, 3, 4))),
      [-1.3416408, -0.4472136, 0.4472136, 1.3416408],
      'whitened',
    );
    expect(Array.from(whiten(spans, Float32Array.of(7, 7)))).toEqual([0, 0]);
  });

  it.each([
    ['k1', 0.5],
    ['k2', 0.125],
    ['k3', Math.exp(-0.5) - 1 + 0.5],
  ] as [KlEstimator, number][])('%s of a log-ratio of 0.5', (estimator, want) => {
    expect(klOf(estimator, -1, -1.5)).toBeCloseTo(want, 14);
  });

  it('the adaptive coefficient moves by at most a fifth of samples / horizon', () => {
    const config = { klTarget: 2, klHorizon: 1000 };
    expect(nextKlCoef(config, 0.1, 2.2, 100)).toBeCloseTo(0.1 * (1 + 0.1 * 0.1), 14);
    expect(nextKlCoef(config, 0.1, 50, 100)).toBeCloseTo(0.1 * (1 + 0.2 * 0.1), 14);
    expect(nextKlCoef(config, 0.1, 0, 100)).toBeCloseTo(0.1 * (1 - 0.2 * 0.1), 14);
    expect(nextKlCoef({ ...config, klTarget: null }, 0.1, 50, 100)).toBe(0.1);
  });

  it('explained variance is 1 for perfect values, 0 for constant ones, undefined for constant returns', () => {
    const buffer = { ...packed([3, 1]), ...spansOf([3, 1]) };
    const returns = Float32Array.of(1, 2, 3, 5);
    expect(explainedVariance(buffer, returns, returns)).toBe(1);
    expect(explainedVariance(buffer, Float32Array.of(4, 4, 4, 4), returns)).toBeCloseTo(0, 12);
    expect(explainedVariance(buffer, returns, Float32Array.of(1, 1, 1, 1))).toBe(null);
  });
});

function packed(lengths: readonly number[]) {
  return packRollout(
    lengths.map((length, s) => ({
      prompt: Int32Array.of(9),
      tokens: new Int32Array(length).fill(s + 1),
      logprobs: new Float32Array(length).fill(-1),
      stopReason: s % 2 === 0 ? 'eos' : 'length',
      reward: s < 2 ? 1 : s,
      correct: s < 2,
      wellFormed: s !== 1,
    })),
    2,
  );
}

describe('the buffer', () => {
  it('packs, and cuts selections out again', () => {
    const buffer = packed([2, 1, 3, 1]);
    expect(Array.from(buffer.tokens)).toEqual([9, 1, 1, 9, 2, 9, 3, 3, 3, 9, 4]);
    expect([Array.from(buffer.starts), Array.from(buffer.ends)]).toEqual([
      [1, 4, 6, 10],
      [3, 5, 9, 11],
    ]);
    const part = select(buffer, Int32Array.of(1, 3));
    expect([Array.from(part.packed.tokens), Array.from(part.packed.offsets)]).toEqual([
      [9, 2, 9, 4],
      [0, 2, 4],
    ]);
    expect(Array.from(part.gather(buffer.oldLogprobs))).toEqual([0, -1, 0, -1]);
  });

  it('refuses what is no episode', () => {
    const episode = { prompt: Int32Array.of(1), tokens: Int32Array.of(2), logprobs: new Float32Array(2) };
    const rest = { stopReason: 'eos', reward: 0, correct: false, wellFormed: true } as const;
    expect(() => packRollout([{ ...episode, ...rest }], 1)).toThrow('1 prompt tokens, 1 actions and 2 log-probs');
    expect(() => packRollout([], 1)).not.toThrow();
    expect(() => packRollout([{ ...episode, ...rest }], 2)).toThrow('not a multiple of 2');
  });

  it('counts what sampling shows', () => {
    expect(rolloutMetrics(packed([2, 1, 3, 1]))).toEqual({
      'reward/mean': 7 / 4,
      'reward/accuracy': 0.5,
      'reward/well_formed': 0.75,
      'reward/accuracy_well_formed': 1 / 3,
      'length/mean': 7 / 4,
      'length/max': 3,
      'length/truncated': 0.5,
      'group/zero_std': 0.5,
    });
  });
});

describe('loss weights', () => {
  const spans = spansOf([1, 3, 4, 2, 6], 1);
  const batch = Int32Array.of(4, 0, 2, 1, 3); // lengths 6, 1, 4, 3, 2
  const weigh = (aggregation: string): number[] => Array.from(lossWeights(aggregation, spans, batch, 10));
  const sum = (weights: number[]): number =>
    weights.reduce((total, weight, i) => total + weight * [6, 1, 4, 3, 2][i]!, 0);

  it.each([
    ['token-mean', [16, 16, 16, 16, 16]],
    ['sequence-mean', [30, 5, 20, 15, 10]],
    ['constant', [50, 50, 50, 50, 50]],
    ['microbatch-token-mean:2', [21, 21, 21, 21, 6]], // 3 chunks of 7, 7 and 2 tokens
    ['microbatch-token-mean:4', [28, 28, 28, 28, 4]], // 2 chunks of 14 and 2
  ])('%s', (aggregation, want) => {
    expectClose(
      weigh(aggregation),
      want.map((w) => 1 / w),
      aggregation,
    );
    if (aggregation !== 'constant') expect(sum(weigh(aggregation))).toBeCloseTo(1, 14);
  });
});

describe('batches', () => {
  it('deal every sample once, the rest into a smaller step, anew in each epoch and rollout', () => {
    const batches = trainBatches(10, 4, 42, 1, 0);
    expect(batches.map(({ length }) => length)).toEqual([4, 4, 2]);
    expect(batches.flatMap((batch) => [...batch]).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(trainBatches(10, 4, 42, 1, 0)).toEqual(batches);
    expect(trainBatches(10, 4, 42, 1, 1)).not.toEqual(batches);
    expect(trainBatches(10, 4, 42, 2, 0)).not.toEqual(batches);
    expect(trainBatches(10, 4, 43, 1, 0)).not.toEqual(batches);
  });

  it('micro-batches keep the order within both limits', () => {
    const offsets = Int32Array.of(0, 3, 5, 9, 10, 14);
    const cut = (maxSequences: number, maxTokens: number): number[][] =>
      microBatches(Int32Array.of(0, 1, 2, 3, 4), offsets, maxSequences, maxTokens).map((ids) => [...ids]);
    expect(cut(9, 99)).toEqual([[0, 1, 2, 3, 4]]);
    expect(cut(2, 99)).toEqual([[0, 1], [2, 3], [4]]);
    expect(cut(9, 5)).toEqual([[0, 1], [2, 3], [4]]);
    expect(cut(9, 4)).toEqual([[0], [1], [2], [3], [4]].map((ids) => ids));
    expect(() => cut(9, 3)).toThrow('a sequence of 4 tokens exceeds the micro-batch of 3 tokens');
  });
});

describe('randperm', () => {
  interface Permutation {
    readonly seed: number;
    readonly n: number;
    readonly sha256: string;
  }
  it.each(golden<{ cases: Permutation[] }>('randperm.json').cases)('($n, $seed) is torch’s', ({ seed, n, sha256 }) => {
    expect(
      createHash('sha256')
        .update(new Uint8Array(randperm(n, seed).buffer))
        .digest('hex'),
    ).toBe(sha256);
  });

  it('(10, 42) is the one everybody knows', () => {
    expect(Array.from(randperm(10, 42))).toEqual([2, 6, 1, 8, 4, 5, 0, 9, 3, 7]);
  });
});

describe('prompts that are too long', () => {
  const prompt = { id: 'a', prompt: '', answer: '', tokens: Int32Array.of(1, 2, 3) };
  const fitted = (promptTruncation: 'left' | 'right' | 'error' | 'drop', promptMaxLen: number) =>
    fitPrompts([prompt], { promptMaxLen, promptTruncation }, 'a set');

  it('are cut at the end named, and counted', () => {
    expect(fitted('left', 3)).toEqual({ prompts: [{ ...prompt, row: 0 }], given: 1, truncated: 0 });
    expect(fitted('left', 2)).toMatchObject({ prompts: [{ ...prompt, tokens: Int32Array.of(2, 3) }], truncated: 1 });
    expect(fitted('right', 2)).toMatchObject({ prompts: [{ ...prompt, tokens: Int32Array.of(1, 2) }], truncated: 1 });
    expect(() => fitted('error', 2)).toThrow('prompt a of a set has 3 tokens, and promptMaxLen is 2');
  });

  it('or dropped, but not all of them', () => {
    const short = { ...prompt, id: 'b', tokens: Int32Array.of(1) };
    const config = { promptMaxLen: 2, promptTruncation: 'drop' } as const;
    const kept = fitPrompts([prompt, short], config, 'a set');
    expect(kept).toEqual({ prompts: [{ ...short, row: 1 }], given: 2, truncated: 1 });
    // The first and the second time in a rollout: the keys of the whole set.
    expect([0, 1].map((key) => keyedPrompt(kept, 0, key))).toMatchObject([
      { row: 1, key: 1, prompt: { id: 'b' } },
      { row: 1, key: 3 },
    ]);
    expect(() => fitted('drop', 2)).toThrow('all 1 prompts of a set have more than 2 tokens');
  });

  it('and empty ones are refused', () => {
    const empty = { ...prompt, tokens: new Int32Array() };
    expect(() => fitPrompts([empty], { promptMaxLen: 2, promptTruncation: 'left' }, 'a set')).toThrow('has no tokens');
  });
});

describe('schedule', () => {
  interface ScheduleCase {
    readonly num_warmup_steps: number;
    readonly num_training_steps: number;
    readonly steps: readonly number[];
    readonly factors: readonly number[];
  }
  it.each(golden<{ cases: ScheduleCase[] }>('schedule.json').cases)(
    'is transformers’ cosine_with_min_lr: warm-up $num_warmup_steps of $num_training_steps',
    ({ num_warmup_steps: lrWarmupSteps, num_training_steps: maxSteps, steps, factors }) => {
      const schedule = { lrWarmupSteps, lrWarmupFromZero: true, minLrRatio: 0.1, maxSteps };
      for (const [i, step] of steps.entries())
        if (step <= maxSteps) expect(lrFactor(schedule, step), `step ${step}`).toBeCloseTo(factors[i]!, 12);
    },
  );

  it('by default the first step already moves, and the floor is kept past the end', () => {
    const schedule = { lrWarmupSteps: 4, lrWarmupFromZero: false, minLrRatio: 0.1, maxSteps: 10 };
    expect([0, 1, 2, 3, 4].map((step) => lrFactor(schedule, step))).toEqual([0.25, 0.5, 0.75, 1, 1]);
    expect([10, 12, 1000].map((step) => lrFactor(schedule, step))).toEqual([0.1, 0.1, 0.1]);
    expect(lrFactor({ ...schedule, minLrRatio: 1 }, 7)).toBe(1);
    expect(lrFactor({ ...schedule, lrWarmupSteps: 0 }, 0)).toBe(1);
  });
});
