/**
 * The control experiment: a reward that never looks at the answer. If accuracy rises under it, the rise has another cause
 * than the answers' correctness: the form of responses, or the training itself.
 */
import { philox, purpose } from '../random.js';
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

/** Uniform in [0, 1), 53 bits, from the counter (rollout, row, sample) alone: the addressing of native/core/rng.h. */
export function uniform(seed: number, rollout: number, row: number, sample: number): number {
  const [high, low] = philox([rollout, row, sample, 0], [seed, purpose.randomReward]);
  return (high * 2 ** 21 + (low >>> 11)) * 2 ** -53;
}
