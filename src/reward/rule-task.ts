/** LIMR's rule as a task of the worker pool, and as a reward over it. */
import { createReward, graderOf } from './create-reward.js';
import { checkSample, gradeCheck, type LimrReason, type LimrScores, limrScores, type RuleSample } from './limr-rule.js';
import { type PoolOptions, WorkerPool } from './pool.js';
import type { Task } from './pool-task.js';
import { type Reward, type RewardResult, type RewardSample, sampleName } from './reward.js';
import type { TemplateName } from './template.js';

/** LIMR's rule, in plain values. */
export interface RuleOptions {
  readonly grader: string;
  /** Default `plain`. */
  readonly template?: TemplateName;
  /** Default +1, -0.5, -1. */
  readonly scores?: Partial<LimrScores>;
}

export const task: Task<RuleOptions, RuleSample, RewardResult<LimrReason>> = {
  url: import.meta.url,
  create({ grader, template = 'plain', scores }) {
    const comparator = graderOf(grader).compare;
    const all = { ...limrScores, ...scores };
    return (sample) => gradeCheck(checkSample(sample, template), comparator, all);
  },
};

/**
 * LIMR's rule reward, graded by worker threads. The results are those of `createReward`, with the milliseconds of each.
 * @throws {LimrError} LIMR_USAGE for a grader, template or score that is not known; `score` throws what src/reward/pool.ts says
 */
export function pooledRuleReward(options: RuleOptions, poolOptions: PoolOptions): Reward<LimrReason> {
  const { name } = createReward({ kind: 'limr-rule', ...options });
  const pool = new WorkerPool(task, options, poolOptions);
  return {
    name,
    score: (samples, signal) =>
      Promise.all(
        samples.map(async (sample) => {
          const { result, ms } = await pool.run(lookedAt(sample, options), { name: sampleName(sample), signal });
          return { ...result, ms };
        }),
      ),
    close: () => pool.close(),
  };
}

/** What the rule looks at, and nothing else: it crosses threads. */
function lookedAt(
  { prompt, response, fullText, answer, stopReason }: RewardSample,
  { template }: RuleOptions,
): RuleSample {
  const isPlain = template === undefined || template === 'plain';
  return { prompt, response: isPlain ? response : '', fullText: isPlain ? '' : fullText, answer, stopReason };
}
