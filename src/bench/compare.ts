/**
 * Two runs of the benchmark, before and after a change. A repetition counts as what it took times what the machine did in that turn,
 * seconds times flop (or bytes) a second: the machine's work in which it could have done the case. So a machine that is slower today, by
 * its clock or by its neighbours, is no regression. A case is slower, or faster, when the interval that holds 99% of the bootstrapped
 * ratios of medians lies beyond 1 by more than a tolerance.
 */
import { LimrError } from '../errors.js';
import type { BenchResult, CaseResult } from './run.js';
import { type Interval, median, ratioInterval } from './statistics.js';

export type Verdict = 'same' | 'slower' | 'faster' | 'unknown';

export interface CaseComparison {
  readonly name: string;
  /** Time after over time before, as said above: more than 1 is slower. */
  readonly ratio: number;
  readonly interval: Interval;
  /** "unknown" where either has too few repetitions to tell. */
  readonly verdict: Verdict;
}

export interface BenchComparison {
  readonly cases: readonly CaseComparison[];
  /** Names in one run only. */
  readonly missing: readonly string[];
  readonly added: readonly string[];
}

/** Below this, even the bootstrap of identical code leaves 1 behind now and then. */
const fewestRepetitions = 5;
const tolerance = 0.02;

/** @throws {LimrError} LIMR_USAGE when they have no case in common */
export function compareBench(before: BenchResult, after: BenchResult): BenchComparison {
  const known = new Map(before.cases.map((each) => [each.name, each]));
  const names = new Set(after.cases.map(({ name }) => name));
  const cases = after.cases.flatMap((each) => {
    const old = known.get(each.name);
    return old === undefined ? [] : [compareCase(old, before, each, after)];
  });
  if (cases.length === 0) {
    throw new LimrError(
      'LIMR_USAGE',
      'the two runs have no case in common',
      'Give this run the suites, model and sizes of the other one.',
    );
  }
  return {
    cases,
    missing: before.cases.map(({ name }) => name).filter((name) => !names.has(name)),
    added: after.cases.map(({ name }) => name).filter((name) => !known.has(name)),
  };
}

function compareCase(old: CaseResult, before: BenchResult, now: CaseResult, after: BenchResult): CaseComparison {
  const [from, to] = [work(old, before), work(now, after)];
  const interval = ratioInterval(from, to);
  const few = Math.min(from.length, to.length) < fewestRepetitions;
  const verdict = few
    ? 'unknown'
    : interval.low > 1 + tolerance
      ? 'slower'
      : interval.high < 1 - tolerance
        ? 'faster'
        : 'same';
  return { name: now.name, ratio: median(to) / median(from), interval, verdict };
}

const work = ({ seconds, limit }: CaseResult, { turns }: BenchResult): number[] =>
  seconds.map((each, turn) => (limit === undefined ? each : each * (turns[turn]?.[limit] ?? Number.NaN)));
