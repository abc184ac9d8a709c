/** Where the scores of a selection come from: samples, a file of scores, or a draw. */
import type { Prompt } from '../dataset/prompts.js';
import { LimrError } from '../errors.js';
import type { Signal } from '../lim/groups.js';
import { type Courses, coursesOf, signalOf, trajectoryMethods, trajectoryScores } from '../lim/methods.js';
import { randomPriorities } from '../lim/random-priority.js';
import { type MeasuredRun, readRun } from '../lim/read-run.js';
import { readScores } from '../lim/scores-file.js';
import type { PromptKey } from '../lim/step-files.js';
import type { Trajectories } from '../lim/trajectories.js';
import type { SelectHooks } from './select.js';
import type { SelectionMethod, SelectOptions } from './select-options.js';

/** Scores of every prompt, row by row; NaN = none. */
export interface ScoreSource {
  /** undefined where the source does not have what the method asks for. */
  scores(method: SelectionMethod): Float64Array | undefined;
  /** Of a source of samples. */
  readonly measured?: MeasuredSource;
}

export interface MeasuredSource {
  readonly run: MeasuredRun;
  /** Of --signal, as measured. */
  readonly trajectories: Trajectories;
  /** The courses that LIM and LINEAR compare. @throws {LimrError} LIMR_SHAPE when no prompt has a complete one */
  courses(): Courses;
  /** Index of a prompt's trajectory, or undefined when it was never sampled. */
  indexOf(prompt: Prompt): number | undefined;
}

/** @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT, LIMR_ABORTED */
export async function scoreSource(
  prompts: readonly Prompt[],
  options: SelectOptions,
  hooks: SelectHooks,
): Promise<ScoreSource> {
  const drawn = (method: SelectionMethod) =>
    method === 'random'
      ? randomPriorities(
          prompts.map(({ row }) => row),
          options.seed,
        )
      : undefined;
  if (options.scores !== '') {
    const given = await scoresOfFile(prompts, options, hooks);
    return { scores: (method) => drawn(method) ?? (method === 'lim' ? given : undefined) };
  }
  if (options.samples === '') return { scores: drawn };
  const { scores, ...measured } = await measure(prompts, options, hooks);
  return { scores: (method) => drawn(method) ?? scores(method), measured };
}

async function measure(
  prompts: readonly Prompt[],
  options: SelectOptions,
  { onProgress, remark, signal }: SelectHooks,
) {
  const methods = options.plot === '' ? trajectoryMethods.filter((name) => name === options.method) : trajectoryMethods;
  const signals = new Set<Signal>([options.signal, ...methods.map((method) => signalOf(method, options))]);
  const run = await readRun(options.samples, {
    key: options.key,
    stepsPerEpoch: options.stepsPerEpoch,
    epochs: options.epochs,
    signals: [...signals],
    repeats: (key) => {
      const rows = rowsByKey(prompts, key);
      return (name) => rows.get(name)?.length ?? 1;
    },
    ...(onProgress === undefined ? {} : { onProgress }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (run.epochs.epochs === 1)
    remark?.('the samples hold no more than one epoch: a trajectory of one point has no course');
  const rows = rowsByKey(prompts, run.key);
  reportStrangers(run.keys.filter((name) => !rows.has(name)).length, run.keys.length, options.samples, run.key, remark);
  const indices = new Map(run.keys.map((name, index) => [name, index]));
  const indexOf = (prompt: Prompt) => indices.get(nameOf(prompt, run.key));
  const trajectories = run.trajectories(options.signal);
  let known: Courses | undefined;
  const courses = () => {
    known ??= coursesOf(trajectories, options.missing);
    return known;
  };
  return {
    run,
    trajectories,
    courses,
    indexOf,
    scores: (method: SelectionMethod) => {
      const byTrajectory = trajectoryMethods.find((name) => name === method);
      if (byTrajectory === undefined) return undefined;
      const own = trajectoryScores(byTrajectory, run.trajectories(signalOf(byTrajectory, options)), courses);
      return Float64Array.from(prompts, (prompt) => own[indexOf(prompt) ?? -1] ?? Number.NaN);
    },
  };
}

async function scoresOfFile(
  prompts: readonly Prompt[],
  { scores: file, key }: SelectOptions,
  { remark }: SelectHooks,
): Promise<Float64Array> {
  const given = await readScores(file);
  const by: PromptKey = key !== 'auto' ? key : given[0]!.id === undefined ? 'prompt' : 'id';
  const scores = new Map<string, number>();
  for (const [index, row] of given.entries()) {
    const name = by === 'id' ? row.id : row.prompt;
    if (name === undefined) {
      throw new LimrError(
        'LIMR_FORMAT',
        `${file}: row ${index} has no "${by}"`,
        '--key says by which a score names its prompt.',
      );
    }
    if ((scores.get(name) ?? row.score) !== row.score) {
      throw new LimrError(
        'LIMR_FORMAT',
        `${file}: row ${index} has another score for ${JSON.stringify(name.slice(0, 60))}`,
        'Every prompt has one score.',
      );
    }
    scores.set(name, row.score);
  }
  const rows = rowsByKey(prompts, by);
  reportStrangers([...scores.keys()].filter((name) => !rows.has(name)).length, scores.size, file, by, remark);
  return Float64Array.from(prompts, (prompt) => scores.get(nameOf(prompt, by)) ?? Number.NaN);
}

/** Prompts of the source that --prompts does not have: all of them = the wrong file, some = worth a word. */
function reportStrangers(
  strangers: number,
  total: number,
  source: string,
  key: PromptKey,
  remark: SelectHooks['remark'],
): void {
  if (strangers === 0) return;
  const found = `${strangers} of the ${total} prompts of ${source} are not in --prompts (by ${key})`;
  if (strangers < total) remark?.(found);
  else {
    throw new LimrError(
      'LIMR_USAGE',
      found,
      'Give the prompts that the run was trained on, or say by --key how they are named.',
    );
  }
}

const nameOf = ({ id, prompt }: Prompt, key: PromptKey): string => (key === 'id' ? id : prompt).trim();

/** @throws {LimrError} LIMR_FORMAT when prompts are told apart by ids, and two have one */
function rowsByKey(prompts: readonly Prompt[], key: PromptKey): ReadonlyMap<string, readonly number[]> {
  const rows = new Map<string, number[]>();
  for (const prompt of prompts) {
    const name = nameOf(prompt, key);
    const known = rows.get(name);
    if (known === undefined) rows.set(name, [prompt.row]);
    else known.push(prompt.row);
    if (known !== undefined && key === 'id') {
      throw new LimrError(
        'LIMR_FORMAT',
        `rows ${known[0]} and ${prompt.row} of --prompts have the same id ${JSON.stringify(name)}`,
        'Give every row an id of its own, or name prompts by their text: --key prompt.',
      );
    }
  }
  return rows;
}
