/**
 * Grading on worker threads, so that a long sample stops neither the event loop nor sampling. A result depends on its item
 * alone, never on how many workers there are or who was faster.
 *
 * Nothing is lost and nothing becomes 0 in silence. A worker that dies is replaced, and what it had not answered is graded
 * again; an item that ended its worker `maxDeaths` times is an error that names it. Graders bound their own work, so the
 * watchdog is a second line that must not decide a verdict: time does not repeat, and a verdict that depended on it would break
 * exact resume. An item that stands still for `timeoutMs` costs its worker and is graded once more (the machine may have
 * swapped); the second time it is an error too.
 */
import { LimrError } from '../errors.js';
import { cloneError, type Outcome, type Task, taskError } from './pool-task.js';
import { PoolThread } from './pool-thread.js';

/** How a pool of grading threads works. */
export interface PoolOptions {
  /** Threads; 0 = in the caller's thread, without a watchdog. They start when there is work. */
  readonly workers: number;
  /** Milliseconds that one item may take. Default 30,000. */
  readonly timeoutMs?: number;
  /** Heap of a worker, MiB, past which it ends instead of the process. Default 512. */
  readonly heapMb?: number;
  /** Told of every worker lost, in a sentence for a person. */
  readonly onIncident?: (text: string) => void;
}

export interface Timed<Result> {
  readonly result: Result;
  /** Milliseconds, by the clock of the thread that did it. */
  readonly ms: number;
}

export interface PoolCall {
  /** What to call the item in messages, e.g. "sample 3 of prompt p0". */
  readonly name: string;
  readonly signal?: AbortSignal | undefined;
}

/** Workers that an item may end, and how often it may stand still, before it is an error. */
const maxDeaths = 3;
const maxTimeouts = 2;
/** Items a message at most: enough to hide its cost, few enough to spread over workers. */
const maxItems = 32;
/** Calls of the watchdog in a time limit. */
const ticksPerLimit = 8;

interface Job<Item, Result> {
  readonly item: Item;
  readonly call: PoolCall;
  deaths: number;
  timeouts: number;
  /** Settled: its outcome, if one comes, is nobody's. */
  done: boolean;
  readonly resolve: (timed: Timed<Result>) => void;
  readonly reject: (error: unknown) => void;
}

interface Slot<Item, Result> {
  readonly thread: PoolThread;
  /** Posted, without outcome, in order. */
  readonly jobs: Job<Item, Result>[];
  timedOut: boolean;
}

export class WorkerPool<Options, Item, Result> {
  private readonly waiting: Job<Item, Result>[] = [];
  private readonly slots = new Set<Slot<Item, Result>>();
  private readonly calls = new WeakMap<AbortSignal, Set<Job<Item, Result>>>();
  private work: ((item: Item) => Result) | undefined;
  private watchdog: NodeJS.Timeout | undefined;
  private closed: LimrError | undefined;

  constructor(
    private readonly task: Task<Options, Item, Result>,
    private readonly taskOptions: Options,
    private readonly options: PoolOptions,
  ) {}

  /**
   * @returns the task's result for the item
   * @throws {LimrError} LIMR_ABORTED after the signal; LIMR_INTERNAL when the item ends its workers or stands still; LIMR_STATE
   *   when the pool is closed; what the task throws
   */
  run(item: Item, call: PoolCall): Promise<Timed<Result>> {
    if (call.signal?.aborted === true) return Promise.reject(aborted());
    if (this.options.workers === 0) return new Promise((resolve) => resolve(this.runHere(item, call)));
    return new Promise((resolve, reject) => {
      if (this.closed !== undefined) {
        reject(this.closed);
        return;
      }
      const job: Job<Item, Result> = { item, call, deaths: 0, timeouts: 0, done: false, resolve, reject };
      if (call.signal !== undefined) this.callsOf(call.signal).add(job);
      this.waiting.push(job);
      if (this.waiting.length === 1) queueMicrotask(() => this.dispatch()); // calls of one turn share messages
    });
  }

  /** Ends the threads; what still waits is refused. */
  async close(): Promise<void> {
    this.fail(new LimrError('LIMR_STATE', 'the grading pool is closed'));
    await Promise.all([...this.slots].map(({ thread }) => thread.terminate('the pool is closed')));
  }

  private runHere(item: Item, { name }: PoolCall): Timed<Result> {
    this.work ??= this.task.create(this.taskOptions);
    const started = performance.now();
    try {
      const result = this.work(item);
      return { result, ms: performance.now() - started };
    } catch (error) {
      throw taskError(cloneError(error), `grading ${name} failed`);
    }
  }

  /** What stops with a signal; one listener for all of it, since a rollout is thousands of calls under one signal. */
  private callsOf(signal: AbortSignal): Set<Job<Item, Result>> {
    const known = this.calls.get(signal);
    if (known !== undefined) return known;
    const jobs = new Set<Job<Item, Result>>();
    this.calls.set(signal, jobs);
    signal.addEventListener('abort', () => {
      for (const job of jobs) this.settle(job, () => job.reject(aborted()));
    });
    return jobs;
  }

