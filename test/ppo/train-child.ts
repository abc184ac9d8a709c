/**
 * A process that trains the bigram model and kills itself, by SIGKILL, at the n-th point where it could stop: before
 * and after every file-system call, in every verb of the models, and between the two halves of every file that a model
 * writes. usage: tsx train-child.ts <run folder> <n, or 0 to live> [folder of events]; prints the number of points when it lives.
 */
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [dir, killAt, events] = [process.argv[2]!, Number(process.argv[3]), process.argv[4]];
let points = 0;

function point(): void {
  points += 1;
  if (points === killAt) process.kill(process.pid, 'SIGKILL');
}

type AsyncCall = (...args: unknown[]) => Promise<unknown>;

/** Puts a point before and after a method. */
function watch(owner: Record<string, AsyncCall>, name: string): void {
  const original = owner[name]!;
  owner[name] = async function (this: unknown, ...args: unknown[]) {
    point();
    const result = await original.apply(this, args);
    point();
    return result;
  };
}

const calls = fs as unknown as Record<string, AsyncCall>;
const probe = await fs.open(process.execPath, 'r');
const handlePrototype = Object.getPrototypeOf(probe) as Record<string, AsyncCall>;
await probe.close();
for (const name of ['appendFile', 'truncate', 'writeFile', 'sync']) watch(handlePrototype, name);
for (const name of ['open', 'writeFile', 'rename', 'rm', 'mkdir']) watch(calls, name);
syncBuiltinESMExports();

const { train } = await import('../../src/ppo/train.js');
const { bigramJob } = await import('./bigram-job.js');
const { killConfig } = await import('./kill-config.js');
const job = bigramJob(dir, killConfig, { at: point });
await train({ ...job, run: { ...job.run, resume: 'exact', ...(events === undefined ? {} : { events }) } });
process.stdout.write(String(points));
