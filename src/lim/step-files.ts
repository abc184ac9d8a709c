/** The samples of a run, step by step: ours (samples/train of a run folder) or LIMR's own step files. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataRecord, streamRecords } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import { exists, hasCode, withIo } from '../files.js';
import type { RewardedSample } from './groups.js';

/** By what a sample names its prompt; auto = by id where the first sample has one, else by the prompt's text. */
export const promptKeys = ['auto', 'id', 'prompt'] as const;
/** By what samples name their prompt; auto = by id where they have one, else by the prompt's text. */
export type PromptKey = (typeof promptKeys)[number];

/** Where step files may lie below the folder that is named. */
const places = ['', 'train', 'samples/train'];

/**
 * Paths of step_1.json to step_n.json.
 * @param folder with the files in it, in its train/, or in its samples/train/ (a run folder)
 * @throws {LimrError} LIMR_IO when there are none; LIMR_FORMAT when a number is missing
 */
export async function stepFiles(folder: string): Promise<readonly string[]> {
  const names = await withIo(`list ${folder}`, () => readdir(folder)).catch((error: unknown) => {
    if (!(error instanceof LimrError && hasCode(error.cause, 'ENOTDIR'))) throw error;
    throw new LimrError('LIMR_IO', `${folder} is no folder of step files`, 'A file of scores is given by --scores.');
  });
  for (const place of places) {
    const dir = join(folder, place);
    const numbers = stepNumbers(place === '' ? names : (await exists(dir)) ? await readdir(dir) : []);
    if (numbers.length === 0) continue;
    const gap = numbers.findIndex((number, i) => number !== i + 1);
    if (gap === -1) return numbers.map((number) => join(dir, `step_${number}.json`));
    throw new LimrError(
      'LIMR_FORMAT',
      `${dir} has step_${numbers[gap]}.json and no step_${gap + 1}.json`,
      'Steps are counted from 1 without a gap: an epoch with a part of its steps would mislead every score.',
    );
  }
  throw new LimrError(
    'LIMR_IO',
    `${folder} has no step_<k>.json, nor has its train/ or samples/train/`,
    "Name a run folder, its samples folder, or the folder of LIMR's step files.",
  );
}

function stepNumbers(names: readonly string[]): number[] {
  return names
    .flatMap((name) => /^step_(\d+)\.json$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Reads step files, all by the same key. */
export class StepReader {
  constructor(private by: PromptKey = 'auto') {}

  /** What `auto` came to; "auto" while nothing was read. */
  get key(): PromptKey {
    return this.by;
  }

  /**
   * The samples of one file, {prompt, reward} and, in ours, {id, correct, sample, epoch, epoch_size}. A sample is correct when it says so, else when its
   * reward is 1, as lim_selection.py has it. Prompts are stripped.
   * @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and row
   */
  async read(file: string): Promise<RewardedSample[]> {
    const samples: RewardedSample[] = [];
    for await (const record of streamRecords(file)) samples.push(this.of(record));
    return samples;
  }

  /** One row of a step file. @throws {LimrError} LIMR_FORMAT */
  of({ fields, where }: DataRecord): RewardedSample {
    const { id, prompt, reward, correct, sample, epoch, epoch_size: epochSize } = fields;
    if (this.by === 'auto') this.by = id === undefined ? 'prompt' : 'id';
    const key = this.by === 'id' ? id : prompt;
    if (typeof key !== 'string' && !(this.by === 'id' && typeof key === 'number')) {
      throw new LimrError(
        'LIMR_FORMAT',
        `${where}: "${this.by}" is ${key === undefined ? 'missing' : 'no text'}`,
        `Its fields are ${Object.keys(fields).join(', ')}; --key says by which a sample names its prompt.`,
      );
    }
    if (typeof reward !== 'number' || !Number.isFinite(reward)) {
      throw new LimrError(
        'LIMR_FORMAT',
        `${where}: "reward" is ${JSON.stringify(reward)}, expected a number`,
        'Step files are lists of {"prompt": "...", "response": "...", "reward": 1}.',
      );
    }
    return {
      key: String(key).trim(),
      reward,
      correct: typeof correct === 'boolean' ? correct : reward === 1,
      ...(typeof sample === 'number' ? { sample } : {}),
      ...(isCount(epoch) && isCount(epochSize) ? { epoch, epochSize } : {}),
    };
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) > 0;
