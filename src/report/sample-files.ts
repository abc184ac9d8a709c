/** The files of samples in a run folder. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataRecord, streamRecords } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import { hasCode, withIo } from '../files.js';
import type { SampleView, Setting, Settings, Split } from './data.js';

/** Characters of a prompt, and of a response, that a page is given; the file has them all. */
const maxCharacters = 20_000;

/** Fields with a place of their own in a SampleView. */
const placed = new Set(['id', 'prompt', 'response', 'reward', 'correct', 'response_length']);

const splitFolder = (run: string, split: Split): string => join(run, 'samples', split);
export const sampleFile = (run: string, split: Split, rollout: number): string =>
  join(splitFolder(run, split), `step_${rollout}.json`);
export const tokensFile = (run: string, rollout: number): string =>
  join(splitFolder(run, 'train'), `step_${rollout}.tokens.jsonl`);

/** What a split has: its rollouts, ascending, and those of them with what their tokens were trained on. */
export interface SampleListing {
  readonly rollouts: readonly number[];
  readonly withTokens: ReadonlySet<number>;
}

/** Empty when there is no such folder. @throws {LimrError} LIMR_IO */
export async function listSamples(run: string, split: Split): Promise<SampleListing> {
  const dir = splitFolder(run, split);
  const names = await withIo(`list ${dir}`, () =>
    readdir(dir).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    }),
  );
  const numbers = (form: RegExp): number[] =>
    names.flatMap((name) => form.exec(name)?.[1] ?? []).map((digits) => Number(digits));
  return {
    rollouts: numbers(/^step_(\d+)\.json$/).sort((a, b) => a - b),
    withTokens: new Set(numbers(/^step_(\d+)\.tokens\.jsonl$/)),
  };
}

/** The samples of a file. @throws {LimrError} LIMR_IO, LIMR_FORMAT with file and row */
export async function* readSampleFile(
  run: string,
  split: Split,
  rollout: number,
  hasTokens: boolean,
): AsyncGenerator<{ readonly record: DataRecord; readonly view: () => SampleView }, void, void> {
  let row = -1;
  for await (const record of streamRecords(sampleFile(run, split, rollout))) {
    row += 1;
    checkSample(record);
    const at = { split, rollout, row, hasTokens };
    yield { record, view: () => ({ ...at, ...content(record) }) };
  }
}

function checkSample({ fields: { response, reward }, where }: DataRecord): void {
  if (typeof response === 'string' && typeof reward === 'number') return;
  throw new LimrError(
    'LIMR_FORMAT',
    `${where} has no ${typeof response === 'string' ? '"reward" that is a number' : '"response" that is a text'}`,
    'Samples are {"prompt": "...", "response": "...", "reward": 1}.',
  );
}

function content({
  fields,
}: DataRecord): Pick<SampleView, 'id' | 'prompt' | 'response' | 'cut' | 'reward' | 'correct' | 'length' | 'facts'> {
  const { id, prompt, correct, response_length: length } = fields;
  const { response, reward } = fields as { readonly response: string; readonly reward: number };
  const asked = typeof prompt === 'string' ? prompt : '';
  const shown = [asked, response].map((text) => text.slice(0, maxCharacters)) as [string, string];
  const cut = asked.length + response.length - shown[0].length - shown[1].length;
  return {
    id: typeof id === 'string' || typeof id === 'number' ? String(id) : '',
    prompt: shown[0],
    response: shown[1],
    ...(cut === 0 ? {} : { cut }),
    reward,
    correct: typeof correct === 'boolean' ? correct : reward === 1,
    length: typeof length === 'number' ? length : null,
    facts: factsOf(fields),
  };
}

function factsOf(fields: DataRecord['fields']): Settings {
  const kept = Object.entries(fields).filter(([name, value]) => !placed.has(name) && value !== '' && value !== null);
  return Object.fromEntries(
    kept.map(([name, value]) => [name, typeof value === 'string' ? value.slice(0, maxCharacters) : (value as Setting)]),
  );
}