  private settle(job: Job<Item, Result>, how: () => void): void {
    if (job.done) return;
    job.done = true;
    if (job.call.signal !== undefined) this.calls.get(job.call.signal)?.delete(job);
    how();
  }

  /** Hands waiting jobs to threads with room, and starts threads while jobs wait for none. */
  private dispatch(): void {
    if (this.closed !== undefined) return;
    const idle = [...this.slots].sort((a, b) => a.jobs.length - b.jobs.length);
    for (const slot of idle) {
      if (slot.thread.room > 0 && this.waiting.length > 0) this.post(slot);
    }
    const starting = [...this.slots].filter(({ thread, jobs }) => thread.room === 0 && jobs.length === 0).length;
    for (let i = starting; i < this.waiting.length && this.slots.size < this.options.workers; ++i) this.start();
  }

  private post(slot: Slot<Item, Result>): void {
    const share = Math.ceil(this.waiting.length / (2 * this.options.workers));
    const jobs = this.take(Math.min(maxItems, share));
    if (jobs.length === 0) return;
    try {
      slot.thread.post(jobs.map(({ item }) => item));
      slot.jobs.push(...jobs);
    } catch (error) {
      for (const job of jobs) this.settle(job, () => job.reject(error));
    }
  }

  /** The first jobs that someone still waits for, at most `count`. */
  private take(count: number): Job<Item, Result>[] {
    const jobs: Job<Item, Result>[] = [];
    let at = 0;
    for (; at < this.waiting.length && jobs.length < count; ++at) {
      if (!this.waiting[at]!.done) jobs.push(this.waiting[at]!);
    }
    this.waiting.splice(0, at);
    return jobs;
  }

  private start(): void {
    const slot: Slot<Item, Result> = {
      jobs: [],
      timedOut: false,
      thread: new PoolThread(
        { url: this.task.url, options: this.taskOptions, heapMb: this.options.heapMb ?? 512 },
        {
          onRoom: () => this.dispatch(),
          onOutcomes: (outcomes) => this.takeOutcomes(slot.jobs.splice(0, outcomes.length), outcomes),
          onUnable: (error) => this.fail(taskError(error, 'the grading workers cannot begin')),
          onExit: (reason) => this.replace(slot, reason),
        },
      ),
    };
    this.slots.add(slot);
    this.watchdog ??= setInterval(() => this.watch(), (this.options.timeoutMs ?? 30_000) / ticksPerLimit).unref();
  }

  private takeOutcomes(jobs: readonly Job<Item, Result>[], outcomes: readonly Outcome[]): void {
    jobs.forEach((job, i) => {
      const outcome = outcomes[i]!;
      this.settle(job, () => {
        if ('error' in outcome) job.reject(taskError(outcome.error, `grading ${job.call.name} failed`));
        else job.resolve({ result: outcome.result as Result, ms: outcome.ms });
      });
    });
  }

  /** A thread is gone: the item that it was at is to blame, the others just wait again, in front. */
  private replace(slot: Slot<Item, Result>, reason: string): void {
    const { position } = slot.thread;
    this.slots.delete(slot);
    if (this.slots.size === 0) {
      clearInterval(this.watchdog);
      this.watchdog = undefined;
    }
    if (!slot.thread.wasReady) this.fail(new LimrError('LIMR_INTERNAL', `the grading workers cannot begin: ${reason}`));
    if (this.closed !== undefined) return;
    const suspect = slot.jobs[position];
    if (suspect !== undefined) this.blame(suspect, slot.timedOut, reason);
    this.waiting.unshift(...slot.jobs);
    this.dispatch();
  }

  private blame(job: Job<Item, Result>, timedOut: boolean, reason: string): void {
    const { name } = job.call;
    if (timedOut) ++job.timeouts;
    else ++job.deaths;
    const last = timedOut ? job.timeouts >= maxTimeouts : job.deaths >= maxDeaths;
    if (!last && !job.done)
      this.options.onIncident?.(`a grading worker was lost at ${name} (${reason}); grading it again`);
    if (!last) return;
    const limit = this.options.timeoutMs ?? 30_000;
    const what = timedOut
      ? `grading ${name} stood still for ${limit} ms, ${maxTimeouts} times`
      : `grading ${name} ended ${maxDeaths} workers: ${reason}`;
    const hint = 'Grade that one by `limr-engine verify` to see it alone; leave its prompt out to go on.';
    this.settle(job, () => job.reject(new LimrError('LIMR_INTERNAL', what, hint)));
  }

  private watch(): void {
    for (const slot of this.slots) {
      if (slot.timedOut || slot.thread.tick() < ticksPerLimit) continue;
      slot.timedOut = true;
      void slot.thread.terminate(`it stood still for ${this.options.timeoutMs ?? 30_000} ms`);
    }
  }

  private fail(error: LimrError): void {
    this.closed ??= error;
    const jobs = [...this.waiting.splice(0), ...[...this.slots].flatMap((slot) => slot.jobs.splice(0))];
    for (const job of jobs) this.settle(job, () => job.reject(error));
  }
}

function aborted(): LimrError {
  return new LimrError('LIMR_ABORTED', 'interrupted while grading');
}
