import { readFileSync } from 'node:fs';
import type { RewardSample } from '../../src/reward/index.js';

/** The rows of a file of JSON lines. */
export function jsonLines<Row>(file: string): Row[] {
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Row);
}

/** Seeded draws (mulberry32), so that a failure replays. */
export class Source {
  constructor(private state: number) {}

  uniform(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Integer in [low, high]. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  pick<T>(items: readonly T[]): T {
    return items[this.integer(0, items.length - 1)]!;
  }

  text(alphabet: readonly string[], length: number): string {
    let text = '';
    for (let i = 0; i < length; i += 1) text += this.pick(alphabet);
    return text;
  }
}

/** Milliseconds of processor time of one call, the best of three: a budget must not fail because a neighbour was busy. */
export function bestOfThreeMs(work: () => void): number {
  return Math.min(cpuMs(work), cpuMs(work), cpuMs(work));
}

/** Milliseconds that this process's threads computed during one call. */
export function cpuMs(work: () => void): number {
  const begin = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1000;
}

export function sampleOf(fields: Partial<RewardSample>): RewardSample {
  return {
    prompt: 'What is 6 times 7?',
    promptId: 'p0',
    fields: {},
    row: 0,
    sample: 0,
    rollout: 1,
    promptText: '',
    response: 'It is \\boxed{42}.',
    fullText: '',
    answer: '42',
    tokens: new Int32Array(0),
    logprobs: new Float32Array(0),
    stopReason: 'eos',
    ...fields,
  };
}
