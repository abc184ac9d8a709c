/**
 * What loops over a model need of it: packed requests, complete options, no conveniences. `Model.port()` gives it, and tests
 * run the whole training loop on a small policy written in TypeScript.
 */
import type {
  NativeGenerateRequest,
  NativeGenerateStats,
  NativeLoss,
  NativeLossTerms,
  NativePacked,
  NativeSample,
  NativeSamplingProgress,
  NativeScoreRequest,
  NativeScores,
  NativeStepOptions,
  NativeStepResult,
} from '../native.js';

/**
 * A model as training and evaluation loops see it: packed requests with every option given. `Model.port()` is one;
 * tests write others.
 */
export interface EngineModel {
  /**
   * Samples in the order they finish; the generator's return value is the statistics. A sample counts as acknowledged
   * when the next one is asked for, so a slow consumer slows sampling down. Leaving the loop early stops the sampling.
   * @throws {LimrError} LIMR_ABORTED after `abort`
   */
  generate(request: NativeGenerateRequest): AsyncGenerator<NativeSample, NativeGenerateStats, void>;
  /** Of the sampling that runs, or of the last one. May be called at any time. */
  samplingProgress(): NativeSamplingProgress;
  /**
   * Log-probs and entropy of every token (lm head), or values; f32, in the order of the packed tokens.
   * @throws {LimrError} LIMR_ABORTED after `abort`
   */
  score(request: NativeScoreRequest): Promise<NativeScores>;
  /** Adds the gradients of one micro-batch to those of the optimizer step. */
  accumulate(batch: NativePacked, loss: NativeLoss): Promise<NativeLossTerms>;
  /** Ends the optimizer step and clears the gradients, also when it skips because they are not finite. */
  step(options: NativeStepOptions): Promise<NativeStepResult>;
  /** Stops a running `generate` or `score`; does nothing when none runs. */
  abort(): void;
  /** Writes config.json and safetensors into an existing folder, fsynced. */
  save(dir: string): Promise<void>;
  /** Writes AdamW moments and the low halves of the f32 master weights. @throws {LimrError} LIMR_IO, LIMR_STATE */
  saveOptimizer(file: string): Promise<void>;
  /** Reads what `saveOptimizer` wrote. @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_SHAPE */
  loadOptimizer(file: string): Promise<void>;
  /** Gives the memory back; idempotent. */
  close(): Promise<void>;
}
