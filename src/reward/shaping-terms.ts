/** Shaping as terms of a reward (src/reward/combine.ts), out of plain settings such as flags. */
import type { ShapingTerm } from './combine.js';
import {
  cosineLengthReward,
  groupLengthRewards,
  hasForm,
  overlongPenalty,
  type ResponseForm,
  repeatedShare,
} from './shaping.js';

/** What is added to a reward, and how much of it. */
export interface ShapingOptions {
  /** Tokens before maxLength in which the penalty rises from 0 to 1 x factor; 0 = off. */
  readonly overlongBufferLen: number;
  readonly overlongPenaltyFactor: number;
  /** Reward of a response that only repeats itself, at most 0; 0 = off. */
  readonly repetitionMaxPenalty: number;
  /** Words of an n-gram. */
  readonly repetitionNGrams: number;
  readonly formatReward: 'none' | ResponseForm;
  readonly formatRewardWeight: number;
  readonly lengthReward: 'none' | 'cosine' | 'kimi';
  readonly lengthRewardWeight: number;
}

/**
 * The terms that are switched on.
 * @param maxLength tokens that a response may have
 */
export function shapingTerms(options: ShapingOptions, maxLength: number): ShapingTerm[] {
  const { overlongBufferLen, repetitionMaxPenalty, repetitionNGrams, formatReward, lengthReward } = options;
  const terms: ShapingTerm[] = [];
  if (overlongBufferLen > 0) {
    terms.push({
      name: 'overlong',
      weight: options.overlongPenaltyFactor,
      values: (samples) => samples.map(({ tokens }) => overlongPenalty(tokens.length, maxLength, overlongBufferLen)),
    });
  }
  if (repetitionMaxPenalty < 0) {
    terms.push({
      name: 'repetition',
      weight: repetitionMaxPenalty,
      values: (samples) => samples.map(({ response }) => repeatedShare(response, repetitionNGrams)),
    });
  }
  if (formatReward !== 'none') {
    terms.push({
      name: 'format',
      weight: options.formatRewardWeight,
      values: (samples) => samples.map(({ response }) => (hasForm(response, formatReward) ? 1 : 0)),
    });
  }
  if (lengthReward !== 'none') {
    const values = lengthReward === 'cosine' ? cosineValues(maxLength) : groupValues;
    terms.push({ name: 'length', weight: options.lengthRewardWeight, values });
  }
  return terms;
}

const cosineValues = (maxLength: number): ShapingTerm['values'] => {
  return (samples, results) =>
    samples.map(({ tokens }, i) => cosineLengthReward(tokens.length, maxLength, results[i]!.correct));
};

/** Groups are the samples of one prompt in one rollout. */
const groupValues: ShapingTerm['values'] = (samples, results) => {
  const groups = new Map<string, number[]>();
  for (const [i, { rollout, row }] of samples.entries()) {
    const key = `${rollout}/${row}`;
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  const values = new Array<number>(samples.length).fill(0);
  for (const members of groups.values()) {
    const rewards = groupLengthRewards(
      members.map((i) => samples[i]!.tokens.length),
      members.map((i) => results[i]!.correct),
    );
    for (const [m, i] of members.entries()) values[i] = rewards[m]!;
  }
  return values;
};
