import { type ErrorCode, LimrError } from '../errors.js';

/** What a pool's workers do: a pure function of one item, made once in each worker out of options that can be cloned. */
export interface Task<Options, Item, Result> {
  /** `import.meta.url` of the module that exports this as `task`; workers import it there. */
  readonly url: string;
  /** Items, results and options cross threads by structured clone. */
  create(options: Options): (item: Item) => Result;
}

/** A worker's `workerData`. */
export interface WorkerSetup {
  readonly url: string;
  readonly options: unknown;
  /** [1] items that this worker has begun, written by it, read by the watchdog. */
  readonly begun: Int32Array;
}

/** An error that crossed threads. */
export interface ClonedError {
  readonly message: string;
  /** Of a LimrError, else absent. */
  readonly code?: ErrorCode;
  readonly hint?: string;
}

export type Outcome =
  | { readonly result: unknown; readonly ms: number }
  | { readonly error: ClonedError; readonly ms: number };

/** What a worker says: that it can begin, that it never will, or the outcomes of one message's items in their order. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'unable'; readonly error: ClonedError }
  | { readonly type: 'outcomes'; readonly outcomes: readonly Outcome[] };

export function cloneError(error: unknown): ClonedError {
  if (error instanceof LimrError) return { message: error.message, code: error.code, hint: error.hint };
  return { message: error instanceof Error ? error.message : String(error) };
}

/** A LimrError as it was thrown; any other error is ours, and says what failed. */
export function taskError({ message, code, hint }: ClonedError, what: string): LimrError {
  if (code !== undefined) return new LimrError(code, message, hint);
  return new LimrError('LIMR_INTERNAL', `${what}: ${message}`, 'Please report it with the text that was graded.');
}
