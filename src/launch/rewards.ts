/** The rewards that a configuration stands for. */
import { availableParallelism } from 'node:os';
import type { TrainConfig } from '../ppo/config.js';
import { shapeReward } from '../reward/combine.js';
import { hookReward, loadRewardHook } from '../reward/hook.js';
import { createReward, type Reward } from '../reward/index.js';
import type { PoolOptions } from '../reward/pool.js';
import { remoteReward } from '../reward/remote.js';
import { pooledRuleReward } from '../reward/rule-task.js';
import { shapingTerms } from '../reward/shaping-terms.js';

export interface OpenRewards {
  readonly reward: Reward;
  /** The run's module over LIMR's rule with evalGrader, else that rule alone; unshaped: an evaluation measures, it does not teach. */
  readonly evalReward: Reward;
  close(): Promise<void>;
}

/** Grading takes a small share of sampling's time: one thread for every four CPUs keeps up, and leaves the rest to it. */
export const defaultRewardWorkers = (): number => Math.max(1, Math.floor(availableParallelism() / 4));

/**
 * Opens the rewards of a run, before anything large is loaded: a module that does not load, a name that is not known or an address
 * that is none costs nothing. Threads start with the first sample.
 * @param remark told of workers that were lost
 * @throws {LimrError} LIMR_USAGE
 */
export async function openRewards(config: TrainConfig, remark: (text: string) => void): Promise<OpenRewards> {
  const { grader, evalGrader, rewardTemplate: template } = config;
  const pool: PoolOptions = {
    workers: config.rewardWorkers ?? defaultRewardWorkers(),
    timeoutMs: config.rewardTimeoutMs,
    onIncident: remark,
  };
  const rule = (name: string): Reward => pooledRuleReward({ grader: name, template }, pool);
  const base = baseReward(config, rule);
  const evalRule = rule(evalGrader === 'same' ? grader : evalGrader);
  const hook = isModule(config) ? await loadRewardHook(config.reward, { seed: config.seed }) : undefined;
  const hooked = (rule: Reward): Reward => (hook === undefined ? rule : hookReward(hook, config.reward, rule));
  const reward = shapeReward(hooked(base), shapingTerms(config, config.generateMaxLen));
  const evalReward = hooked(evalRule);
  return {
    reward,
    evalReward,
    close: async () => {
      await reward.close?.();
      await evalReward.close?.();
      await hook?.close?.();
    },
  };
}

/** Any other name of a reward is a module's; a server takes its place. */
const isModule = ({ reward, remoteRmUrl }: TrainConfig): boolean =>
  remoteRmUrl === '' && reward !== 'limr-rule' && reward !== 'random';

function baseReward(config: TrainConfig, rule: (grader: string) => Reward): Reward {
  const { reward, grader, remoteRmUrl, rewardTemplate: template, randomRewardRate: rate, seed } = config;
  if (remoteRmUrl !== '') {
    const { remoteRmBatchSize: batchSize, remoteRmTimeoutMs: timeoutMs, remoteRmTries: tries } = config;
    const { remoteRmRetryMs: retryMs, remoteRmConcurrency: concurrency } = config;
    const urls = remoteRmUrl.split(',').map((url) => url.trim());
    return remoteReward({ urls, batchSize, timeoutMs, tries, retryMs, concurrency }, rule(grader));
  }
  return reward === 'random' ? createReward({ kind: 'random', seed, rate, template, form: 'ignore' }) : rule(grader);
}
