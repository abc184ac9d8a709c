/**
 * The hub's HTTP interface. Commits and lists of files come through @huggingface/hub, whose requests all go through `ask`: it knows
 * time limits, repetition, who may see the token, and what a refusal means. Contents are asked for here, since the package
 * takes files whole: no ranges, no sums.
 */
import { LimrError } from '../errors.js';
import type { HubEnvironment } from './environment.js';
import { type HubName, isCommit, spoken } from './name.js';
import { askedWaitMs, backoffMs, interrupted, Patience, pause } from './patience.js';
import { isPassing, refusal, unreachable } from './refusals.js';
import { checkedTree, type HubFile } from './tree.js';

const maxApiTries = 3;

export interface ClientOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds before the second try; every further one waits twice as long. */
  readonly retryMs: number;
}

export class HubClient {
  constructor(
    private readonly name: HubName,
    private readonly environment: HubEnvironment,
    private readonly options: ClientOptions,
  ) {}

  /** The commit that the name's revision is now. @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_ABORTED */
  async commit(): Promise<string> {
    const { datasetInfo, modelInfo } = await import('@huggingface/hub');
    const { id, kind, revision } = this.name;
    const asked = { name: id, revision, hubUrl: this.environment.endpoint, fetch: this.ask };
    const { sha } = await this.understood(() =>
      kind === 'model'
        ? modelInfo({ ...asked, additionalFields: ['sha'] })
        : datasetInfo({ ...asked, additionalFields: ['sha'] }),
    );
    if (typeof sha === 'string' && isCommit(sha)) return sha;
    throw new LimrError(
      'LIMR_FORMAT',
      `${this.environment.endpoint} gives no commit of ${id}@${revision}`,
      'Check HF_ENDPOINT.',
    );
  }

  /** All files of a commit. @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_ABORTED */
  async files(commit: string): Promise<readonly HubFile[]> {
    const { listFiles } = await import('@huggingface/hub');
    const { id, kind } = this.name;
    const hubUrl = this.environment.endpoint;
    const entries = await this.understood(async () => {
      const listed = listFiles({
        repo: { type: kind, name: id },
        revision: commit,
        recursive: true,
        hubUrl,
        fetch: this.ask,
      });
      const files: HubFile[] = [];
      for await (const { type, path, size, oid, lfs, xetHash } of listed) {
        if (type !== 'file') continue;
        files.push({
          path,
          size: lfs?.size ?? size,
          blobId: String(oid),
          ...(lfs === undefined ? {} : { sha256: lfs.oid }),
          ...(xetHash === undefined ? {} : { xetHash }),
        });
      }
      return files;
    });
    return checkedTree(entries, spoken(this.name));
  }

  /**
   * Asks once for the bytes of a file from `offset` on; the body is the caller's to read.
   * @returns status 200 with all bytes, or 206 with those from the offset
   * @throws {LimrError} what a refusal means; HubUnreachable for what may pass
   */
  async content(commit: string, { path }: HubFile, offset: number, signal: AbortSignal): Promise<Response> {
    const { id, kind } = this.name;
    const inner = path.split('/').map(encodeURIComponent).join('/');
    const folder = kind === 'dataset' ? 'datasets/' : '';
    const url = `${this.environment.endpoint}/${folder}${id}/resolve/${commit}/${inner}`;
    const response = await this.send(url, {
      headers: { 'accept-encoding': 'identity', ...(offset > 0 ? { range: `bytes=${offset}-` } : {}) },
      signal,
    });
    if (response.status === 200 || response.status === 206) return response;
    await response.body?.cancel();
    throw refusal(response, this.name, this.environment, path);
  }

  /** `fetch` for small answers: read whole within the time limit, tried again, refusals thrown as what they mean. */
  private readonly ask: typeof fetch = async (input, init) => {
    const { signal, retryMs } = this.options;
    const url = input instanceof Request ? input.url : String(input);
    for (let failures = 1; ; failures += 1) {
      let waitMs = 0;
      const patience = new Patience(this.environment.timeoutMs, signal);
      try {
        const response = await this.send(url, { ...init, signal: patience.signal });
        const text = await response.text();
        if (response.ok) return new Response(text, { status: response.status, headers: response.headers });
        if (!isPassing(response.status) || failures >= maxApiTries) {
          throw refusal(response, this.name, this.environment);
        }
        waitMs = askedWaitMs(response.headers, Date.now());
      } catch (error) {
        if (signal?.aborted === true) throw interrupted();
        if (error instanceof LimrError) throw error;
        if (failures >= maxApiTries) throw unreachable(url, error);
      } finally {
        patience.end();
      }
      await pause(backoffMs(failures, retryMs, waitMs), signal);
    }
  };

  /** The token goes to the hub alone: fetch takes it off at a redirection to another place, and lists may lead elsewhere too. */
  private send(url: string, init: RequestInit): Promise<Response> {
    const { endpoint, token } = this.environment;
    const headers = new Headers(init.headers);
    headers.set('user-agent', 'limr-engine');
    if (token !== undefined && new URL(url).origin === new URL(endpoint).origin) {
      headers.set('authorization', `Bearer ${token}`);
    }
    return fetch(url, { ...init, headers });
  }

  /** What the package throws by itself is about answers that are none of the hub's. */
  private async understood<T>(body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      if (error instanceof LimrError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new LimrError(
        'LIMR_FORMAT',
        `${this.environment.endpoint} does not answer as the hub does: ${reason}`,
        'Check HF_ENDPOINT.',
        { cause: error },
      );
    }
  }
}
