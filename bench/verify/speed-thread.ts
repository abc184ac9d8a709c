/** A thread of `throughput` in speed.ts: grades its share of the pairs whenever it is told to, and answers how many they were. */
import { parentPort, workerData } from 'node:worker_threads';
import { graderOf } from '../../src/reward/create-reward.js';
import { builtInPairs, judge, readPairs } from './pairs.js';
import type { Share } from './speed.js';

const { grader: name, file, thread, threads } = workerData as Share;
const grader = graderOf(name);
const mine = (file === null ? builtInPairs() : readPairs(file)).filter((_, k) => k % threads === thread);
parentPort?.on('message', () => {
  for (const pair of mine) judge(grader, pair);
  parentPort?.postMessage(mine.length);
});
