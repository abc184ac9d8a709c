/**
 * LIM over runs of growing size: 21 epochs of steps of 1,024 prompts x 8 samples, each size in a process of its own, whose peak memory is
 * reported. A small run is checked against the definition first. Case "step files" reads such steps from the disk, with responses of 1,500
 * characters. Prints a row of JSON a case; `npm run bench -- select`, or other sizes: `npx tsx bench/select.bench.ts 1000000`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findEpochs, trajectoriesOf } from '../src/lim/epochs.js';
import { GroupCollector, type RewardedSample } from '../src/lim/groups.js';
import { coursesOf, trajectoryScores } from '../src/lim/methods.js';
import { readRun } from '../src/lim/read-run.js';
import { philox } from '../src/random.js';

const [epochs, promptsPerStep, samplesPerPrompt] = [21, 1024, 8] as const;
const sizes = [8_523, 31_250, 62_500, 125_000];

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
  const steps = Math.max(1, Math.floor(prompts / promptsPerStep));
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

function inMemory(prompts: number): void {
  const started = performance.now();
  const collector = collect(prompts);
  const collected = performance.now();
  const { courses } = score(collector);
  const ended = performance.now();
  print({
    case: 'in memory',
    prompts,
    samples: collector.samples,
    kept: courses.rows.length,
    collect_s: Number(((collected - started) / 1000).toFixed(2)),
    score_s: Number(((ended - collected) / 1000).toFixed(2)),
    ns_per_sample: Math.round(((ended - started) * 1e6) / collector.samples),
    peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
  });
}

async function stepFiles(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'limr-bench-'));
  try {
    const response = 'x = 3 \\cdot 5 '.repeat(108);
    let bytes = 0;
    for (let step = 1; step <= 8; ++step) {
      const order = shuffled(promptsPerStep, step);
      const rows = [...samplesOf(order, step)].map(({ key, ...rest }) => ({ id: key, prompt: key, response, ...rest }));
      writeFileSync(join(folder, `step_${step}.json`), JSON.stringify(rows, null, 1));
      bytes += statSync(join(folder, `step_${step}.json`)).size;
    }
    const started = performance.now();
    const options = { key: 'auto', signals: ['reward'], stepsPerEpoch: null, epochs: null } as const;
    const { samples } = await readRun(folder, options);
    const seconds = (performance.now() - started) / 1000;
    print({
      case: 'step files',
      samples,
      bytes_per_sample: Math.round(bytes / samples),
      mb_per_s: Math.round(bytes / seconds / 1e6),
      ns_per_sample: Math.round((seconds * 1e9) / samples),
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const asked = process.argv.slice(2).map(Number);
if (asked.length === 1) inMemory(asked[0]!);
else {
  check();
  await stepFiles();
  for (const size of asked.length > 0 ? asked : sizes) {
    const args = [...process.execArgv, fileURLToPath(import.meta.url), String(size)];
    process.stdout.write(execFileSync(process.execPath, args));
  }
}
