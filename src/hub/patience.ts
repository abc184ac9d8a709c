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

const longestWaitMs = 300_000;

/** Milliseconds before try `failures` + 1: doubling, 8 s at most, or as long as the server asked for. */
export const backoffMs = (failures: number, firstMs: number, askedMs = 0): number =>
  Math.max(Math.min(firstMs * 2 ** (failures - 1), 8000), askedMs);

/**
 * Milliseconds that a server asks to wait: Retry-After in seconds or as a date (RFC 9110, 10.2.3), or the hub's
 * `RateLimit: "api";r=0;t=55`, whose window ends in t seconds. 0 where it asks for nothing, 5 minutes at most.
 */
export function askedWaitMs(headers: Headers, now: number): number {
  const after = headers.get('retry-after')?.trim() ?? '';
  const seconds = /^\d+$/.test(after)
    ? after
    : /(?:^|;)\s*r=0\s*;.*?\bt=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  const ms = seconds === undefined ? Date.parse(after) - now : Number(seconds) * 1000;
  return ms > 0 ? Math.min(ms, longestWaitMs) : 0;
}

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
