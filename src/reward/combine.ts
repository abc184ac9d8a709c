/** Rewards made of rewards. */
import { LimrError } from '../errors.js';
import { type Reward, type RewardResult, type RewardSample, scoreSamples } from './reward.js';

/** A number a sample, added to its reward. */
export interface ShapingTerm {
  /** In `RewardResult.parts` and in metrics. */
  readonly name: string;
  readonly weight: number;
  /**
   * @param samples of one call, so whole groups of prompts
   * @param results what the reward under it said
   * @returns one finite number a sample
   */
  values(samples: readonly RewardSample[], results: readonly RewardResult[]): readonly number[];
}

/**
 * A reward and its shaping: reward + sum of weight x value. Everything else of a result stays the reward's own: a term does not
 * make an answer right.
 * @throws {LimrError} LIMR_USAGE when two terms have one name, or one is called "base"; LIMR_NUMERIC when a value is not finite
 */
export function shapeReward(base: Reward, terms: readonly ShapingTerm[]): Reward {
  if (terms.length === 0) return base;
  refuseTwice(['base', ...terms.map(({ name }) => name)]);
  return {
    ...closing([base]),
    name: [base.name, ...terms.map(({ name }) => name)].join('+'),
    async score(samples, signal) {
      const results = await scoreSamples(base, samples, signal);
      const columns = terms.map((term) => {
        const values = term.values(samples, results);
        return samples.map((_, i) => term.weight * (values[i] ?? Number.NaN) + 0); // + 0: no -0
      });
      return results.map((result, i) => {
        const parts = { base: result.reward, ...named(terms, (_, t) => columns[t]![i]!) };
        return { ...result, reward: sum(parts), parts };
      });
    },
  };
}

/** A reward and its share in a sum. */
export interface WeightedReward {
  readonly reward: Reward;
  /** Default 1. */
  readonly weight?: number;
}

/**
 * The weighted sum of rewards. What is right, well-formed and extracted is the first one's word.
 * @throws {LimrError} LIMR_USAGE when there are none, or two have one name
 */
export function combineRewards(rewards: readonly WeightedReward[]): Reward {
  const [first] = rewards;
  if (first === undefined) throw new LimrError('LIMR_USAGE', 'a sum of rewards needs at least one');
  refuseTwice(rewards.map(({ reward }) => reward.name));
  return {
    ...closing(rewards.map(({ reward }) => reward)),
    name: rewards.map(({ reward, weight = 1 }) => `${weight}*${reward.name}`).join(' + '),
    async score(samples, signal) {
      const all = await Promise.all(rewards.map(({ reward }) => scoreSamples(reward, samples, signal)));
      return samples.map((_, i) => {
        const parts = Object.fromEntries(
          rewards.map(({ reward, weight = 1 }, r) => [reward.name, weight * all[r]![i]!.reward] as const),
        );
        return { ...all[0]![i]!, reward: sum(parts), parts };
      });
    },
  };
}

function named(terms: readonly ShapingTerm[], value: (term: ShapingTerm, index: number) => number) {
  return Object.fromEntries(terms.map((term, i) => [term.name, value(term, i)] as const));
}

const sum = (parts: Readonly<Record<string, number>>): number => Object.values(parts).reduce((a, b) => a + b, 0);

/** A `close` for those that have one. */
function closing(rewards: readonly Reward[]): Pick<Reward, 'close'> {
  if (rewards.every(({ close }) => close === undefined)) return {};
  return {
    close: async () => {
      await Promise.all(rewards.map((reward) => reward.close?.()));
    },
  };
}

function refuseTwice(names: readonly string[]): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return;
  throw new LimrError('LIMR_USAGE', `two parts of a reward are called ${twice}`, 'Give each a name of its own.');
}
