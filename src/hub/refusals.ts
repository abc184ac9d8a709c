/** What the hub's refusals mean, and what one can do about them. */
import { LimrError } from '../errors.js';
import type { HubEnvironment } from './environment.js';
import { type HubName, hubText, spoken } from './name.js';
import { askedWaitMs } from './patience.js';

/** What was asked for is not to be had. */
export class HubRefusal extends LimrError {
  constructor(message: string, hint: string, options?: ErrorOptions) {
    super('LIMR_IO', message, hint, options);
  }
}

/** The hub did not answer, or with a failure of its own: what is in the cache may do. */
export class HubUnreachable extends HubRefusal {
  /** Before which it does not want to be asked again. */
  readonly waitMs: number;

  constructor(message: string, hint: string, { waitMs = 0, ...options }: ErrorOptions & { waitMs?: number } = {}) {
    super(message, hint, options);
    this.waitMs = waitMs;
  }
}

/** Statuses that may be gone at the next try. */
export const isPassing = (status: number): boolean => [408, 425, 429, 500, 502, 503, 504].includes(status);

/** The error for a response that is none of what was asked for. @param path the file that was asked for, or "" */
export function refusal(
  { status, headers }: Response,
  name: HubName,
  { endpoint, token }: HubEnvironment,
  path = '',
): HubRefusal {
  const code = headers.get('x-error-code') ?? '';
  const said = headers.get('x-error-message');
  const what = spoken(name);
  const page = `${endpoint}/${name.kind === 'dataset' ? 'datasets/' : ''}${name.id}`;
  if (code === 'GatedRepo' || (status === 403 && code === '')) {
    return new HubRefusal(
      `the hub does not give ${what} to ${token === undefined ? 'somebody without a token' : 'the owner of this token'} (${status}${said === null ? '' : `: ${said}`})`,
      `Accept its conditions at ${page}, and log in: HF_TOKEN, or \`hf auth login\`.`,
    );
  }
  if (code === 'RevisionNotFound') {
    return new HubRefusal(
      `${what} has no revision ${JSON.stringify(name.revision)}`,
      `${page}/tree lists its branches and tags.`,
    );
  }
  if (code === 'EntryNotFound') {
    return new HubRefusal(`${hubText({ ...name, path })} is not there any more`, `Look at ${page}.`);
  }
  if (status === 404 || code === 'RepoNotFound' || (status === 401 && token === undefined)) {
    return new HubRefusal(
      `there is no ${what} on the hub at ${endpoint}${status === 401 ? ', or it is private' : ''} (${status})`,
      `Check the name${token === undefined ? '; a private one needs HF_TOKEN, or `hf auth login`' : ''}.`,
    );
  }
  if (status === 401) {
    return new HubRefusal(
      `the hub at ${endpoint} does not accept the token (401)`,
      'Set HF_TOKEN to a valid one, or log in again: `hf auth login`.',
    );
  }
  const answer = `the hub at ${endpoint} answered ${status}${said === null ? '' : `: ${said}`}`;
  if (isPassing(status)) {
    return new HubUnreachable(answer, 'Try again later.', { waitMs: askedWaitMs(headers, Date.now()) });
  }
  return new HubRefusal(answer, 'Check HF_ENDPOINT.');
}

/** The error for a request that had no response. */
export function unreachable(url: string, error: unknown): HubUnreachable {
  return new HubUnreachable(
    `cannot reach ${new URL(url).origin}: ${reasonOf(error)}`,
    'Check the network, HF_ENDPOINT and the proxy; with HF_HUB_OFFLINE=1 only the cache is used.',
    { cause: error },
  );
}

/** fetch says "fetch failed", and the reason in its cause. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
}
