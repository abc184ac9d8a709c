/**
 * The reward as an HTTP service: POST /get_reward in OpenRLHF's protocol, GET /health. Everything is bounded: a body's bytes, the
 * bytes of all bodies, requests at once, the time that a client may take. Beyond a bound a request is refused at once, by 413
 * or 503, and never half done. Nothing is allowed to other origins: a browser's page cannot post here.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { LimrError } from '../errors.js';
import { ByteBudget, readBody } from './body.js';
import type { Query, QueryGrade } from './grade-task.js';
import { type ProtocolOptions, parseRequest } from './protocol.js';
import { Refusal } from './refusal.js';

export interface RewardServerOptions extends ProtocolOptions {
  /** Grades one query; refuses by LIMR_ABORTED after the signal. */
  readonly grade: (query: Query, signal: AbortSignal) => Promise<QueryGrade>;
  /** What /health says beside the counts. */
  readonly about: Readonly<Record<string, unknown>>;
  /** Bytes of one body, and of all that are held at once, at most. */
  readonly maxBodyBytes: number;
  readonly maxHeldBytes: number;
  /** Requests under way at once, at most. */
  readonly maxRequests: number;
  /** Milliseconds until a request must be here, whole. */
  readonly requestTimeoutMs: number;
  /** Told of every request, in a line. */
  readonly log?: (line: string) => void;
}

export interface ServerCounts {
  /** Requests under way; answered by rewards; refused; and queries graded. */
  underWay: number;
  answered: number;
  refused: number;
  queries: number;
}

/** Milliseconds that a client gets to take its answer, and to end a body that nobody reads. */
const lingerMs = 10_000;
/** Milliseconds for what is under way when the server closes. */
const graceMs = 60_000;

export class RewardServer {
  readonly counts: ServerCounts = { underWay: 0, answered: 0, refused: 0, queries: 0 };
  private readonly server: Server;
  private readonly budget: ByteBudget;
  private readonly sockets = new Set<Socket>();
  private readonly busy = new Set<Socket>();
  private closing = false;

  constructor(private readonly options: RewardServerOptions) {
    this.budget = new ByteBudget(options.maxHeldBytes);
    const { requestTimeoutMs } = options;
    this.server = createServer({
      requestTimeout: requestTimeoutMs,
      headersTimeout: Math.min(requestTimeoutMs, 10_000),
      keepAliveTimeout: 5000,
      connectionsCheckingInterval: Math.min(requestTimeoutMs, 1000),
    });
    this.server.on('connection', (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
    });
    this.server.on('request', (request, response) => void this.handle(request, response));
    // A client that asks before it sends is answered before it sends.
    this.server.on('checkContinue', (request, response) => void this.handle(request, response));
    this.server.on('clientError', (error, socket) => this.refuseBroken(error, socket as Socket));
  }

