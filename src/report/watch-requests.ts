/** What a page asks of its server: parameters, checked, and searches in the files of a run. */
import { LimrError } from '../errors.js';
import type { SampleCursor, SamplePage, SampleQuery, SampleView, TokenView } from './data.js';
import type { RunReader } from './run-reader.js';
import { readSampleFile } from './sample-files.js';
import { matchesQuery } from './sample-match.js';
import { readTokens, runTokenizer, type TokenTexts } from './token-files.js';

/** Samples of an answer, at most, and milliseconds of looking for them; the page asks on. */
const maxSamples = 20;
const maxMs = 400;
/** Characters that may be searched for. */
const maxText = 1000;

/** @throws {LimrError} LIMR_USAGE, naming the parameter */
export function sampleRequest(
  parameters: URLSearchParams,
  runs: number,
): { readonly query: SampleQuery; readonly after: SampleCursor | null } {
  const run = whole(parameters, 'run');
  if (run === null || run >= runs) throw refusal('run');
  const split = choice(parameters, 'split', ['train', 'test'] as const);
  const graded = choice(parameters, 'graded', ['any', 'correct', 'wrong'] as const);
  const text = parameters.get('text') ?? '';
  if (text.length > maxText) throw refusal('text');
  const [rollout, row] = [whole(parameters, 'atRollout'), whole(parameters, 'atRow')];
  return {
    query: {
      run,
      split,
      graded,
      text,
      minReward: real(parameters, 'minReward'),
      maxReward: real(parameters, 'maxReward'),
      fromRollout: whole(parameters, 'fromRollout'),
      toRollout: whole(parameters, 'toRollout'),
    },
    after: rollout === null || row === null ? null : { rollout, row },
  };
}

/** @throws {LimrError} LIMR_USAGE, naming the parameter */
export function tokenRequest(
  parameters: URLSearchParams,
  runs: number,
): { readonly run: number; readonly rollout: number; readonly row: number } {
  const [run, rollout, row] = ['run', 'rollout', 'row'].map((name) => {
    const value = whole(parameters, name);
    if (value === null) throw refusal(name);
    return value;
  }) as [number, number, number];
  if (run >= runs) throw refusal('run');
  return { run, rollout, row };
}

/** Newest rollout first. @throws {LimrError} LIMR_IO, LIMR_FORMAT of the files */
export async function searchSamples(
  reader: RunReader,
  query: SampleQuery,
  after: SampleCursor | null,
): Promise<SamplePage> {
  const started = performance.now();
  const samples: SampleView[] = [];
  let searched = 0;
  for (const rollout of rolloutsOf(reader, query, after)) {
    if (samples.length === maxSamples || performance.now() - started > maxMs) {
      return { samples, next: { rollout, row: 0 }, searched };
    }
    const first = after?.rollout === rollout ? after.row : 0;
    const hasTokens = query.split === 'train' && reader.hasTokens(rollout);
    let row = -1;
    for await (const { view } of readSampleFile(reader.dir, query.split, rollout, hasTokens)) {
      row += 1;
      if (row < first) continue;
      if (samples.length === maxSamples) return { samples, next: { rollout, row }, searched };
      const sample = view();
      searched += 1;
      if (matchesQuery(sample, query)) samples.push(sample);
    }
  }
  return { samples, next: null, searched };
}

function rolloutsOf(reader: RunReader, query: SampleQuery, after: SampleCursor | null): number[] {
  const from = query.fromRollout ?? 0;
  const to = Math.min(query.toRollout ?? Number.POSITIVE_INFINITY, after?.rollout ?? Number.POSITIVE_INFINITY);
  return reader
    .rollouts(query.split)
    .filter((rollout) => rollout >= from && rollout <= to)
    .reverse();
}

/** Tokenizers of the runs, each loaded once: when the first token is asked for. */
export class TokenReader {
  private readonly texts = new Map<RunReader, Promise<TokenTexts>>();

  /** @throws {LimrError} LIMR_USAGE when there are none; LIMR_FORMAT, LIMR_IO */
  async read(reader: RunReader, rollout: number, row: number): Promise<TokenView> {
    if (!reader.hasTokens(rollout)) throw refusal('rollout');
    const found = await readTokens(reader.dir, rollout, new Set([row]), await this.textsOf(reader));
    const view = found.get(row);
    if (view === undefined) throw refusal('row');
    return view;
  }

  /** While the run has no tokenizer it may still write one, with its first checkpoint. */
  private async textsOf(reader: RunReader): Promise<TokenTexts> {
    const known = this.texts.get(reader) ?? runTokenizer(reader.dir, reader.modelFolder);
    this.texts.set(reader, known);
    try {
      const texts = await known;
      if (texts === null) this.texts.delete(reader);
      return texts;
    } catch (error) {
      this.texts.delete(reader);
      throw error;
    }
  }
}

function whole(parameters: URLSearchParams, name: string): number | null {
  const text = parameters.get(name);
  if (text === null) return null;
  if (!/^\d{1,9}$/.test(text)) throw refusal(name);
  return Number(text);
}

function real(parameters: URLSearchParams, name: string): number | null {
  const text = parameters.get(name);
  if (text === null) return null;
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw refusal(name);
  return value;
}

function choice<const T extends string>(parameters: URLSearchParams, name: string, choices: readonly T[]): T {
  const found = choices.find((one) => one === parameters.get(name));
  if (found === undefined) throw refusal(name);
  return found;
}

const refusal = (name: string): LimrError => new LimrError('LIMR_USAGE', `parameter ${name} is missing or not valid`);
