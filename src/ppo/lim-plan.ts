/** What of LIM's options is known before a run: what cannot work, and from which rollout on prompts are dropped. */
import { LimrError } from '../errors.js';
import type { TrainConfig } from './config.js';
import { firstRolloutOf } from './prompt-order.js';

/**
 * Refuses settings that cannot work with these prompts.
 * @param numPrompts after those that are too long were dropped
 * @throws {LimrError} LIMR_USAGE
 */
export function checkLearningImpact(config: TrainConfig, numPrompts: number): void {
  const { lim, limCount, limFromEpoch, rollouts, rolloutBatchSize, dropLast } = config;
  if (!lim) return;
  const refuse = (message: string, hint: string): never => {
    throw new LimrError('LIMR_USAGE', message, hint);
  };
  if (limCount !== null && limCount > numPrompts) {
    refuse(`limCount is ${limCount}, and there are ${numPrompts} prompts`, `Set --lim-count to ${numPrompts} or less.`);
  }
  if (limCount !== null && config.limDrop && dropLast && limCount < rolloutBatchSize) {
    refuse(
      `limCount is ${limCount}, and dropLast drops all of them: a rollout takes ${rolloutBatchSize}`,
      `Set --lim-count to ${rolloutBatchSize} or more, or leave --drop-last out.`,
    );
  }
  if (limFromEpoch === null) return;
  const order = { ...config, numPrompts };
  const turn = firstRolloutOf(order, limFromEpoch);
  if (turn <= rollouts) return;
  let last = limFromEpoch;
  while (last > 1 && firstRolloutOf(order, last) > rollouts) last -= 1;
  const lower = last > 1 ? `Set --lim-from-epoch to ${last} or less, or` : 'Set';
  refuse(
    `limFromEpoch is ${limFromEpoch}, and that epoch would begin with rollout ${turn} of ${rollouts}`,
    `${lower} --rollouts to ${turn} or more.`,
  );
}

export interface PlannedSubset {
  /** First rollout that draws from the prompts that stay. */
  readonly rollout: number;
  /** How many stay; at most, unless `isExact`. */
  readonly prompts: number;
  readonly isExact: boolean;
}

/** @returns undefined without limDrop */
export function plannedSubset(config: TrainConfig, numPrompts: number): PlannedSubset | undefined {
  const { limDrop, limFromEpoch, limCount } = config;
  if (!limDrop || limFromEpoch === null) return undefined;
  return {
    rollout: firstRolloutOf({ ...config, numPrompts }, limFromEpoch),
    prompts: limCount ?? numPrompts,
    isExact: limCount !== null,
  };
}
