/** Repeats cases in turns, beside the limits of the machine in each turn. */
import { LimrError } from '../errors.js';
import type { NativeMachineProbe, NativeMachineRates } from '../native.js';
import type { BenchCase, Limit } from './case.js';
import { median, medianDeviation } from './statistics.js';

export interface CaseResult {
  readonly name: string;
  readonly suite: string;
  readonly unit: string;
  readonly amount: number;
  readonly flops?: number;
  readonly bytes?: number;
  readonly limit?: Limit;
  /** Of each repetition, in the order of the turns. */
  readonly seconds: readonly number[];
  readonly medianSeconds: number;
  /** Median absolute deviation. */
  readonly spreadSeconds: number;
  /** `amount` a second, by the median. */
  readonly perSecond: number;
  /** Share of the machine's peak: flops / medianSeconds / limits.flops. */
  readonly mfu?: number;
  /** Share of the machine's read bandwidth. */
  readonly bandwidth?: number;
}

/** Rates of a turn. */
export interface Turn {
  readonly flops: number;
  readonly readBytes: number;
}

export interface BenchResult {
  /** The best rates that any turn saw: flop a second of bf16 products out of registers, bytes a second read from memory. */
  readonly limits: Turn;
  readonly turns: readonly Turn[];
  readonly cases: readonly CaseResult[];
}

export interface BenchHooks {
  readonly signal?: AbortSignal;
  /** After each repetition, the first of which is a warm-up. */
  readonly onProgress?: (done: number, total: number, name: string) => void;
}

/** Seconds for each rate of the machine, in each turn. */
const probeSeconds = 0.1;

/**
 * Every case once to warm up, then `repetitions` turns of all cases: so what slows the machine for a while slows all of them.
 * @throws {LimrError} LIMR_ABORTED; whatever a case throws
 */
export async function runBench(
  cases: readonly BenchCase[],
  probe: Pick<NativeMachineProbe, 'measure'>,
  repetitions: number,
  { signal, onProgress }: BenchHooks = {},
): Promise<BenchResult> {
  const seconds = new Map(cases.map(({ name }) => [name, [] as number[]]));
  const rates: NativeMachineRates[] = [];
  let done = 0;
  for (let turn = 0; turn <= repetitions; ++turn) {
    if (turn > 0) rates.push(await probe.measure(probeSeconds));
    for (const each of cases) {
      if (signal?.aborted) throw new LimrError('LIMR_ABORTED', 'the benchmark was stopped');
      const took = await each.run(signal);
      if (turn > 0) seconds.get(each.name)?.push(took);
      onProgress?.(++done, cases.length * (repetitions + 1), each.name);
    }
  }
  const limits = {
    flops: Math.max(...rates.map(({ flops }) => flops.best)),
    readBytes: Math.max(...rates.map(({ readBytes }) => readBytes.best)),
  };
  const turns = rates.map(({ flops, readBytes }) => ({ flops: flops.median, readBytes: readBytes.median }));
  return { limits, turns, cases: cases.map((each) => caseResult(each, seconds.get(each.name) ?? [], limits)) };
}

function caseResult(each: BenchCase, seconds: readonly number[], limits: Turn): CaseResult {
  const { name, suite, unit, amount, flops, bytes, limit } = each;
  const medianSeconds = median(seconds);
  return {
    name,
    suite,
    unit,
    amount,
    ...(flops === undefined ? {} : { flops }),
    ...(bytes === undefined ? {} : { bytes }),
    ...(limit === undefined ? {} : { limit }),
    seconds,
    medianSeconds,
    spreadSeconds: medianDeviation(seconds),
    perSecond: amount / medianSeconds,
    ...(flops === undefined ? {} : { mfu: flops / medianSeconds / limits.flops }),
    ...(bytes === undefined ? {} : { bandwidth: bytes / medianSeconds / limits.readBytes }),
  };
}
