/**
 * The page, served while its runs grow: GET / is the page, /events tells what is added (server-sent events), /samples searches all samples,
 * /tokens has those of one. There are no other paths, and none of them names a file. It reads and never writes; to this machine alone
 * unless told; requests by foreign names are refused.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { LimrError } from '../errors.js';
import type { Live, RunData } from './data.js';
import { isLoopback, isOwnHost } from './host-check.js';
import type { RunReader } from './run-reader.js';
import { parsePositions, WatchClient } from './watch-clients.js';
import { sampleRequest, searchSamples, TokenReader, tokenRequest } from './watch-requests.js';

export interface WatchOptions {
  readonly readers: readonly RunReader[];
  readonly host: string;
  readonly html: (runs: readonly RunData[], live: Live) => string;
  /** Sentences for a person. */
  readonly remark?: (text: string) => void;
  /** Milliseconds between looks at the folders; default 1000. */
  readonly pollMs?: number;
}

/** Pages that listen at once, at most. */
const maxClients = 64;

const securityHeaders = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
} as const;

/** What is answered instead of a page. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class WatchServer {
  private readonly server: Server;
  private readonly stamp = randomUUID();
  private readonly clients = new Set<WatchClient>();
  private readonly tokens = new TokenReader();
  private lastProblem = '';

  constructor(private readonly options: WatchOptions) {
    this.server = createServer(
      { requestTimeout: 10_000, headersTimeout: 10_000, maxHeaderSize: 16 * 1024 },
      (request, response) => {
        void this.handle(request, response);
      },
    );
  }

  /**
   * @param port 0 = any free one
   * @returns the address, such as "http://127.0.0.1:6007/"
   * @throws {LimrError} LIMR_IO when the port is taken or the host is not ours
   */
  async listen(port: number): Promise<string> {
    const { host } = this.options;
    await new Promise<void>((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => reject(listenError(error, port, host));
      this.server.once('error', fail);
      this.server.listen({ port, host }, () => {
        this.server.off('error', fail);
        resolve();
      });
    });
    const { address, family, port: chosen } = this.server.address() as AddressInfo;
    if (!isLoopback(address))
      this.options.remark?.(`whoever reaches ${address} reads prompts, samples and configuration`);
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}/`;
  }

  /** Looks at the folders and tells the pages, until the signal; closes then. */
  async run(signal: AbortSignal): Promise<void> {
    const { readers, pollMs = 1000 } = this.options;
    while (!signal.aborted) {
      for (const reader of readers) await this.refresh(reader);
      for (const client of [...this.clients]) if (!(await client.update(readers))) this.leave(client);
      await pause(pollMs, undefined, { signal }).catch(() => {}); // aborted: the loop ends
    }
    await this.close();
  }

  private async close(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const client of [...this.clients]) this.leave(client);
    this.server.closeIdleConnections();
    const timer = setTimeout(() => this.server.closeAllConnections(), 2000);
    await closed;
    clearTimeout(timer);
  }

  private leave(client: WatchClient): void {
    this.clients.delete(client);
    client.end();
  }

  /** A file that cannot be read is told once, and tried again: the run may be replacing it. */
  private async refresh(reader: RunReader): Promise<void> {
    try {
      await reader.refresh();
      this.lastProblem = '';
    } catch (error) {
      if (!(error instanceof LimrError) || error.code === 'LIMR_ABORTED') throw error;
      if (error.message !== this.lastProblem) this.options.remark?.(error.message);
      this.lastProblem = error.message;
    }
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (!isOwnHost(request.headers.host, this.options.host)) {
        throw new Refusal(403, 'this name is not one of the server: ask for it as localhost');
      }
      if (request.method !== 'GET' && request.method !== 'HEAD') throw new Refusal(405, 'only GET is answered');
      await this.answer(new URL(request.url ?? '/', 'http://localhost'), request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else refuse(response, error);
    }
  }

  private async answer(
    { pathname, searchParams }: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { readers } = this.options;
    switch (pathname) {
      case '/': {
        const runs = await Promise.all(readers.map((reader) => reader.data(false)));
        send(response, 200, 'text/html; charset=utf-8', this.options.html(runs, { stamp: this.stamp }));
        return;
      }
      case '/events':
        await this.listenTo(searchParams, request, response);
        return;
      case '/samples': {
        const { query, after } = sampleRequest(searchParams, readers.length);
        sendJson(response, 200, await searchSamples(readers[query.run]!, query, after));
        return;
      }
      case '/tokens': {
        const { run, rollout, row } = tokenRequest(searchParams, readers.length);
        sendJson(response, 200, await this.tokens.read(readers[run]!, rollout, row));
        return;
      }
      default:
        throw new Refusal(404, 'there is nothing here');
    }
  }

  private async listenTo(
    parameters: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (this.clients.size >= maxClients) throw new Refusal(503, `${maxClients} pages listen already`);
    const positions = parsePositions(parameters.get('have') ?? '', this.options.readers.length);
    const isOwn = parameters.get('stamp') === this.stamp && positions !== null;
    response.writeHead(200, { ...securityHeaders, 'content-type': 'text/event-stream' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const client = new WatchClient(response, positions ?? []);
    if (!isOwn) {
      client.send({ type: 'reload' });
      client.end();
      return;
    }
    response.flushHeaders();
    response.on('close', () => this.clients.delete(client));
    this.clients.add(client);
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Refusal) sendJson(response, error.status, { error: message });
  else sendJson(response, error instanceof LimrError && error.code === 'LIMR_USAGE' ? 400 : 500, { error: message });
}

const sendJson = (response: ServerResponse, status: number, content: object): void =>
  send(response, status, 'application/json', JSON.stringify(content));

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { ...securityHeaders, 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(response.req.method === 'HEAD' ? '' : text);
}

function listenError(error: NodeJS.ErrnoException, port: number, host: string): LimrError {
  const hints: Readonly<Record<string, string>> = {
    EADDRINUSE: 'Choose another --port, or stop who listens there.',
    EACCES: 'Ports below 1024 belong to the system: choose a higher --port.',
    EADDRNOTAVAIL: 'Choose a --host that this machine has.',
  };
  const message = `cannot listen on ${host} port ${port}: ${error.message}`;
  return new LimrError('LIMR_IO', message, hints[error.code ?? ''] ?? '', { cause: error });
}
