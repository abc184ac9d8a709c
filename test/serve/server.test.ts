import { afterEach, describe, expect, it } from 'vitest';
import type { Query } from '../../src/serve/index.js';
import { qwen, readAll, Service } from './support.js';

let services: Service[] = [];
async function open(...args: Parameters<typeof Service.open>): Promise<Service> {
  const service = await Service.open(...args);
  services.push(service);
  return service;
}
afterEach(async () => {
  await Promise.all(services.map((service) => service.close()));
  services = [];
});

/** A grader that answers when it is told to. */
function gate() {
  let release = (): void => {};
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  const [begun, left]: [Query[], Query[]] = [[], []];
  const grade = async (query: Query, signal: AbortSignal) => {
    begun.push(query);
    signal.addEventListener('abort', () => left.push(query));
    await opened;
    return { reward: query.text.length, reason: '' };
  };
  return { grade, begun, left, release: () => release() };
}

const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !holds(); ++i) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
};

describe('POST /get_reward', () => {
  it("answers OpenRLHF's and LIMR's request, in its order", async () => {
    const service = await open();
    const query = [
      qwen('6*7?', 'So \\boxed{42}.'),
      qwen('6*7?', 'So \\boxed{41}.'),
      qwen('6*7?', 'So 42.'),
      qwen('7*7?', '\\boxed{49}'),
      qwen(' 6*7? ', '\\boxed{84/2}'),
    ];
    const { status, headers, json } = await service.post({ query });
    expect([status, json]).toEqual([200, { rewards: [1, -0.5, -1, -1, 1] }]);
    expect(headers['content-type']).toBe('application/json');
  });

  it('takes the labels of a later OpenRLHF as the gold answers, where it sends any', async () => {
    const service = await open();
    const text = qwen('6*7?', '\\boxed{1}');
    const labels = ['1', '2', 1, '', null];
    const { json } = await service.post({ query: labels.map(() => text), prompts: labels.map(() => 'p'), labels });
    expect(json).toEqual({ rewards: [1, -0.5, 1, -0.5, -0.5] });
  });

  it('knows the templates', async () => {
    const deepseek = await open({}, { template: 'deepseek' });
    expect((await deepseek.post({ query: ['<｜User｜>6*7?<｜Assistant｜>\\boxed{42}'] })).json).toEqual({
      rewards: [1],
    });
    const plain = await open({}, { template: 'plain', answers: [] });
    const request = { query: ['Q: \\boxed{7} A: \\boxed{42}'], prompts: ['Q: \\boxed{7} A:'], labels: ['42'] };
    expect((await plain.post(request)).json).toEqual({ rewards: [1] });
    expect((await plain.post({ ...request, labels: ['7'] })).json).toEqual({ rewards: [-0.5] });
  });

  it('answers an empty list by one', async () => {
    expect((await (await open()).post({ query: [] })).json).toEqual({ rewards: [] });
  });

  it('answers a thousand requests at once, each by its own', async () => {
    const service = await open({}, {}, 2);
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, i) =>
        service.post({
          query: [qwen('6*7?', `\\boxed{${i}}`), qwen('6*7?', 'none')],
          labels: [String(i - (i % 2)), '1'],
        }),
      ),
    );
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 200));
    expect(replies.map(({ json }) => json.rewards)).toEqual(replies.map((_, i) => [i % 2 === 0 ? 1 : -0.5, -1]));
    expect(service.server.counts).toMatchObject({ answered: 1000, queries: 2000, refused: 0, underWay: 0 });
  });

  it('goes on answering /health while it grades', async () => {
    const service = await open({}, {}, 1);
    const hard = qwen('6*7?', `${'ab cd ef gh '.repeat(4)}${'x'.repeat(900_000)}`);
    const slow = Promise.all(Array.from({ length: 4 }, () => service.post({ query: [hard] })));
    const started = performance.now();
    expect((await service.send('GET', '/health')).status).toBe(200);
    expect(performance.now() - started).toBeLessThan(2000);
    await slow;
  });
});

