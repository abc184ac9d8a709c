/**
 * The command line as npm test builds it (dist/), in a process of its own that can be stopped at a chosen point: a system call
 * that changes a file (stop_points.cc), a moment inside a native verb or a grade (stop-points.mjs), or some time after it said something.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
export const main = pathOf('../../dist/cli/main.js');

/** Where a process is stopped; `what` names it for people. */
export interface StopPoint {
  readonly phase: Phase;
  readonly what: string;
  /** LIMR_TEST_STOP. */
  readonly stop: string;
  /** In the last sampling of the run or after it: an interrupt may come too late to matter. */
  readonly isLate: boolean;
}

export const phases = [
  'start-up',
  'decode',
  'grading',
  'samples write',
  'scoring',
  'accumulate',
  'step',
  'metrics append',
  'checkpoint write',
  'prune',
  'end',
] as const;
export type Phase = (typeof phases)[number];

/** Builds the library that stop_points.cc is. @returns its path */
export function buildStopPoints(folder: string): string {
  const library = join(folder, 'stop_points.so');
  const flags = ['-std=c++20', '-O1', '-Wall', '-Wextra', '-shared', '-fPIC', '-o', library];
  const compiler = process.env.CXX ?? 'c++';
  const { status, stderr, error } = spawnSync(compiler, [...flags, pathOf('stop_points.cc'), '-ldl'], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${compiler} does not build stop_points.cc: ${error?.message ?? stderr}`);
  return library;
}

export interface Ended {
  /** Exit code, or the name of the signal that ended the process. */
  readonly end: number | string;
  readonly stderr: string;
}

export interface StopOptions {
  /** Result of buildStopPoints. */
  readonly library: string;
  /** The folder whose files are watched: absolute. */
  readonly root: string;
  /** LIMR_TEST_STOP, or "moment <k> <ms>": that long after the k-th line of stderr; k = 0: after the start. */
  readonly stop?: string;
  readonly signal?: 'SIGKILL' | 'SIGINT';
  readonly trace?: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** When a line of stderr matches. @throws {Error} with all of stderr when the process ends without */
  said(line: RegExp): Promise<void>;
}

export interface Watching {
  /** Gets each line of stderr. */
  readonly onLine?: (line: string) => void;
  readonly nodeFlags?: readonly string[];
}

/** Starts the command line; with `options`, in a process that can be stopped. */
export function startProcess(
  args: readonly string[],
  options?: StopOptions,
  { onLine = () => {}, nodeFlags = [] }: Watching = {},
): Running {
  const preload = options === undefined ? [] : ['--import', new URL('./stop-points.mjs', import.meta.url).href];
  const child = spawn(process.execPath, [...nodeFlags, ...preload, main, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...(options === undefined ? {} : environment(options)) },
  });
  const [, line, ms] = /^moment (\d+) (\d+)$/.exec(options?.stop ?? '') ?? [];
  const stopSoon = () => setTimeout(() => child.kill(options?.signal ?? 'SIGKILL'), Number(ms)).unref();
  if (line === '0') stopSoon();
  const lines: string[] = [];
  const reader = createInterface({ input: child.stderr });
  reader.on('line', (text) => {
    lines.push(text);
    if (lines.length === Number(line)) stopSoon();
    onLine(text);
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ end: signal ?? code ?? -1, stderr: lines.join('\n') });
    });
  });
  const said = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      if (lines.some((line) => pattern.test(line))) resolve();
      reader.on('line', (line) => pattern.test(line) && resolve());
      void ended.then(
        ({ end }) => reject(new Error(`ended with ${end} before ${pattern}:\n${lines.join('\n')}`)),
        reject,
      );
    });
  return { child, ended, said };
}

/** Runs it to its end. */
export function runProcess(args: readonly string[], options?: StopOptions): Promise<Ended> {
  return startProcess(args, options).ended;
}

function environment({ library, root, stop = '', signal = 'SIGKILL', trace = '' }: StopOptions) {
  return {
    LD_PRELOAD: library,
    UV_USE_IO_URING: '0', // file writes that pass by the C library would pass by us
    LIMR_TEST_ROOT: root,
    LIMR_TEST_STOP: stop,
    LIMR_TEST_SIGNAL: String(constants.signals[signal]),
    ...(trace === '' ? {} : { LIMR_TEST_TRACE: trace }),
  };
}

/**
 * The points of an uninterrupted run, from its trace. Each write is two points: before it, and after half of its bytes; each verb
 * three: as it begins, halfway, and near its end.
 */
export function stopPoints(trace: string): StopPoint[] {
  const points: Omit<StopPoint, 'isLate'>[] = [];
  let isRunning = false;
  let lastSampling = 0;
  for (const line of readFileSync(trace, 'utf8').trimEnd().split('\n')) {
    const [kind, n, ...rest] = line.split(' ') as [string, string, ...string[]];
    if (kind === 'grade') {
      points.push({ phase: 'grading', what: 'grade', stop: line });
    } else if (kind === 'verb') {
      const [role = '', name = '', ms = ''] = rest;
      const phase = verbPhases[name] ?? 'checkpoint write';
      if (phase === 'decode') {
        isRunning = true;
        lastSampling = points.findLastIndex(({ stop }) => !stop.startsWith('grade')) + 1; // its grades came before its end
      }
      for (const share of [0, 0.5, 0.9]) {
        const stop = `verb ${n} ${(share * Number(ms)).toFixed(3)}`;
        points.push({ phase, what: `${role} ${name} ${100 * share}%`, stop });
      }
    } else {
      const [call = '', path = ''] = rest;
      const what = `${call} ${path.replace(/(step|tmp)([_-])\d+/g, '$1$2*').replace(/^\.owner.*/, '.owner')}`;
      const phase = isRunning ? filePhase(call, path) : 'start-up';
      points.push({ phase, what, stop: `file ${n}` });
      if (call === 'write') points.push({ phase, what: `half of ${what}`, stop: `half ${n}` });
    }
  }
  return points.map((point, i) => ({ ...point, isLate: i >= lastSampling }));
}

const verbPhases: Readonly<Record<string, Phase>> = {
  load: 'start-up',
  generate: 'decode',
  score: 'scoring',
  accumulate: 'accumulate',
  step: 'step',
};

function filePhase(call: string, path: string): Phase {
  if (/^(samples|lim)/.test(path)) return 'samples write';
  if (path.startsWith('.owner')) return 'end';
  if (/^(metrics|timings)/.test(path)) return call === 'write' ? 'metrics append' : 'checkpoint write';
  return call === 'unlink' || call === 'rmdir' ? 'prune' : 'checkpoint write';
}
