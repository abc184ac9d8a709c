/** What a benchmark is made of: cases, each of which can be repeated. */

/** What bounds a case: the rate of arithmetic, or that of reading memory. */
export type Limit = 'flops' | 'readBytes';

/** Flop that machines do in the time in which they read a byte: about 8 on two cores of a server, up to 20 on many. */
const flopsPerByte = 10;

/** Which of them bounds so much work. */
export const limitOf = (flops: number, bytes: number): Limit => (flops < flopsPerByte * bytes ? 'readBytes' : 'flops');

export interface BenchCase {
  /** Unique in a run, e.g. "decode b16 c512". */
  readonly name: string;
  readonly suite: string;
  /** What `amount` counts, e.g. "tokens". */
  readonly unit: string;
  /** Done by a repetition. */
  readonly amount: number;
  /** Flop of a repetition, counted by hand; absent where it is not arithmetic. */
  readonly flops?: number;
  /** Bytes that a repetition reads and writes at least; absent where caches make that meaningless. */
  readonly bytes?: number;
  /** What the case is compared by from run to run; absent where it is neither. */
  readonly limit?: Limit;
  /** Seconds of one repetition. */
  run(signal?: AbortSignal): Promise<number>;
}
