/** Samples as they finish, at the pace of whoever takes them. */
import { LimrError } from '../errors.js';
import type { NativeGenerateRequest, NativeGenerateStats, NativeModel, NativeSample, NativeToken } from '../native.js';

type Generator = Pick<NativeModel, 'generate' | 'acknowledge' | 'abort'>;

/**
 * Runs a native `generate`. A sample counts as acknowledged when the next one is asked for, so a slow taker slows sampling
 * down; leaving the loop early stops the sampling and waits until it has stopped.
 * @param onToken gets every token as it is drawn
 * @returns the statistics, as the generator's return value
 */
export async function* streamSamples(
  model: Generator,
  request: NativeGenerateRequest,
  onToken?: (token: NativeToken) => void,
): AsyncGenerator<NativeSample, NativeGenerateStats, void> {
  let ready: NativeSample[] = [];
  let wake = () => {};
  let outcome: { readonly stats: NativeGenerateStats } | { readonly error: unknown } | undefined;
  const settle = (result: typeof outcome) => {
    outcome = result;
    wake();
  };
  const finished = model
    .generate({ ...request, streamTokens: onToken !== undefined }, (samples, tokens) => {
      if (onToken !== undefined) tokens.forEach(onToken);
      ready.push(...samples);
      wake();
    })
    .then(
      (stats) => settle({ stats }),
      (error: unknown) => settle({ error }),
    );
  try {
    for (;;) {
      while (ready.length > 0) {
        const batch = ready;
        ready = [];
        for (const sample of batch) {
          yield sample;
          if (outcome === undefined) model.acknowledge(1);
        }
      }
      if (outcome !== undefined) break;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    if ('error' in outcome) throw outcome.error;
    return outcome.stats;
  } finally {
    if (outcome === undefined) {
      model.abort();
      await finished;
    }
  }
}

/**
 * Runs a verb that `abort` can stop, under a signal.
 * @throws {LimrError} LIMR_ABORTED when the signal was or gets aborted
 */
export async function underSignal<T>(
  signal: AbortSignal | undefined,
  abort: () => void,
  run: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return run();
  refuseAborted(signal);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await run();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

export function refuseAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new LimrError('LIMR_ABORTED', 'the call was aborted before it began');
}