describe('other requests', () => {
  it('GET /health says what runs, and how much it did', async () => {
    const service = await open();
    await service.post({ query: [qwen('6*7?', '')] });
    await service.post('nonsense');
    const { status, json } = await service.send('GET', '/health?x=1');
    const counts = { under_way: 0, answered: 1, refused: 1, queries: 1 };
    expect([status, json]).toEqual([200, { status: 'ok', grader: 'standard', ...counts }]);
    expect((await service.send('HEAD', '/health')).text).toBe('');
  });

  const json = { 'content-type': 'application/json' };
  it.each<[string, string, string, string | Uint8Array | undefined, Record<string, string>, number, RegExp]>([
    ['an unknown path', 'POST', '/', '{}', json, 404, /nothing at \//],
    ['a property of every object', 'GET', '/constructor', undefined, {}, 404, /nothing at/],
    ['GET for a reward', 'GET', '/get_reward', undefined, {}, 405, /takes POST/],
    [
      'a browser that asks for leave',
      'OPTIONS',
      '/get_reward',
      undefined,
      { origin: 'http://evil.example' },
      405,
      /takes POST/,
    ],
    ['a body for /health', 'POST', '/health', '{}', json, 405, /takes GET, HEAD/],
    ['no content type', 'POST', '/get_reward', '{}', {}, 415, /Content-Type is missing/],
    ['a form', 'POST', '/get_reward', 'query=1', { 'content-type': 'application/x-www-form-urlencoded' }, 415, /form/],
    ['text, as a page may post', 'POST', '/get_reward', '{}', { 'content-type': 'text/plain' }, 415, /text\/plain/],
    [
      'another charset',
      'POST',
      '/get_reward',
      '{}',
      { 'content-type': 'application/json; charset=latin1' },
      415,
      /latin1/,
    ],
    ['a compressed body', 'POST', '/get_reward', '{}', { ...json, 'content-encoding': 'gzip' }, 415, /gzip/],
    ['no JSON', 'POST', '/get_reward', '{"query": ["a"', json, 400, /is not JSON/],
    ['nothing', 'POST', '/get_reward', '', json, 400, /is not JSON/],
    ['no UTF-8', 'POST', '/get_reward', Uint8Array.of(0x22, 0xff, 0x22), json, 400, /not UTF-8/],
    ['a list', 'POST', '/get_reward', '[]', json, 422, /got a list/],
    ['null', 'POST', '/get_reward', 'null', json, 422, /got null/],
    ['no query', 'POST', '/get_reward', '{}', json, 422, /"query" is missing/],
    ['one text', 'POST', '/get_reward', '{"query": "a"}', json, 422, /"query" is a text, expected a list/],
    ['a query that is a number', 'POST', '/get_reward', '{"query": ["a", 1]}', json, 422, /query 1 is a number/],
    ['labels for other queries', 'POST', '/get_reward', '{"query": ["a"], "labels": []}', json, 422, /0 labels for 1/],
    [
      'labels that are lists',
      'POST',
      '/get_reward',
      '{"query": ["a"], "labels": [["1"]]}',
      json,
      422,
      /"labels" 0 is a list/,
    ],
    [
      'prompts that are none',
      'POST',
      '/get_reward',
      '{"query": ["a"], "prompts": 3}',
      json,
      422,
      /"prompts" is a number/,
    ],
  ])('%s', async (_, method, path, body, headers, status, message) => {
    const service = await open();
    const reply = await service.send(method, path, body, headers);
    expect(reply.status).toBe(status);
    expect(reply.json.error).toMatch(message);
    if (status === 405) expect(reply.headers.allow).toMatch(/^(POST|GET, HEAD)$/);
    expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    expect((await service.post({ query: [qwen('6*7?', '\\boxed{42}')] })).json).toEqual({ rewards: [1] });
  });

  it('queries without label or prompt, where they are needed', async () => {
    const bare = await open({}, { answers: [] });
    expect(await bare.post({ query: ['a', 'b'], labels: ['1', ''] })).toMatchObject({
      status: 422,
      json: { error: expect.stringContaining('query 1 has no label') },
    });
    const plain = await open({}, { template: 'plain' });
    expect(await plain.post({ query: ['a'], labels: ['1'] })).toMatchObject({
      status: 422,
      json: { error: expect.stringContaining('query 0 has no prompt') },
    });
  });

  it('what is no HTTP', async () => {
    const service = await open();
    const socket = await service.socket();
    socket.write('hello there\r\n\r\n');
    expect(await readAll(socket)).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\{"error":"that is no HTTP request"\}\n$/,
    );
  });

  it('a body without a length', async () => {
    const service = await open();
    const socket = await service.socket();
    socket.write('POST /get_reward HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n');
    expect(await readAll(socket)).toMatch(/^HTTP\/1\.1 411 Length Required\r\n/);
  });

  it('a failure of ours, which is 500 and no reward', async () => {
    const service = await open({ grade: () => Promise.reject(new Error('the grader broke')) });
    expect(await service.post({ query: ['a'] })).toMatchObject({ status: 500, json: { error: 'the grader broke' } });
  });

  it('is told of every one in a line, paths cut', async () => {
    const service = await open();
    await service.post({ query: ['a', 'b'] });
    await service.send('GET', `/${'x'.repeat(5000)}`);
    await until(() => service.lines.length === 2);
    expect(service.lines[0]).toMatch(/^127\.0\.0\.1 POST \/get_reward 200 2 queries 19 bytes \d+\.\d ms$/);
    expect(service.lines[1]).toMatch(/^127\.0\.0\.1 GET \/x+ 404 /);
    expect(service.lines[1]!.length).toBeLessThan(600);
  });
});

