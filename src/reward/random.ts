/**
 * The control experiment: a reward that never looks at the answer. If accuracy rises under it, the rise has another cause
 * than the answers' correctness: the form of responses, or the training itself.
 */
import { checkSample, type LimrScores, limrScores, malformedResult, type RejectReason } from './limr-rule.js';
import type { Reward, RewardResult, RewardSample } from './reward.js';
import type { TemplateName } from './template.js';

export interface RandomOptions {
  /** Key of the draws, an unsigned 32-bit integer. */
  readonly seed: number;
  /** Share of samples that are called correct, in [0, 1]. */
  readonly rate: number;
  readonly template: TemplateName;
  /** `rule`: malformed responses get their -1 as in LIMR's rule, only correctness is drawn. `ignore`: all is drawn. */
  readonly form?: 'rule' | 'ignore';
  readonly scores?: LimrScores;
}

export type RandomReason = RejectReason | 'drawn_correct' | 'drawn_wrong';

export function randomReward({
  seed,
  rate,
  template,
  form = 'rule',
  scores = limrScores,
}: RandomOptions): Reward<RandomReason> {
  const score = (sample: RewardSample): RewardResult<RandomReason> => {
    const check = checkSample(sample, template);
    if (check.reject !== null && form === 'rule') return malformedResult(check.reject, check.answer, scores);
    const correct = uniform(seed, sample.rollout, sample.row, sample.sample) < rate;
    return {
      reward: correct ? scores.correct : scores.wrong,
      correct,
      wellFormed: check.reject === null,
      reason: correct ? 'drawn_correct' : 'drawn_wrong',
      answer: check.answer,
      detail: '',
    };
  };
  return { name: `random/${template}/form=${form}/rate=${rate}/seed=${seed}`, score: (samples) => samples.map(score) };
}

/** Second key word of the draws ("rwd"), apart from every purpose of the sampler. */
const purpose = 0x727764;

/** Uniform in [0, 1), 53 bits, from the counter (rollout, row, sample) alone: the addressing of native/core/rng.h. */
export function uniform(seed: number, rollout: number, row: number, sample: number): number {
  const [high, low] = philox([rollout, row, sample, 0], [seed, purpose]);
  return (high * 2 ** 21 + (low >>> 11)) * 2 ** -53;
}

type Words4 = readonly [number, number, number, number];

/** Philox4x32-10: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". Words are unsigned 32-bit. */
export function philox(counter: Words4, key: readonly [number, number]): Words4 {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round += 1) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1 >>> 0, (high0 ^ c3 ^ k1) >>> 0, low0 >>> 0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Upper 32 bits of the product of two unsigned 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16); // below 2^32
  const other = aLow * bHigh + (middle & 0xffff); // below 2^32
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(other / 65536)) >>> 0;
}
