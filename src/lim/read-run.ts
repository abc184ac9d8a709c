/** From the step files of a run to trajectories. */
import { LimrError } from '../errors.js';
import { type EpochOptions, type Epochs, findEpochs, trajectoriesOf } from './epochs.js';
import { GroupCollector, type Signal } from './groups.js';
import { type PromptKey, StepReader, stepFiles } from './step-files.js';
import type { Trajectories } from './trajectories.js';

/** What is measured of a run's samples. */
export interface ReadRunOptions {
  /** By what samples name their prompt. */
  readonly key: PromptKey;
  /** What to measure; each costs 8 bytes a prompt and epoch. */
  readonly signals: readonly Signal[];
  readonly stepsPerEpoch: number | null;
  readonly epochs: number | null;
  /** How often a prompt occurs in an epoch, asked once all files are read; default: once. */
  readonly repeats?: (by: PromptKey) => (key: string) => number;
  /** Told of step files read, of how many. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** What a run says of its prompts. */
export interface MeasuredRun {
  /** By what samples named their prompt. */
  readonly key: PromptKey;
  /** N prompts, in the order in which they were first sampled. */
  readonly keys: readonly string[];
  readonly steps: number;
  readonly samples: number;
  readonly epochs: Epochs;
  /** N trajectories of a signal that was asked for; NaN = not seen in that epoch. */
  trajectories(signal: Signal): Trajectories;
}

/**
 * Reads the samples of a run, one step file at a time: what is held is the largest file, the keys, and 8 + 8 * signals bytes a prompt
 * and epoch.
 * @param folder see `stepFiles`
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_USAGE, LIMR_ABORTED
 */
export async function readRun(folder: string, options: ReadRunOptions): Promise<MeasuredRun> {
  const { stepsPerEpoch, epochs, signal } = options;
  const all = await stepFiles(folder);
  const files = stepsPerEpoch === null || epochs === null ? all : all.slice(0, stepsPerEpoch * epochs);
  const reader = new StepReader(options.key);
  const collector = new GroupCollector(options.signals);
  for (const [step, file] of files.entries()) {
    if (signal?.aborted === true) throw new LimrError('LIMR_ABORTED', 'interrupted while reading samples');
    collector.addStep(await reader.read(file));
    options.onProgress?.(step + 1, files.length);
  }
  const keys = collector.keys;
  const repeats = options.repeats?.(reader.key);
  const epochOptions: EpochOptions = {
    stepsPerEpoch,
    epochs,
    ...(repeats === undefined ? {} : { repeats: (prompt: number) => repeats(keys[prompt]!) }),
  };
  const found = findEpochs(collector.steps, epochOptions);
  return {
    key: reader.key,
    keys,
    steps: files.length,
    samples: collector.samples,
    epochs: found,
    trajectories: (wanted) => trajectoriesOf(collector.steps, keys.length, found, wanted),
  };
}