describe('too much', () => {
  const memory = (): number => {
    (globalThis as { gc?: () => void }).gc?.();
    return process.memoryUsage.rss();
  };

  it.each([
    ['announced', { 'content-length': String(100 << 20) }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('a body of 100 MB, %s, is 413 and held nowhere', async (_, headers: Record<string, string>) => {
    const service = await open();
    const before = memory();
    const { hostname, port } = new URL(service.url);
    const { request } = await import('node:http');
    const status = await new Promise<number>((resolve, reject) => {
      const sent = request({
        hostname,
        port,
        method: 'POST',
        path: '/get_reward',
        headers: { 'content-type': 'application/json', ...headers },
      });
      sent.on('response', (reply) => {
        reply.resume();
        resolve(reply.statusCode ?? 0);
      });
      sent.on('error', reject);
      const piece = Buffer.alloc(1 << 20, 0x20);
      let left = 100;
      const push = (): void => {
        while (left > 0) {
          left -= 1;
          if (!sent.write(piece)) {
            sent.once('drain', push);
            return;
          }
        }
        sent.end();
      };
      push();
    });
    expect(status).toBe(413);
    expect(memory() - before).toBeLessThan(64 << 20);
    expect((await service.post({ query: [qwen('6*7?', '\\boxed{42}')] })).json).toEqual({ rewards: [1] });
  });

  it('a client that asks first is refused before it sends', async () => {
    const service = await open();
    const socket = await service.socket();
    const head = 'POST /get_reward HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n';
    socket.write(`${head}Content-Length: 99999999\r\n\r\n`);
    const text = await readAll(socket);
    expect(text).toMatch(/^HTTP\/1\.1 413 /);
    const fine = await service.socket();
    const body = '{"query": []}';
    fine.write(`${head}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`);
    setTimeout(() => fine.write(body), 50);
    expect(await readAll(fine)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[\s\S]*\{"rewards":\[\]\}/);
  });

  it('more requests than it takes are 503 with Retry-After, the others are answered', async () => {
    const { grade, release } = gate();
    const service = await open({ maxRequests: 3, grade });
    const first = Array.from({ length: 3 }, (_, i) => service.post({ query: ['x'.repeat(i + 1)] }));
    await until(() => service.server.counts.underWay === 3);
    const refused = await service.post({ query: ['y'] });
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '1']);
    release();
    expect((await Promise.all(first)).map(({ json }) => json)).toEqual([1, 2, 3].map((n) => ({ rewards: [n] })));
    expect((await service.post({ query: ['yy'] })).json).toEqual({ rewards: [2] });
  });

  it('more bytes than it holds are 503, and given back when their request ends', async () => {
    const { grade, release } = gate();
    const service = await open({ maxBodyBytes: 1000, maxHeldBytes: 1500, grade });
    const text = 'x'.repeat(900);
    const first = service.post({ query: [text] });
    await until(() => service.server.counts.underWay === 1);
    expect((await service.post({ query: [text] })).status).toBe(503);
    expect((await service.post({ query: [text] }, { 'transfer-encoding': 'chunked' })).status).toBe(503);
    release();
    expect((await first).status).toBe(200);
    for (let i = 0; i < 5; ++i) expect((await service.post({ query: [text] })).status).toBe(200);
  });

  it('a client that sends too slowly is 408', async () => {
    const service = await open({ requestTimeoutMs: 300 });
    const socket = await service.socket();
    socket.write(
      'POST /get_reward HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{',
    );
    const [text, other] = await Promise.all([readAll(socket), service.post({ query: [] })]);
    expect(text).toMatch(/^HTTP\/1\.1 408 Request Timeout/);
    expect(other.status).toBe(200);
    await until(() => service.server.counts.underWay === 0);
  });
});

describe('a client that leaves', () => {
  it('takes its work along, and nobody else’s', async () => {
    const { grade, begun, left, release } = gate();
    const service = await open({ grade });
    const socket = await service.socket();
    const body = '{"query": ["a", "bb"]}';
    socket.write(
      `POST /get_reward HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    const stays = service.post({ query: ['ccc'] });
    await until(() => begun.length === 3);
    socket.destroy();
    await until(() => left.length === 2);
    expect(left.map(({ text }) => text)).toEqual(['a', 'bb']);
    release();
    expect((await stays).json).toEqual({ rewards: [3] });
    await until(() => service.lines.some((line) => / left the client left /.test(line)));
  });

  it('in the middle of a body, again and again, costs nothing', async () => {
    const service = await open({ maxBodyBytes: 4000, maxHeldBytes: 10_000 });
    for (let round = 0; round < 30; ++round) {
      const socket = await service.socket();
      socket.write(
        'POST /get_reward HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 3000\r\n\r\n{"query"',
      );
      await until(() => service.server.counts.underWay === 1);
      socket.destroy();
      await until(() => service.server.counts.underWay === 0);
    }
    expect((await service.post({ query: ['x'.repeat(3000)] })).status).toBe(200); // all bytes were given back
  });
});

describe('closing', () => {
  it('finishes what is under way, refuses what comes, and ends', async () => {
    const { grade, release } = gate();
    const service = await open({ grade });
    services = [];
    const idle = readAll(await service.socket());
    const first = service.post({ query: ['four'] });
    await until(() => service.server.counts.underWay === 1);
    const closed = service.close();
    await expect(service.post({ query: ['late'] })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    release();
    const reply = await first;
    expect([reply.json, reply.headers.connection]).toEqual([{ rewards: [4] }, 'close']);
    await closed;
    expect(await idle).toBe('');
  });

  it('says which port is taken', async () => {
    const service = await open();
    const { port } = new URL(service.url);
    const other = await open();
    await expect(other.server.listen(Number(port), '127.0.0.1')).rejects.toMatchObject({
      code: expect.stringMatching(/LIMR_IO|ERR_SERVER_ALREADY_LISTEN/),
    });
  });
});
