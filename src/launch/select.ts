/** A selection of prompts by what a run's samples, a file of scores, or a model say of them. */
import { type Prompt, promptSetRemarks, readPrompts } from '../dataset/prompts.js';
import { LimrError } from '../errors.js';
import { writeDurably } from '../files.js';
import type { HubHooks } from '../hub/index.js';
import { highestScores, roundHalfEven, scoresAtLeast, scoresWithin } from '../lim/choose.js';
import { type ExplainedEpoch, explainScore, keptRow } from '../lim/explain.js';
import { kCenter } from '../lim/k-center.js';
import { type Courses, courseMethods, courseThresholds } from '../lim/methods.js';
import { type Overlap, overlapOf } from '../lim/overlap.js';
import { selectionPicture } from '../lim/plot/selection-picture.js';
import { checkRowsFile, writeRows } from '../lim/scores-file.js';
import { bandCloseness } from '../lim/seen-mean.js';
import { dataPath } from './embedded.js';
import { checkOutputFile } from './output-file.js';
import { promptEmbeddings } from './select-embeddings.js';
import { type SelectionMethod, type SelectOptions, selectionMethods } from './select-options.js';
import { type MeasuredSource, type ScoreSource, scoreSource } from './select-source.js';

/** What a caller of `launchSelect` is told. */
export interface SelectHooks extends HubHooks {
  /** Step files read, or prompts embedded. */
  readonly onProgress?: (done: number, total: number) => void;
  readonly remark?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** What was selected, and by what. */
export interface SelectResult {
  readonly method: SelectionMethod;
  /** What was kept, in words. */
  readonly rule: string;
  readonly prompts: number;
  /** Prompts with a score. */
  readonly scored: number;
  readonly selected: number;
  /** Rows of --prompts that are kept, ascending, and their ids. */
  readonly rows: readonly number[];
  readonly ids: readonly string[];
  /** Of samples: what they hold. */
  readonly run?: {
    readonly key: string;
    readonly samples: number;
    readonly steps: number;
    readonly unusedSteps: number;
    readonly epochs: number;
    /** null where epochs end within a step or have different lengths. */
    readonly stepsPerEpoch: number | null;
    /** Of lim and linear: prompts with a complete trajectory, missing epochs that were filled, and the average by epoch. */
    readonly kept?: number;
    readonly filled?: number;
    readonly average?: readonly number[];
  };
  readonly explained?: Explanation;
  readonly overlap?: Overlap;
}

/** Why a prompt has its score. */
export interface Explanation {
  readonly id: string;
  readonly prompt: string;
  readonly score: number | null;
  /** 1 = the highest score. */
  readonly rank: number | null;
  readonly selected: boolean;
  /** Of lim from samples. */
  readonly epochs?: readonly ExplainedEpoch[];
}

/**
 * Selects from `--prompts`, and writes the files that are asked for.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT, LIMR_SHAPE, LIMR_NUMERIC, LIMR_ABORTED
 */
export async function launchSelect(options: SelectOptions, hooks: SelectHooks = {}): Promise<SelectResult> {
  checkOptions(options);
  const file = await dataPath(options.prompts, hooks);
  await checkOutputs(options, file);
  const set = await readPrompts(file, options);
  for (const remark of promptSetRemarks(set)) hooks.remark?.(remark);
  const { prompts } = set;
  const wanted = prompts.find(({ id }) => id === options.explain);
  if (options.explain !== '' && wanted === undefined) {
    throw new LimrError(
      'LIMR_USAGE',
      `--prompts has no id ${JSON.stringify(options.explain)}`,
      'Ids are in field "id", else row numbers.',
    );
  }
  const source = await scoreSource(prompts, options, hooks);
  const { method } = options;
  const { rows, scores } =
    method === 'diversity' ? await diverse(prompts, options, hooks) : chooseRows(scoresFor(method, source), options);
  if (rows.length === 0 && options.output !== '') throw nothingSelected(scores, options);
  const overlap = options.plot === '' ? undefined : agreement(rows, source, options);
  const { measured } = source;
  const drawing = options.plot === '' ? undefined : picture(options, scores, rows, measured, overlap);
  if (options.output !== '')
    await writeRows(
      options.output,
      Array.from(rows, (row) => prompts[row]!.fields),
    );
  if (options.scoresOutput !== '') await writeRows(options.scoresOutput, scoreRows(prompts, scores));
  if (drawing !== undefined) await writeDurably(options.plot, drawing);
  return {
    method,
    rule: ruleOf(options),
    prompts: prompts.length,
    scored: scores.reduce((count, score) => count + Number(!Number.isNaN(score)), 0),
    selected: rows.length,
    rows: Array.from(rows),
    ids: Array.from(rows, (row) => prompts[row]!.id),
    ...(measured === undefined ? {} : { run: describeRun(measured, method) }),
    ...(wanted === undefined ? {} : { explained: explain(wanted, rows, scores, method, measured) }),
    ...(overlap === undefined ? {} : { overlap }),
  };
}

function checkOptions(options: SelectOptions): void {
  const { method, count, threshold } = options;
  const refuse = (message: string, hint: string): never => {
    throw new LimrError('LIMR_USAGE', message, hint);
  };
  if (options.prompts === '') refuse('there is nothing to select from', 'Name the prompts of the run by --prompts.');
  if (options.samples !== '' && options.scores !== '') {
    refuse('expected either --samples or --scores', 'Scores come from one of them.');
  }
  if (count !== null && threshold !== null) refuse('expected either --threshold or --count', 'Leave one of them out.');
  const isRanked = method === 'random' || method === 'diversity' || method === 'pass-rate';
  if (isRanked && threshold !== null) refuse(`--threshold means nothing to ${method}`, 'Say how many by --count.');
  const needsCount = method === 'random' || method === 'diversity';
  if (needsCount && count === null) refuse(`${method} needs a number of prompts`, 'Say how many by --count.');
  if (method === 'uncertainty' && count === null && threshold === null) {
    refuse('uncertainty needs a number of prompts or a variance', 'Give --count or --threshold.');
  }
  if (options.minPassRate > options.maxPassRate) {
    refuse('--min-pass-rate is above --max-pass-rate', 'Turn them round.');
  }
  for (const file of [options.output, options.scoresOutput]) if (file !== '') checkRowsFile(file);
}

/** Before samples are read: one file cannot be written, and then another one would be there alone. */
async function checkOutputs(options: SelectOptions, prompts: string): Promise<void> {
  const { output, scoresOutput, plot, scores, embeddings } = options;
  const inputs = { '--prompts': prompts, '--scores': scores, '--embeddings': embeddings };
  await checkOutputFile('--output', output, inputs);
  await checkOutputFile('--scores-output', scoresOutput, inputs);
  await checkOutputFile('--plot', plot, inputs);
}

/** Instead of a file without rows, which nothing could read. */
function nothingSelected(scores: Float64Array, options: SelectOptions): LimrError {
  const known = scores.filter((score) => !Number.isNaN(score)).sort();
  const [low, high] = [known[0], known.at(-1)].map((score) => score?.toFixed(4));
  const range = low === undefined ? 'none has a score' : `scores are from ${low} to ${high}`;
  return new LimrError(
    'LIMR_USAGE',
    `no prompt is selected by ${ruleOf(options)}: ${range}`,
    'Lower the threshold or widen the band, or say how many by --count.',
  );
}

function scoresFor(method: SelectionMethod, source: ScoreSource): Float64Array {
  const scores = source.scores(method);
  if (scores !== undefined) return scores;
  throw new LimrError(
    'LIMR_USAGE',
    `${method} needs samples to measure`,
    method === 'lim' ? 'Name them by --samples, or their scores by --scores.' : 'Name them by --samples.',
  );
}

interface Chosen {
  /** Ascending. */
  readonly rows: Int32Array;
  /** Of every prompt; NaN = none. */
  readonly scores: Float64Array;
}

function chooseRows(scores: Float64Array, options: SelectOptions): Chosen {
  const { method, count, round, minPassRate, maxPassRate } = options;
  if (count !== null) return { rows: highestScores(ranking(method, scores, options), count), scores };
  if (method === 'pass-rate') return { rows: scoresWithin(scores, minPassRate, maxPassRate), scores };
  return { rows: scoresAtLeast(scores, thresholdOf(options)!, round), scores };
}

/** What is highest for the prompts that a count takes first. */
const ranking = (method: SelectionMethod, scores: Float64Array, { minPassRate, maxPassRate }: SelectOptions) =>
  method === 'pass-rate' ? bandCloseness(scores, minPassRate, maxPassRate) : scores;

function thresholdOf({ method, threshold, count }: SelectOptions): number | undefined {
  if (count !== null) return undefined;
  const course = courseMethods.find((name) => name === method);
  return threshold ?? (course === undefined ? undefined : courseThresholds[course]);
}

/** Scores are the distances at which prompts were chosen. */
async function diverse(prompts: readonly Prompt[], options: SelectOptions, hooks: SelectHooks): Promise<Chosen> {
  const { order, distance } = kCenter(await promptEmbeddings(prompts, options, hooks), options.count!);
  const scores = new Float64Array(prompts.length).fill(Number.NaN);
  for (const [j, row] of order.entries()) scores[row] = j === 0 ? 2 : distance[j]!; // 2 = as far as unit vectors can be
  return { rows: order.slice().sort(), scores };
}

/** What the other methods would select, as many prompts each; those are left out that have not as many scores. */
function agreement(rows: Int32Array, source: ScoreSource, options: SelectOptions): Overlap {
  const selections: Partial<Record<SelectionMethod, Int32Array>> = { [options.method]: rows };
  for (const method of selectionMethods) {
    if (method === options.method) continue;
    const scores = source.scores(method);
    if (scores === undefined) continue;
    const ranks = ranking(method, scores, options);
    if (ranks.filter((rank) => !Number.isNaN(rank)).length >= rows.length) {
      selections[method] = highestScores(ranks, rows.length);
    }
  }
  return overlapOf(selections);
}

function scoreRows(prompts: readonly Prompt[], scores: Float64Array): object[] {
  return prompts.flatMap(({ id, prompt, row }) =>
    Number.isNaN(scores[row]) ? [] : [{ id, prompt, score: scores[row]! }],
  );
}

function ruleOf(options: SelectOptions): string {
  const { method, count, round, minPassRate, maxPassRate } = options;
  if (count !== null) return method === 'random' ? `${count} drawn with seed ${options.seed}` : `the best ${count}`;
  if (method === 'pass-rate') return `pass rate in [${minPassRate}, ${maxPassRate}]`;
  return `score >= ${thresholdOf(options)} after rounding to ${round} decimals`;
}

function describeRun({ run, courses }: MeasuredSource, method: SelectionMethod): NonNullable<SelectResult['run']> {
  const { key, samples, steps, epochs } = run;
  const isCourse = courseMethods.some((name) => name === method);
  return {
    key,
    samples,
    steps,
    unusedSteps: epochs.unusedSteps,
    epochs: epochs.epochs,
    stepsPerEpoch: epochs.stepsPerEpoch,
    ...(isCourse ? describeCourses(courses()) : {}),
  };
}

const describeCourses = ({ rows, filled, average }: Courses) => ({
  kept: rows.length,
  filled,
  average: Array.from(average),
});

function explain(
  wanted: Prompt,
  rows: Int32Array,
  scores: Float64Array,
  method: SelectionMethod,
  measured: MeasuredSource | undefined,
): Explanation {
  const score = scores[wanted.row]!;
  const index = measured?.indexOf(wanted);
  const courses = method === 'lim' ? measured?.courses() : undefined;
  return {
    id: wanted.id,
    prompt: wanted.prompt,
    score: Number.isNaN(score) ? null : score,
    rank: Number.isNaN(score) ? null : 1 + scores.filter((other) => other > score).length,
    selected: rows.includes(wanted.row),
    ...(measured === undefined || courses === undefined || index === undefined
      ? {}
      : {
          epochs: explainScore(
            measured.trajectories.row(index),
            keptRow(courses.rows, courses.trajectories, index),
            courses.average,
          ),
        }),
  };
}

function picture(
  options: SelectOptions,
  scores: Float64Array,
  rows: Int32Array,
  measured: MeasuredSource | undefined,
  overlap: Overlap | undefined,
): string {
  const threshold = thresholdOf(options);
  return selectionPicture({
    title: `${options.method}: ${rows.length} of ${scores.length} prompts, ${ruleOf(options)}`,
    method: options.method,
    scores: options.count === null ? scores.map((score) => roundHalfEven(score, options.round)) : scores,
    selected: rows,
    ...(threshold === undefined ? {} : { threshold }),
    ...(overlap === undefined ? {} : { overlap }),
    ...(measured === undefined ? {} : { signal: options.signal, courses: measured.courses() }),
  });
}
