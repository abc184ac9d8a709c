/** How long a grader takes: each pair alone, and all of them on worker threads. */
import { Worker } from 'node:worker_threads';
import { graderOf } from '../../src/reward/create-reward.js';
import { judge, type Pair } from './pairs.js';

const passes = 3;

export interface PairTimes {
  /** Milliseconds of each pair when warm, the median of its passes. */
  readonly warm: Float64Array;
  /** Milliseconds of each pair in the first pass of the process: it compiles as it goes. */
  readonly cold: Float64Array;
}

export function median(values: Iterable<number>): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? Number(sorted[middle]) : (Number(sorted[middle - 1]) + Number(sorted[middle])) / 2;
}

/** The smallest value that at least a share of `q` does not exceed. */
export function quantile(values: Iterable<number>, q: number): number {
  const sorted = Float64Array.from(values).sort();
  return Number(sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)]);
}

/** Times every pair alone. A pass goes through all pairs, so that a pair does not find its own data in the cache. */
export function timePairs(name: string, pairs: readonly Pair[]): PairTimes {
  const grader = graderOf(name);
  const pass = () =>
    Float64Array.from(pairs, (pair) => {
      const start = performance.now();
      judge(grader, pair);
      return performance.now() - start;
    });
  const cold = pass();
  const warm = Array.from({ length: passes }, pass);
  return { cold, warm: Float64Array.from(pairs, (_, k) => median(warm.map((times) => Number(times[k])))) };
}

export interface Share {
  readonly grader: string;
  /** null: the built-in pairs. */
  readonly file: string | null;
  readonly thread: number;
  readonly threads: number;
}

/** A thread knows nothing of the loader that this process runs under. */
function startThread(share: Share): Worker {
  const main = new URL('./speed-thread.ts', import.meta.url).href;
  const [tsx, target] = [import.meta.resolve('tsx/esm/api'), main].map((url) => JSON.stringify(url));
  const code = `import(${tsx}).then(({ register }) => (register(), import(${target})))`;
  return new Worker(code, { eval: true, workerData: share, execArgv: [] });
}

/** Pairs a second of `threads` threads that share the work by turns: the median of the passes, which all begin together. */
export async function throughput(grader: string, file: string | null, threads: number): Promise<number> {
  const workers = Array.from({ length: threads }, (_, thread) => startThread({ grader, file, thread, threads }));
  const round = (message: 'warm' | 'go') =>
    Promise.all(
      workers.map(
        (worker) =>
          new Promise<number>((resolve, reject) => {
            worker.once('message', resolve);
            worker.once('error', reject);
            worker.postMessage(message);
          }),
      ),
    );
  try {
    await round('warm');
    const rates: number[] = [];
    for (let k = 0; k < passes; k++) {
      const start = performance.now();
      const counts = await round('go');
      rates.push(counts.reduce((a, b) => a + b, 0) / ((performance.now() - start) / 1000));
    }
    return median(rates);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
