/**
 * A worker thread of src/reward/pool.ts: imports its task, then answers every message, a list of items, by their outcomes. It
 * never loads the addon: tasks import nothing that does.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { cloneError, type Outcome, type Task, type WorkerMessage, type WorkerSetup } from './pool-task.js';

const { url, options, begun } = workerData as WorkerSetup;

try {
  const { task } = (await import(url)) as { readonly task: Task<unknown, unknown, unknown> };
  const work = task.create(options);
  parentPort!.on('message', (items: readonly unknown[]) => {
    const outcomes = items.map((item) => outcomeOf(work, item));
    try {
      say({ type: 'outcomes', outcomes });
    } catch (error) {
      // A result that cannot be cloned: an error each, so that nobody waits for ever.
      say({ type: 'outcomes', outcomes: outcomes.map(({ ms }) => ({ error: cloneError(error), ms })) });
    }
  });
  say({ type: 'ready' });
} catch (error) {
  say({ type: 'unable', error: cloneError(error) });
}

function outcomeOf(work: (item: unknown) => unknown, item: unknown): Outcome {
  Atomics.add(begun, 0, 1);
  const started = performance.now();
  try {
    return { result: work(item), ms: performance.now() - started };
  } catch (error) {
    return { error: cloneError(error), ms: performance.now() - started };
  }
}

function say(message: WorkerMessage): void {
  parentPort!.postMessage(message);
}
