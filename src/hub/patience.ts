/** How long we wait for somebody else's computer, and how often we ask again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { LimrError } from '../errors.js';

/** A signal that aborts when the user's does, or after some time without `touch`. */
export class Patience {
  readonly signal: AbortSignal;
  private readonly silence = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(timeoutMs: number, user: AbortSignal | undefined) {
    this.signal = user === undefined ? this.silence.signal : AbortSignal.any([user, this.silence.signal]);
    const reason = () => new Error(`nothing came for ${timeoutMs / 1000} s`);
    this.timer = setTimeout(() => this.silence.abort(reason()), timeoutMs);
  }

  touch(): void {
    this.timer.refresh();
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

/** Milliseconds before try `failures` + 1: doubling, 8 s at most. */
export const backoffMs = (failures: number, firstMs: number): number => Math.min(firstMs * 2 ** (failures - 1), 8000);

/** Waits. @throws {LimrError} LIMR_ABORTED */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal });
  } catch {
    throw interrupted();
  }
}

export function interrupted(): LimrError {
  return new LimrError(
    'LIMR_ABORTED',
    'the download was interrupted',
    'What came so far is kept: the same command goes on from there.',
  );
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw interrupted();
}
