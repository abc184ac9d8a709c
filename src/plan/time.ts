/**
 * An estimate of a run's time: its work, counted, over the speeds of this machine, measured on a model of the same shape or a smaller
 * one (src/launch/calibrate.ts). With P weights that multiply a token (all but the embedding of tokens) and a context of t tokens:
 *   forward(t) = 2 P + 2 L H D (t + 1)      attention over (t + 1) / 2 keys in the mean, 4 L H D flop a key
 *   training   = 3 forward                  backward is two products for each of forward's (Kaplan et al. 2020, arXiv:2001.08361)
 * Every prompt and every sample counts as as long as it may be, so a run whose samples end by themselves takes less. Grading,
 * evaluation and checkpoints are not counted.
 */
import type { TrainConfig } from '../ppo/config.js';
import { modelRoles } from '../ppo/models.js';

/** What counting needs of a model's configuration. */
export interface ModelShape {
  readonly layers: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
}

/** Of one machine. */
export interface MachineSpeed {
  /** Flop a second of a forward pass over packed tokens; of training on them, optimizer step included. */
  readonly forward: number;
  readonly train: number;
  /** Flop a second of a decode step of `maxBatch` sequences: of its products with weights, and of its attention. */
  readonly decode: number;
  readonly attend: number;
  /** Parameters of the model that it was measured on; 0 = not measured, but assumed. */
  readonly numParameters: number;
}

/** A GPU as its maker describes it. */
export interface GpuPeak {
  readonly name: string;
  /** Flop a second of bf16 products, dense. */
  readonly flops: number;
  /** Bytes a second of its memory. */
  readonly bytes: number;
}

/** https://www.nvidia.com/en-us/data-center/h100/ (SXM). */
export const h100: GpuPeak = { name: 'H100 SXM', flops: 989e12, bytes: 3.35e12 };

/** Shares of a GPU's peak that `assumedSpeed` counts with. */
export const assumedShares = { flops: 0.4, bytes: 0.6 } as const;

/**
 * What a GPU would do that is not here to be measured. A decode step reads all weights and all keys once, 2 bytes each: the smaller
 * its batch, the less of the products' speed is left; of attention what the query heads of a kv head share.
 */
export function assumedSpeed({ heads, kvHeads }: ModelShape, maxBatch: number, gpu: GpuPeak = h100): MachineSpeed {
  const flops = assumedShares.flops * gpu.flops;
  const bytes = assumedShares.bytes * gpu.bytes;
  return {
    forward: flops,
    train: flops,
    decode: Math.min(flops, maxBatch * bytes),
    attend: Math.min(flops, (heads / kvHeads) * bytes),
    numParameters: 0,
  };
}

/** An upper bound of a run's time, every prompt and sample being as long as it may be. */
export interface TimePlan {
  readonly speed: MachineSpeed;
  /** Seconds a rollout, at most. */
  readonly samplingSeconds: number;
  readonly scoringSeconds: number;
  readonly trainingSeconds: number;
  /** Seconds of all rollouts, at most. */
  readonly totalSeconds: number;
}

/** P: weights that multiply a token, those of the head included. */
export function multipliedWeights(shape: ModelShape): number {
  const { layers, hiddenSize: C, intermediateSize: F, heads: H, kvHeads: K, headDim: D, vocabSize: V } = shape;
  return layers * (2 * C * H * D + 2 * C * K * D + 3 * C * F) + C * V;
}

/** Flop of attention, a query and a key. */
export const keyFlops = ({ layers, heads, headDim }: ModelShape): number => 4 * layers * heads * headDim;

/** Flop a token of sequences of `length` tokens. */
export function forwardFlops(shape: ModelShape, length: number): number {
  return 2 * multipliedWeights(shape) + (keyFlops(shape) * (length + 1)) / 2;
}

/**
 * Seconds of a run, from counted floating-point operations and what the machine was measured to do.
 * @param shape of the model, by config.json
 * @param speed as `calibrate` measured it
 */
export function planTime(config: TrainConfig, shape: ModelShape, speed: MachineSpeed): TimePlan {
  const { promptMaxLen, generateMaxLen, rolloutBatchSize } = config;
  const longest = promptMaxLen + generateMaxLen;
  const samples = rolloutBatchSize * config.nSamplesPerPrompt;
  const forward = samples * longest * forwardFlops(shape, longest);
  const roles = modelRoles(config);

  const prefill = (rolloutBatchSize * promptMaxLen * forwardFlops(shape, promptMaxLen)) / speed.forward;
  const attended = (promptMaxLen + generateMaxLen / 2) * keyFlops(shape);
  const decode = samples * generateMaxLen * ((2 * multipliedWeights(shape)) / speed.decode + attended / speed.attend);
  const scored = roles.filter((role) => role !== 'actor').length;
  const trained = roles.filter((role) => role !== 'reference').length;

  const samplingSeconds = prefill + decode;
  const scoringSeconds = (scored * forward) / speed.forward;
  const trainingSeconds = (trained * config.maxEpochs * 3 * forward) / speed.train;
  const totalSeconds = config.rollouts * (samplingSeconds + scoringSeconds + trainingSeconds);
  return { speed, samplingSeconds, scoringSeconds, trainingSeconds, totalSeconds };
}
