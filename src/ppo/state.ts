/** The state of the loop between two rollouts: all that a checkpoint must remember beside weights and optimizers. */
import { LimrError } from '../errors.js';
import type { TrainConfig } from './config.js';
import type { Metrics } from './metrics.js';
import { freshLearner, type LearnerState } from './update.js';

export interface TrainState {
  /** Rollouts learned from; the weights are those after this one. */
  readonly rollout: number;
  /**
   * Metrics of this rollout as far as known, while its evaluation and its log line are still to come; null when it is
   * done.
   */
  readonly pending: Metrics | null;
  /** Coefficient of the next rollout. */
  readonly klCoef: number;
  readonly actor: LearnerState;
  readonly critic: LearnerState;
}

/** Before the first rollout: rollout 0, whose only part is the evaluation before training, is still to be finished. */
export function initialState(config: TrainConfig): TrainState {
  return { rollout: 0, pending: {}, klCoef: config.initKlCoef, actor: freshLearner, critic: freshLearner };
}

/** Reads the state from a checkpoint's cursor. @throws {LimrError} LIMR_FORMAT */
export function parseState(value: unknown): TrainState {
  const state = value as Partial<TrainState> | null;
  const count = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
  const learner = (l: Partial<LearnerState> | undefined): boolean => count(l?.steps) && count(l?.skippedInRow);
  const pending = state?.pending;
  const sound =
    count(state?.rollout) &&
    (pending === null || typeof pending === 'object') &&
    Number.isFinite(state?.klCoef) &&
    learner(state?.actor) &&
    learner(state?.critic);
  if (!sound) throw new LimrError('LIMR_FORMAT', 'the state in cursor.json is damaged', 'Delete that checkpoint.');
  return state as TrainState;
}
