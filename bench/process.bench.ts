/**
 * What the process costs beside its work: the start of the command line, and an engine that waits. Prints a row of JSON a case;
 * `npm run bench -- process`. Needs dist/ (`npm run build`).
 *
 *   start     seconds of `limr-engine --help` and of a node that does nothing, by turns
 *   idle      share of a CPU that an engine with a loaded model takes while nobody asks it anything, after a call that woke all threads
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { decodeStepSeconds } from '../src/bench/measures.js';
import { median, medianDeviation } from '../src/bench/statistics.js';
import { Engine } from '../src/engine/engine.js';
import { commit } from '../src/launch/commit.js';
import { embeddedModel } from '../src/launch/embedded.js';

const turns = 21;
const idleMs = 5000;
const about = { cpu: cpus()[0]?.model, node: process.version, commit: await commit(), date: new Date().toISOString() };
const print = (row: object) => process.stdout.write(`${JSON.stringify({ ...about, ...row })}\n`);
const rounded = (value: number, digits = 3) => Number(value.toPrecision(digits));

const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
if (!existsSync(main)) throw new Error(`${main} does not exist: npm run build`);

function startSeconds(args: readonly string[]): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
  return (performance.now() - started) / 1000;
}

const commands = {
  'limr-engine --help': [main, '--help'],
  'limr-engine train --help': [main, 'train', '--help'],
  node: ['-e', '0'],
};
const seconds = new Map(Object.keys(commands).map((name) => [name, [] as number[]]));
for (let turn = 0; turn <= turns; ++turn) {
  for (const [name, args] of Object.entries(commands)) {
    const took = startSeconds(args);
    if (turn > 0) seconds.get(name)?.push(took); // the first fills the system's cache of files
  }
}
for (const [name, took] of seconds) {
  const row = {
    median_s: rounded(median(took)),
    mad_s: rounded(medianDeviation(took)),
    best_s: rounded(Math.min(...took)),
  };
  print({ case: `start ${name}`, runs: took.length, ...row });
}

const engine = Engine.open();
const model = await engine.load(embeddedModel);
await decodeStepSeconds(model, { batch: 4, context: 16, samplesPerPrompt: 4 }, 16);
const before = process.cpuUsage();
await sleep(idleMs);
const { user, system } = process.cpuUsage(before);
await engine.close();
print({
  case: 'idle',
  threads: engine.threads,
  seconds: idleMs / 1000,
  cpu_share: rounded((user + system) / 1000 / idleMs),
});
