/** Learning impact of a run's prompts, for a page: trajectories against the average, scores, which prompts are kept. */
import { readRecords } from '../dataset/records.js';
import { LimrError } from '../errors.js';
import { binEdges } from '../lim/bins.js';
import { findEpochs, trajectoriesOf } from '../lim/epochs.js';
import type { StepGroups } from '../lim/groups.js';
import {
  type CourseMethod,
  type Courses,
  courseMethods,
  coursesOf,
  courseThresholds,
  trajectoryScores,
} from '../lim/methods.js';
import { type MissingPolicy, missingPolicies } from '../lim/missing.js';
import { keptScores } from '../lim/online.js';
import type { Histogram, Learning, NoLearning, ScoredRow, Settings } from './data.js';

/** Prompts that a page is given, and characters of each. */
const maxRows = 2000;
const maxCharacters = 160;

/** How a run measures its prompts; what its configuration does not say is the paper's. */
export interface LearningRule {
  readonly method: CourseMethod;
  readonly signal: 'reward' | 'accuracy';
  readonly missing: MissingPolicy;
  readonly threshold: number | null;
  readonly count: number | null;
  readonly round: number;
  /** The epoch whose scores dropped prompts, by --lim-drop. */
  readonly decisive: number | null;
}

export function learningRule(config: Settings): LearningRule {
  const { limMethod, limSignal, limMissing, limThreshold, limCount, limRound, limDrop, limFromEpoch } = config;
  return {
    method: courseMethods.find((name) => name === limMethod) ?? 'lim',
    signal: limSignal === 'accuracy' ? 'accuracy' : 'reward',
    missing: missingPolicies.find((name) => name === limMissing) ?? 'limr',
    threshold: typeof limThreshold === 'number' ? limThreshold : null,
    count: typeof limCount === 'number' ? limCount : null,
    round: typeof limRound === 'number' ? limRound : 2,
    decisive: limDrop === true && typeof limFromEpoch === 'number' ? limFromEpoch - 1 : null,
  };
}

/** What was collected of a run's samples. */
export interface Collected {
  readonly steps: readonly StepGroups[];
  /** N prompts in the order in which they were first sampled, and the beginning of their texts. */
  readonly keys: readonly string[];
  readonly prompts: ReadonlyMap<string, string>;
}

/** A prompt with a score, as lim/epoch_<e>.jsonl or a computation has it. */
interface Scored {
  readonly id: string;
  readonly prompt: string;
  readonly score: number;
  readonly kept: boolean;
  readonly weight?: number;
}

/**
 * @param epochs whole ones, at least 1
 * @param file the run's own scores of that epoch; undefined = they are computed here
 * @throws {LimrError} LIMR_FORMAT, LIMR_IO of the file
 */
export async function measureLearning(
  collected: Collected,
  epochs: number,
  rule: LearningRule,
  file: { readonly path: string; readonly name: string } | undefined,
): Promise<Learning | NoLearning> {
  let measured: { readonly courses: Courses; readonly scores: () => Float64Array };
  try {
    measured = coursesAfter(collected, epochs, rule);
  } catch (error) {
    if (error instanceof LimrError) return { absent: `There are no scores: ${error.message}.` };
    throw error;
  }
  const { courses } = measured;
  let scored: readonly Scored[];
  try {
    scored = file === undefined ? computed(collected, measured.scores(), rule) : await readScoreRows(file.path);
  } catch (error) {
    if (error instanceof LimrError && error.code === 'LIMR_NUMERIC') {
      return { absent: `There are no scores after epoch ${epochs}: ${error.message}.` };
    }
    throw error;
  }
  if (scored.length === 0) return { absent: `No prompt has a score after epoch ${epochs}.` };
  const threshold = rule.count === null ? (rule.threshold ?? courseThresholds[rule.method]) : null;
  return {
    epochs,
    method: rule.method,
    signal: rule.signal,
    source: file === undefined ? 'computed for this report; the run itself did not score its prompts' : file.name,
    rule:
      threshold === null
        ? `the ${rule.count} highest scores`
        : `score >= ${threshold}, rounded to ${rule.round} decimals`,
    threshold,
    average: Array.from(courses.average, rounded),
    prompts: collected.keys.length,
    complete: courses.rows.length,
    scored: scored.length,
    kept: scored.filter(({ kept }) => kept).length,
    histogram: histogramOf(scored, threshold),
    rows: rowsOf(scored, collected, courses),
  };
}

function coursesAfter({ steps, keys }: Collected, epochs: number, { method, signal, missing }: LearningRule) {
  const found = findEpochs(steps, { stepsPerEpoch: null, epochs });
  const trajectories = trajectoriesOf(steps, keys.length, found, signal);
  const courses = coursesOf(trajectories, missing);
  return { courses, scores: () => trajectoryScores(method, trajectories, () => courses) };
}

function computed({ keys, prompts }: Collected, scores: Float64Array, rule: LearningRule): Scored[] {
  const known = scores.reduce((count, score) => count + Number(!Number.isNaN(score)), 0);
  const count = rule.count === null ? null : Math.min(rule.count, known);
  const kept = new Set(keptScores(scores, { ...rule, count }));
  return keys.flatMap((id, i) =>
    Number.isNaN(scores[i]) ? [] : [{ id, prompt: prompts.get(id) ?? '', score: scores[i]!, kept: kept.has(i) }],
  );
}

async function readScoreRows(file: string): Promise<Scored[]> {
  return (await readRecords(file)).map(({ fields: { id, prompt, score, kept, weight }, where }) => {
    if (typeof id !== 'string' || typeof score !== 'number' || typeof kept !== 'boolean') {
      throw new LimrError(
        'LIMR_FORMAT',
        `${where} is no {id, score, kept}`,
        'Report from an untouched copy of the run folder.',
      );
    }
    const text = typeof prompt === 'string' ? prompt : '';
    return { id, prompt: text, score, kept, ...(typeof weight === 'number' ? { weight } : {}) };
  });
}

function histogramOf(scored: readonly Scored[], threshold: number | null): Histogram {
  const edges = binEdges(
    scored.map(({ score }) => score),
    threshold ?? undefined,
  );
  const low = edges[0]!;
  const width = edges[1]! - low;
  const [kept, dropped] = [edges.slice(1).map(() => 0), edges.slice(1).map(() => 0)];
  for (const { score, kept: isKept } of scored) {
    const bin = Math.min(kept.length - 1, Math.max(0, Math.floor((score - low) / width + 1e-9)));
    (isKept ? kept : dropped)[bin]! += 1;
  }
  return { low: Number(low.toPrecision(12)), width: Number(width.toPrecision(12)), kept, dropped };
}

function rowsOf(scored: readonly Scored[], { keys }: Collected, { rows, trajectories }: Courses): ScoredRow[] {
  const courseOf = new Map(Array.from(rows, (key, i) => [keys[key]!, i] as const));
  const ranked = scored.toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  const count = Math.min(maxRows, ranked.length);
  return Array.from({ length: count }, (_, i) => {
    const rank = Math.floor(((i + 0.5) * ranked.length) / count);
    const { id, prompt, score, kept, weight } = ranked[rank]!;
    const course = courseOf.get(id.trim());
    return {
      id,
      prompt: prompt.slice(0, maxCharacters),
      score: rounded(score),
      rank: rank + 1,
      kept,
      ...(weight === undefined ? {} : { weight: rounded(weight) }),
      ...(course === undefined ? {} : { trajectory: Array.from(trajectories.row(course), rounded) }),
    };
  });
}

const rounded = (value: number): number => Number(value.toFixed(4));
