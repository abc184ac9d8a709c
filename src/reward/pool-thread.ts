/** One worker thread of a pool, and which of its items it is at. */
import { Worker } from 'node:worker_threads';
import type { ClonedError, Outcome, WorkerMessage, WorkerSetup } from './pool-task.js';

export interface ThreadEvents {
  /** The worker can take items, or has room for more. */
  onRoom(): void;
  /** The outcomes of the items that were posted first, in order. */
  onOutcomes(outcomes: readonly Outcome[]): void;
  /** The task could not be made. */
  onUnable(error: ClonedError): void;
  /** The thread is gone. `reason` says why, as far as that is known. */
  onExit(reason: string): void;
}

export class PoolThread {
  private readonly worker: Worker;
  private readonly begun = new Int32Array(new SharedArrayBuffer(4));
  private reason = '';
  private ready = false;
  /** Lengths of the messages that wait for their answer. */
  private readonly messages: number[] = [];
  private answered = 0;
  private seen = 0;
  private stillTicks = 0;

  constructor(
    { url, options, heapMb }: { readonly url: string; readonly options: unknown; readonly heapMb: number },
    private readonly events: ThreadEvents,
  ) {
    const setup: WorkerSetup = { url, options, begun: this.begun };
    const { code, isSource } = entry();
    this.worker = new Worker(code, {
      eval: isSource,
      workerData: setup,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    this.worker.on('message', (message: WorkerMessage) => this.take(message));
    this.worker.on('error', (error) => {
      this.reason ||= error instanceof Error ? error.message : String(error);
    });
    this.worker.on('exit', (status) => this.events.onExit(this.reason || `its thread exited with ${status}`));
  }

  get wasReady(): boolean {
    return this.ready;
  }

  /** How many more messages may be posted: two, so that a worker never waits for the next one. */
  get room(): number {
    return this.ready ? 2 - this.messages.length : 0;
  }

  /** @throws {DataCloneError} when an item cannot cross threads */
  post(items: readonly unknown[]): void {
    this.worker.postMessage(items);
    this.messages.push(items.length);
    this.worker.ref();
  }

  /** Which of the items without outcome it is at, from 0; the first one when it had not begun. */
  get position(): number {
    return Math.max(0, Atomics.load(this.begun, 0) - this.answered - 1);
  }

  /** To be called periodically. @returns for how many calls in a row it has been at the same item */
  tick(): number {
    const begun = Atomics.load(this.begun, 0);
    const still = begun === this.seen && begun > this.answered;
    this.stillTicks = still ? this.stillTicks + 1 : 0;
    this.seen = begun;
    return this.stillTicks;
  }

  terminate(reason: string): Promise<number> {
    this.reason ||= reason;
    return this.worker.terminate();
  }

  private take(message: WorkerMessage): void {
    switch (message.type) {
      case 'ready':
        this.ready = true;
        break;
      case 'unable':
        this.events.onUnable(message.error);
        return;
      case 'outcomes':
        this.answered += this.messages.shift()!;
        this.events.onOutcomes(message.outcomes);
        break;
    }
    this.events.onRoom();
    if (this.messages.length === 0) this.worker.unref(); // idle threads keep no process alive
  }
}

/**
 * The worker's module: compiled, it is a file beside this one. Run from TypeScript sources (tests, benches) it needs tsx in the
 * new thread first, which on Node 20 only a script can put there.
 */
function entry(): { readonly code: URL | string; readonly isSource: boolean } {
  const isSource = import.meta.url.endsWith('.ts');
  const url = new URL(`./pool-worker.${isSource ? 'ts' : 'js'}`, import.meta.url);
  if (!isSource) return { code: url, isSource };
  const [tsx, main] = [import.meta.resolve('tsx/esm/api'), url.href].map((target) => JSON.stringify(target));
  return { code: `import(${tsx}).then(({ register }) => (register(), import(${main})))`, isSource };
}
