/** What the loop tells whoever watches: enough for bars, lines and a live page. The loop itself prints nothing. */
import type { SamplingProgress } from '../eval/graded-samples.js';
import type { Metrics } from './metrics.js';
import type { Work } from './work.js';

/** Which samples are being drawn: the rollout's, or those of an evaluation. */
export type SamplingPhase = { readonly kind: 'train' } | { readonly kind: 'eval'; readonly set: string };

/** What the time of a run goes to. Grading belongs to sampling and evaluation, which it overlaps. */
export type Phase = 'sampling' | 'scoring' | 'update' | 'evaluation' | 'saving';

/** What an observer is told. */
export type TrainEvent =
  | {
      readonly type: 'start';
      /** Rollouts done, of how many. */
      readonly rollout: number;
      readonly rollouts: number;
      readonly resumedFrom: string | null;
      readonly truncatedPrompts: number;
    }
  | { readonly type: 'rollout'; readonly rollout: number; readonly rollouts: number }
  | { readonly type: 'phase'; readonly rollout: number; readonly phase: Phase }
  | {
      readonly type: 'phase_end';
      readonly rollout: number;
      readonly phase: Phase;
      readonly seconds: number;
      /** Of sampling and evaluation; that of the others is told model by model. */
      readonly work?: Work;
    }
  | ({ readonly type: 'samples'; readonly rollout: number; readonly phase: SamplingPhase } & SamplingProgress)
  /** An epoch ended, and the prompts were scored; or they have no scores, for that reason. */
  | {
      readonly type: 'lim';
      readonly rollout: number;
      readonly epoch: number;
      readonly prompts: number;
      readonly metrics: Metrics;
      readonly undefinedBecause: string | undefined;
    }
  /** Every sample of one of the first rollouts got the same reward. */
  | { readonly type: 'flat_rewards'; readonly rollout: number; readonly reward: number; readonly samples: number }
  | {
      readonly type: 'score';
      readonly rollout: number;
      readonly model: 'reference' | 'critic';
      readonly tokens: number;
      /** Tokens that get a log-prob or a value. */
      readonly actions: number;
    }
  /** A pass of scoring, or a micro-batch's, is done: what its forward computed. */
  | {
      readonly type: 'computed';
      readonly rollout: number;
      readonly phase: 'scoring' | 'update';
      readonly model: 'actor' | 'reference' | 'critic';
      readonly work: Work;
    }
  | {
      readonly type: 'micro_batch';
      readonly rollout: number;
      readonly model: 'actor' | 'critic';
      /** Optimizer step of the rollout, from 1, of how many; micro-batch of the step likewise. */
      readonly step: number;
      readonly steps: number;
      readonly microBatch: number;
      readonly microBatches: number;
      readonly tokens: number;
      /** Tokens that are learned from. */
      readonly actions: number;
    }
  | {
      readonly type: 'skipped_step';
      readonly rollout: number;
      readonly model: 'actor' | 'critic';
      /** First op with a number that was not finite, or "the gradient of <parameter>". */
      readonly op: string;
      readonly inRow: number;
    }
  | { readonly type: 'evaluation'; readonly rollout: number; readonly set: string; readonly metrics: Metrics }
  | { readonly type: 'metrics'; readonly rollout: number; readonly metrics: Metrics; readonly timings: Timings }
  | { readonly type: 'checkpoint'; readonly rollout: number; readonly dir: string };

/** Told of what a run does. It must not throw, and is not waited for. */
export type Observer = (event: TrainEvent) => void;

/** Wall-clock side of a rollout, for timings.jsonl: never in metrics.jsonl. Seconds, tokens, bytes. */
export type Timings = Readonly<Record<string, number>>;