  /**
   * @param port 0 = any free one
   * @returns the address, such as "http://127.0.0.1:5000"
   * @throws {LimrError} LIMR_IO when the port is taken or the host is not ours
   */
  async listen(port: number, host: string): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException): void => reject(listenError(error, port, host));
      this.server.once('error', fail);
      this.server.listen({ port, host, backlog: 4096 }, () => {
        this.server.off('error', fail);
        resolve();
      });
    });
    const { address, family, port: chosen } = this.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`;
  }

  /** Accepts nothing more, lets what is under way come to its end, and returns then. */
  async close(): Promise<void> {
    this.closing = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    for (const socket of this.sockets) if (!this.busy.has(socket)) socket.destroy();
    const timer = setTimeout(() => this.server.closeAllConnections(), graceMs);
    await closed;
    clearTimeout(timer);
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const started = performance.now();
    const left = new AbortController();
    const { socket } = request;
    this.busy.add(socket);
    response.on('close', () => {
      this.busy.delete(socket);
      left.abort();
    });
    this.counts.underWay += 1;
    let note = '';
    try {
      note = await this.answer(request, response, left.signal);
    } catch (error) {
      note = await this.refuse(error, request, response, left.signal);
    } finally {
      this.counts.underWay -= 1;
      const { log } = this.options;
      if (log !== undefined) {
        const status = left.signal.aborted && !response.writableEnded ? 'left' : String(response.statusCode);
        const ms = (performance.now() - started).toFixed(1);
        log(`${socket.remoteAddress ?? '-'} ${request.method} ${pathOf(request)} ${status} ${note} ${ms} ms`);
      }
    }
  }

  /** @returns what the log says of the request */
  private async answer(request: IncomingMessage, response: ServerResponse, left: AbortSignal): Promise<string> {
    const allowed = routes[pathOf(request)];
    if (allowed === undefined) {
      throw new Refusal(404, `there is nothing at ${pathOf(request)}; POST /get_reward, GET /health`);
    }
    if (!allowed.includes(request.method ?? '')) {
      throw new Refusal(405, `${pathOf(request)} takes ${allowed.join(', ')}`, { allow: allowed.join(', ') });
    }
    if (allowed.includes('GET')) {
      const { underWay, ...counts } = this.counts;
      this.send(response, 200, { status: 'ok', ...this.options.about, under_way: underWay - 1, ...counts });
      return 'health';
    }
    return this.reward(request, response, left);
  }

  private async reward(request: IncomingMessage, response: ServerResponse, left: AbortSignal): Promise<string> {
    const { options, counts } = this;
    checkHeaders(request);
    if (this.closing) throw new Refusal(503, 'the server is closing', { 'retry-after': '5' });
    if (counts.underWay > options.maxRequests) {
      throw new Refusal(503, `there are ${options.maxRequests} requests under way`, { 'retry-after': '1' });
    }
    if (
      Number(request.headers['content-length'] ?? 0) <= options.maxBodyBytes &&
      request.headers.expect !== undefined
    ) {
      response.writeContinue();
    }
    const body = await readBody(request, options.maxBodyBytes, this.budget);
    try {
      const queries = parseRequest(body.bytes, options);
      const grades = await Promise.all(queries.map((query) => options.grade(query, left)));
      if (left.aborted) throw new Error('the client left');
      counts.answered += 1;
      counts.queries += queries.length;
      this.send(response, 200, { rewards: grades.map(({ reward }) => reward) });
      return `${queries.length} queries ${body.bytes.length} bytes`;
    } finally {
      body.release();
    }
  }

  private async refuse(
    error: unknown,
    request: IncomingMessage,
    response: ServerResponse,
    left: AbortSignal,
  ): Promise<string> {
    if (left.aborted) return 'the client left';
    this.counts.refused += 1;
    const refusal = error instanceof Refusal ? error : undefined;
    const message = error instanceof Error ? error.message : String(error);
    const waits = request.headers.expect !== undefined; // it has not sent its body, and will not
    const drained = waits ? Promise.resolve() : drain(request);
    // A connection that ends with the answer would be cut while its client still sends, which may cost it the answer.
    if (!response.shouldKeepAlive || this.closing) await drained;
    const headers = { ...refusal?.headers, ...(waits ? { connection: 'close' } : {}) };
    this.send(response, refusal?.status ?? 500, { error: message }, headers);
    return message;
  }

  private send(
    response: ServerResponse,
    status: number,
    content: object,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    const text = `${JSON.stringify(content)}\n`;
    response.writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...(this.closing ? { connection: 'close' } : {}),
      ...headers,
    });
    response.end(response.req.method === 'HEAD' ? '' : text);
    const timer = setTimeout(() => response.destroy(), lingerMs).unref();
    response.once('close', () => clearTimeout(timer));
  }

  /** What is no HTTP, or too slow. */
  private refuseBroken(error: NodeJS.ErrnoException, socket: Socket): void {
    this.counts.refused += 1;
    const status = { ERR_HTTP_REQUEST_TIMEOUT: 408, HPE_HEADER_OVERFLOW: 431 }[error.code ?? ''] ?? 400;
    this.options.log?.(`${socket.remoteAddress ?? '-'} - - ${status} ${error.message}`);
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const text = `${JSON.stringify({ error: status === 408 ? 'the request took too long' : 'that is no HTTP request' })}\n`;
    const head = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      'Connection: close',
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(text)}`,
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${text}`, () => socket.destroy());
  }
}

/** Reads what is left of a request and keeps none of it, for some time at most. */
function drain(request: IncomingMessage): Promise<void> {
  if (request.readableEnded || request.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => request.destroy(), lingerMs).unref();
    request.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    request.once('end', resolve);
    request.resume();
  });
}

/** Methods of each path. */
const routes: Readonly<Record<string, readonly string[] | undefined>> = Object.assign(Object.create(null), {
  '/get_reward': ['POST'],
  '/health': ['GET', 'HEAD'],
});

const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0]!.slice(0, 200);

/** JSON alone, as it is: a browser asks before it posts that to another origin, and gets no. */
function checkHeaders({ headers }: IncomingMessage): void {
  const type = headers['content-type'] ?? '';
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(type)) {
    throw new Refusal(
      415,
      `Content-Type is ${type === '' ? 'missing' : JSON.stringify(type)}, expected application/json`,
    );
  }
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding !== 'identity') throw new Refusal(415, `Content-Encoding is ${JSON.stringify(encoding)}, expected none`);
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
