/** From options to a fine-tuned model folder. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../bytes.js';
import { checkModelFolder } from '../engine/folder.js';
import { LimrError } from '../errors.js';
import { checkNewFolder, freeBytes } from '../files.js';
import type { HubHooks } from '../hub/index.js';
import { checkSftConfig, type SftConfig } from '../sft/config.js';
import { readExamples } from '../sft/examples.js';
import { finetune, type SftEvent, type SftResult } from '../sft/train.js';
import { dataPath, modelFolder } from './embedded.js';
import { type ChosenMachine, withEngine } from './machine.js';
import type { SftRunOptions } from './options.js';

/** What a caller of `launchSft` is told. */
export interface SftLaunchHooks extends HubHooks {
  /** Told of every step and evaluation. */
  readonly observe?: (event: SftEvent) => void;
  /** Told of examples and tokens read so far. */
  readonly onRead?: (examples: number, tokens: number) => void;
  readonly remark?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** What fine-tuning came to. */
export interface SftLaunchResult extends SftResult {
  readonly output: string;
  readonly examples: number;
  readonly examplesTokens: number;
}

/**
 * Trains, and writes the model folder at the end; interrupted, it writes the model as far as it came.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT of the inputs; LIMR_MEMORY before weights load; LIMR_ABORTED after `signal`
 */
export async function launchSft(
  run: SftRunOptions,
  config: SftConfig,
  machine: ChosenMachine,
  hooks: SftLaunchHooks = {},
): Promise<SftLaunchResult> {
  const dir = await modelFolder(run.model, hooks);
  await checkInputs(run, dir);
  const data = await dataPath(run.data, hooks);
  await refuseUnfitSft(config, dir, run.output, machine);
  return withEngine(machine, async (engine) => {
    const model = await engine.load(dir, {
      trainable: true,
      activationCheckpointing: config.gradientCheckpointing,
      moments: config.optimizerMoments,
    });
    const context = model.info.maxPositionEmbeddings;
    checkSftConfig(config, context);
    const examples = await readExamples(data, {
      config,
      tokenizer: model.tokenizer,
      vocabSize: model.info.vocabSize,
      eosTokenId: model.eosTokenIds[0] ?? model.tokenizer?.eosTokenId,
      maxLen: Math.min(config.maxLen ?? context, config.microTrainMaxTokens),
      ...(hooks.onRead === undefined ? {} : { onProgress: hooks.onRead }),
    });
    if (examples.numDropped > 0) hooks.remark?.(`${examples.numDropped} examples were too long and left out`);
    const result = await finetune(model, examples, config, {
      signal: hooks.signal,
      ...(hooks.observe === undefined ? {} : { observe: hooks.observe }),
    });
    const summary = { ...result, examples: examples.lossStarts.length, examplesTokens: examples.tokens.length };
    const record = `${JSON.stringify({ config, data: run.data, model: run.model, ...summary }, null, 2)}\n`;
    await model.save(run.output, { fill: (folder) => writeFile(join(folder, 'sft.json'), record) });
    if (result.steps < result.plannedSteps) {
      throw new LimrError(
        'LIMR_ABORTED',
        `interrupted after step ${result.steps} of ${result.plannedSteps}; the model so far is in ${run.output}`,
      );
    }
    return { ...summary, output: run.output };
  });
}

async function checkInputs(run: SftRunOptions, dir: string): Promise<void> {
  await checkModelFolder(dir);
  if (run.data === '') throw new LimrError('LIMR_USAGE', 'there are no examples', 'Name a file by --data.');
  if (run.output === '') throw new LimrError('LIMR_USAGE', 'there is no place for the model', 'Name it by --output.');
  await checkNewFolder(run.output);
}

async function refuseUnfitSft(
  config: SftConfig,
  dir: string,
  output: string,
  { addon, device, threads, limitBytes }: ChosenMachine,
): Promise<void> {
  const plan = addon.plan({
    dir,
    head: 'lm',
    trainable: true,
    activationCheckpointing: config.gradientCheckpointing,
    trainTokens: config.microTrainMaxTokens,
    scoreTokens: config.heldoutShare > 0 ? config.microTrainMaxTokens : 0,
    maxSequences: Math.min(config.microTrainBatchSize, config.microTrainMaxTokens),
    maxBatch: 0,
    prefillChunk: 0,
    contextLength: 0,
    kvCacheBytes: 0,
    threads,
    device: device === 'cpu' ? 'cpu' : 'cuda',
    moments: config.optimizerMoments,
  });
  const free = await freeBytes(output);
  if (plan.weightBytes > free) {
    throw new LimrError(
      'LIMR_IO',
      `the model has ${formatBytes(plan.weightBytes)}, and ${formatBytes(free)} are free for ${output}`,
      'Free some space, or choose an --output on another disk.',
    );
  }
  const kept = plan.weightBytes + plan.gradientBytes + plan.optimizerBytes;
  const workspace = Math.max(plan.trainBytes, plan.scoreBytes);
  if (kept + workspace <= limitBytes) return;
  throw new LimrError(
    'LIMR_MEMORY',
    `the run needs ${formatBytes(kept + workspace)}, and ${formatBytes(limitBytes)} may be used: weights, gradients and optimizer ${formatBytes(kept)}, workspace ${formatBytes(workspace)}`,
    kept > limitBytes ? 'Take a smaller model or a larger machine.' : 'Lower --micro-train-max-tokens.',
  );
}
