/**
 * LIM over runs of growing size: 21 epochs of steps of 1,024 prompts x 8 samples. Each case runs in a process of its own, whose peak memory
 * and CPU time (of all its threads: the collector of garbage too) are reported beside the seconds that passed; a small run is checked against
 * the definition first. Prints a row of JSON a case:
 *
 *   in memory     samples as they come out of a generator: collecting and scoring alone
 *   step files    the same read from the disk, from files of {id, prompt, response, reward, correct, sample} with short responses; the epochs
 *                 are hard links to the first one's files
 *   long samples  eight such files with responses of 1,500 characters
 *
 * `npm run bench -- select`, or other sizes: `npx tsx bench/select.bench.ts 1000000`. scripts/chart-select.ts draws the rows.
 */
import { execFileSync } from 'node:child_process';
import { linkSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findEpochs, trajectoriesOf } from '../src/lim/epochs.js';
import { GroupCollector, type RewardedSample } from '../src/lim/groups.js';
import { coursesOf, trajectoryScores } from '../src/lim/methods.js';
import { readRun } from '../src/lim/read-run.js';
import { philox } from '../src/random.js';

const [epochs, promptsPerStep, samplesPerPrompt] = [21, 1024, 8] as const;
const sizes = [8_523, 31_250, 125_000];

function shuffled(n: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; --i) {
    const j = philox([i, seed, 0, 0], [1, 2])[0] % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Prompts learn at a pace of their own. */
function* samplesOf(prompts: Int32Array, epoch: number): Generator<RewardedSample> {
  for (const prompt of prompts) {
    for (let sample = 0; sample < samplesPerPrompt; ++sample) {
      const correct = (prompt * 31 + sample * 17 + epoch * 7) % 40 < epoch + (prompt % 20);
      yield { key: `prompt-${prompt}`, reward: correct ? 1 : -0.5, correct, sample };
    }
  }
}

function collect(prompts: number): GroupCollector {
  const collector = new GroupCollector(['reward']);
  const steps = stepsOf(prompts);
  for (let epoch = 0; epoch < epochs; ++epoch) {
    const order = shuffled(prompts, epoch);
    for (let step = 0; step < steps; ++step) {
      collector.addStep(samplesOf(order.subarray(step * promptsPerStep, (step + 1) * promptsPerStep), epoch));
    }
  }
  return collector;
}

function score(collector: GroupCollector) {
  const found = findEpochs(collector.steps, { stepsPerEpoch: null, epochs: null });
  const trajectories = trajectoriesOf(collector.steps, collector.keys.length, found, 'reward');
  const courses = coursesOf(trajectories, 'limr');
  return { found, courses, scores: trajectoryScores('lim', trajectories, () => courses) };
}

/** Epochs, and one score by its definition in plain loops. */
function check(): void {
  const collector = collect(3000);
  const { found, courses, scores } = score(collector);
  const { trajectories, rows } = courses;
  let [difference, scale] = [0, 0];
  for (let k = 0; k < epochs; ++k) {
    let mean = 0;
    for (let i = 0; i < rows.length; ++i) mean += trajectories.row(i)[k]! / rows.length;
    difference += (trajectories.row(5)[k]! - mean) ** 2;
    scale += (1 - mean) ** 2;
  }
  const isRight = Math.abs(1 - difference / scale - scores[rows[5]!]!) < 1e-9;
  if (found.stepsPerEpoch !== 2 || found.epochs !== epochs || !isRight) throw new Error('scores are not as defined');
}

function print(row: object): void {
  console.log(JSON.stringify({ bench: 'select', ...row, device: cpus()[0]?.model }));
}

/** Seconds that passed since the last call, or since the first one. */
function stopwatch() {
  const seconds = (ms: number) => Number((ms / 1000).toFixed(2));
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  let last = began;
  return {
    lap: (): number => {
      const before = last;
      last = performance.now();
      return seconds(last - before);
    },
    /** Of everything since the beginning. */
    totals: (samples: number) => {
      const { user, system } = process.cpuUsage(cpu);
      return {
        ns_per_sample: Math.round(((performance.now() - began) * 1e6) / samples),
        cpu_ns_per_sample: Math.round(((user + system) * 1e3) / samples),
        peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
      };
    },
  };
}

function inMemory(prompts: number): void {
  const watch = stopwatch();
  const collector = collect(prompts);
  const collect_s = watch.lap();
  const { courses } = score(collector);
  const { samples } = collector;
  print({
    ...{ case: 'in memory', prompts, samples, kept: courses.rows.length },
    ...{ collect_s, score_s: watch.lap(), ...watch.totals(samples) },
  });
}

const stepsOf = (prompts: number): number => Math.max(1, Math.floor(prompts / promptsPerStep));
const stepFile = (folder: string, step: number): string => join(folder, `step_${step}.json`);

/** Writes the first `epochCount` epochs of a run, those after the first as links. @returns bytes a sample */
function writeSteps(folder: string, prompts: number, epochCount: number, response: string): number {
  const order = shuffled(prompts, 0);
  const steps = stepsOf(prompts);
  let [bytes, samples] = [0, 0];
  for (let step = 0; step < steps; ++step) {
    const some = order.subarray(step * promptsPerStep, (step + 1) * promptsPerStep);
    const rows = [...samplesOf(some, 10)].map(({ key, ...rest }) => ({ id: key, prompt: key, response, ...rest }));
    writeFileSync(stepFile(folder, step + 1), JSON.stringify(rows, null, 1));
    bytes += statSync(stepFile(folder, step + 1)).size;
    samples += rows.length;
  }
  for (let step = steps; step < epochCount * steps; ++step) {
    linkSync(stepFile(folder, (step % steps) + 1), stepFile(folder, step + 1));
  }
  return Math.round(bytes / samples);
}

/** Reads and scores the step files of a folder. */
async function readSteps(name: string, folder: string, prompts: number, bytesPerSample: number): Promise<void> {
  const watch = stopwatch();
  const run = await readRun(folder, { key: 'auto', signals: ['reward'], stepsPerEpoch: null, epochs: null });
  const read_s = watch.lap();
  const courses = coursesOf(run.trajectories('reward'), 'limr');
  trajectoryScores('lim', run.trajectories('reward'), () => courses);
  const { samples } = run;
  print({
    ...{ case: name, prompts, samples, kept: courses.rows.length, bytes_per_sample: bytesPerSample },
    ...{ read_s, score_s: watch.lap(), ...watch.totals(samples) },
  });
}

/** Runs this file again, so that the peak memory is one case's. */
function apart(...args: readonly string[]): void {
  const command = [...process.execArgv, fileURLToPath(import.meta.url), ...args];
  process.stdout.write(execFileSync(process.execPath, command));
}

function fromFiles(name: string, prompts: number, epochCount: number, response: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'limr-bench-'));
  try {
    const bytes = writeSteps(folder, prompts, epochCount, response);
    apart('--read', name, folder, String(prompts), String(bytes));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const [mode = '', ...rest] = process.argv.slice(2);
if (mode === '--collect') inMemory(Number(rest[0]));
else if (mode === '--read') await readSteps(rest[0]!, rest[1]!, Number(rest[2]), Number(rest[3]));
else {
  check();
  const asked = process.argv.slice(2).map(Number);
  for (const size of asked.length > 0 ? asked : sizes) {
    apart('--collect', String(size));
    fromFiles('step files', size, epochs, 'x = 15');
  }
  fromFiles('long samples', 8 * promptsPerStep, 1, 'x = 3 \\cdot 5 '.repeat(108));
}
