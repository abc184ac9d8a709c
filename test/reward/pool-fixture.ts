/** A task for tests of the pool, whose items misbehave on demand. */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { isMainThread, threadId } from 'node:worker_threads';
import { LimrError } from '../../src/errors.js';
import type { Task } from '../../src/reward/pool-task.js';

export interface Item {
  readonly value: number;
  readonly act?: 'exit' | 'reject' | 'hang' | 'heap' | 'throw' | 'throw-limr' | 'unclonable';
  /** Misbehave this many times only, counted by the lines of `file`; default always. */
  readonly times?: number;
  readonly file?: string;
  /** Milliseconds of work. */
  readonly spin?: number;
}

export interface Answer {
  readonly square: number;
  readonly thread: number;
  readonly isMain: boolean;
}

export interface Options {
  readonly fails?: boolean;
}

export const task: Task<Options, Item, Answer> = {
  url: import.meta.url,
  create({ fails = false }) {
    if (fails) throw new LimrError('LIMR_USAGE', 'no such thing', 'Choose another.');
    return (item) => {
      if (item.act !== undefined && isDue(item)) misbehave(item.act);
      const end = performance.now() + (item.spin ?? 0);
      while (performance.now() < end);
      const answer = { square: item.value ** 2, thread: threadId, isMain: isMainThread };
      return item.act === 'unclonable' ? { ...answer, method: () => 0 } : answer;
    };
  },
};

function isDue({ times, file }: Item): boolean {
  if (times === undefined || file === undefined) return true;
  const done = existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  if (done >= times) return false;
  appendFileSync(file, 'x\n');
  return true;
}

function misbehave(act: NonNullable<Item['act']>): void {
  switch (act) {
    case 'exit':
      process.exit(7);
      break;
    case 'hang':
      for (;;);
    case 'heap': {
      const kept: string[][] = [];
      for (;;) kept.push(new Array<string>(1 << 20).fill(String(kept.length)));
    }
    case 'reject':
      void Promise.reject(new Error('nobody waits for this'));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      return;
    case 'throw':
      throw new Error('bad luck');
    case 'throw-limr':
      throw new LimrError('LIMR_FORMAT', 'bad form', 'Mend it.');
    case 'unclonable':
      return;
  }
}
