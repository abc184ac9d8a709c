/** A reward server in this process, and clients that speak to it by hand. */
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WorkerPool } from '../../src/reward/pool.js';
import { type GradeOptions, gradeTask, RewardServer, type RewardServerOptions } from '../../src/serve/index.js';

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export class Service {
  private constructor(
    readonly url: string,
    readonly server: RewardServer,
    readonly lines: string[],
    private readonly pool: { close(): Promise<void> },
  ) {}

  static async open(
    options: Partial<RewardServerOptions> = {},
    rules: Partial<GradeOptions> = {},
    workers = 0,
  ): Promise<Service> {
    const all: GradeOptions = {
      grader: 'standard',
      template: 'qwen',
      answers: [{ prompt: '6*7?', answer: '42' }],
      ...rules,
    };
    const pool = new WorkerPool(gradeTask, all, { workers });
    const lines: string[] = [];
    const server = new RewardServer({
      template: all.template,
      hasAnswers: all.answers.length > 0,
      grade: async (query, signal) => (await pool.run(query, { name: 'a query', signal })).result,
      about: { grader: all.grader },
      maxBodyBytes: 1 << 20,
      maxHeldBytes: 4 << 20,
      maxRequests: 2000,
      requestTimeoutMs: 10_000,
      log: (line) => lines.push(line),
      ...options,
    });
    return new Service(await server.listen(0, '127.0.0.1'), server, lines, pool);
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.pool.close();
  }

  post(body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body);
    return this.send('POST', '/get_reward', text, { 'content-type': 'application/json', ...headers });
  }

  send(
    method: string,
    path: string,
    body?: string | Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const isChunked = headers['transfer-encoding'] !== undefined;
      const length = body === undefined || isChunked ? {} : { 'content-length': String(Buffer.byteLength(body)) };
      const sent = httpRequest(`${this.url}${path}`, { method, headers: { ...length, ...headers } }, async (reply) => {
        let text = '';
        for await (const chunk of reply) text += String(chunk);
        const json = text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {};
        resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text, json });
      });
      sent.on('error', reject);
      sent.end(body);
    });
  }

  /** A bare connection. */
  socket(): Promise<Socket> {
    const { hostname, port } = new URL(this.url);
    return new Promise((resolve, reject) => {
      const socket: Socket = connect(Number(port), hostname, () => resolve(socket));
      socket.on('error', reject);
    });
  }
}

/** All that comes over a connection until its other end closes it. */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

/** A conversation in Qwen's template. */
export const qwen = (prompt: string, response: string): string =>
  `<|im_start|>system\ns<|im_end|>\n<|im_start|>user\n${prompt}<|im_end|>\n<|im_start|>assistant\n${response}<|im_end|>`;
