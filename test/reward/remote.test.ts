import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type RemoteOptions, type Reward, remoteReward, scoreSamples } from '../../src/reward/index.js';
import { sampleOf } from './support.js';

interface Request {
  readonly body: { readonly query: string[]; readonly prompts: string[]; readonly labels: string[] };
  readonly headers: IncomingMessage['headers'];
  readonly url: string | undefined;
}

type Handler = (request: Request, response: ServerResponse) => void | Promise<void>;

let servers: Server[] = [];
afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  servers = [];
});

async function serve(handler: Handler): Promise<{ readonly url: string; readonly requests: Request[] }> {
  const requests: Request[] = [];
  const server = createServer(async (incoming, response) => {
    let text = '';
    for await (const chunk of incoming) text += String(chunk);
    const request = { body: JSON.parse(text) as Request['body'], headers: incoming.headers, url: incoming.url };
    requests.push(request);
    await handler(request, response);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/get_reward`, requests };
}

const answer = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof value === 'string' ? value : JSON.stringify(value));
};
/** Each query's length, as its reward. */
const lengths: Handler = ({ body }, response) => answer(response, { rewards: body.query.map(({ length }) => length) });

const rule: Reward = {
  name: 'rule',
  score: (samples) =>
    samples.map(() => ({ reward: 1, correct: true, wellFormed: true, reason: 'equal', answer: '42', detail: '' })),
};

function client(urls: readonly string[], options: Partial<RemoteOptions> = {}): Reward {
  const quick = { batchSize: 4, timeoutMs: 5000, tries: 3, retryMs: 10, concurrency: 4 };
  return remoteReward({ urls, ...quick, ...options }, rule);
}

const samples = (count: number) =>
  Array.from({ length: count }, (_, i) =>
    sampleOf({ sample: i, fullText: 'x'.repeat(i + 1), promptText: `<user>${i}`, answer: String(i) }),
  );

describe('a remote reward', () => {
  it("speaks OpenRLHF's protocol, and keeps the order", async () => {
    const { url, requests } = await serve(async (request, response) => {
      // The first batch is answered last.
      if (request.body.query[0] === 'x') await new Promise((resolve) => setTimeout(resolve, 100));
      lengths(request, response);
    });
    const results = await scoreSamples(client([url]), samples(10));
    expect(results.map(({ reward }) => reward)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(requests.map(({ body }) => body.query.length).sort()).toEqual([2, 4, 4]);
    const first = requests.find(({ body }) => body.query[0] === 'x')!;
    expect(first).toMatchObject({
      url: '/get_reward',
      headers: { 'content-type': 'application/json' },
      body: {
        query: ['x', 'xx', 'xxx', 'xxxx'],
        prompts: ['<user>0', '<user>1', '<user>2', '<user>3'],
        labels: ['0', '1', '2', '3'],
      },
    });
  });

  it('takes the number from the server and all else from the rule', async () => {
    const { url } = await serve(lengths);
    const [result] = await scoreSamples(client([url]), samples(1));
    expect(result).toEqual({ reward: 1, correct: true, wellFormed: true, reason: 'equal', answer: '42', detail: '' });
    expect(client([url]).name).toBe(`remote(${url})/rule`);
  });

  it('takes turns between servers, and retries on the next one', async () => {
    const broken = await serve((_, response) => answer(response, 'out of order', 503));
    const fine = await serve(lengths);
    const results = await scoreSamples(client([broken.url, fine.url], { batchSize: 1 }), samples(6));
    expect(results.map(({ reward }) => reward)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(broken.requests).toHaveLength(3);
    expect(fine.requests).toHaveLength(6);
  });

  it('has no more requests under way than it may', async () => {
    let [now, most] = [0, 0];
    const { url, requests } = await serve(async (request, response) => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 20));
      now -= 1;
      lengths(request, response);
    });
    const reward = client([url], { batchSize: 1, concurrency: 3 });
    await Promise.all([scoreSamples(reward, samples(8)), scoreSamples(reward, samples(8))]);
    expect(requests).toHaveLength(16);
    expect(most).toBe(3);
  });

  it('tries again as often as it is told', async () => {
    let calls = 0;
    const { url } = await serve((request, response) => {
      calls += 1;
      if (calls < 3) answer(response, { rewards: [] });
      else lengths(request, response);
    });
    expect(await scoreSamples(client([url], { tries: 3 }), samples(1))).toMatchObject([{ reward: 1 }]);
    expect(calls).toBe(3);
  });
});

describe('a server that fails is an error that says what it did', () => {
  const hold = new Promise<void>(() => {});
  it.each<[string, Handler, RegExp]>([
    ['too few rewards', (_, r) => answer(r, { rewards: [1] }), /it gave 1 rewards for 2 queries$/],
    ['too many rewards', (_, r) => answer(r, { rewards: [1, 2, 3] }), /it gave 3 rewards for 2 queries$/],
    ['a text', (_, r) => answer(r, { rewards: [1, '2'] }), /its reward 1 is "2", not a number$/],
    ['nothing', (_, r) => answer(r, { rewards: [null, 2] }), /its reward 0 is null, not a number$/],
    ['lists', (_, r) => answer(r, { rewards: [[1], [2]] }), /its reward 0 is \[1\], not a number$/],
    [
      'NaN, as Python writes it',
      (_, r) => answer(r, '{"rewards": [NaN, 1]}'),
      /is not JSON: \{"rewards": \[NaN, 1\]\}$/,
    ],
    ['another key', (_, r) => answer(r, { scores: [1, 2] }), /has no list "rewards": \{"scores":\[1,2\]\}$/],
    ['a web page', (_, r) => answer(r, '<html>'), /its answer is not JSON: <html>$/],
    [
      'a status',
      (_, r) => answer(r, { detail: 'no such route' }, 404),
      /HTTP 404 Not Found: \{"detail":"no such route"\}$/,
    ],
    [
      'a redirect',
      (_, r) => {
        r.writeHead(307, { location: 'http://elsewhere.example/' });
        r.end();
      },
      /it redirects to http:\/\/elsewhere\.example\/, which is not followed$/,
    ],
    ['a cut line', (_, r) => void r.destroy(), /fetch failed \(.+\)$/],
    ['silence', () => hold, /it took too long$/],
    [
      'no end',
      (_, r) => {
        const flood = (): void => {
          while (r.writable && r.write(' '.repeat(1 << 16)));
          if (r.writable) r.once('drain', flood);
        };
        flood();
      },
      /its answer is longer than 16777216 bytes$/,
    ],
  ])('%s', async (_, handler, message) => {
    const { url, requests } = await serve(handler);
    const error: unknown = await scoreSamples(client([url], { tries: 2, timeoutMs: 2000 }), samples(2)).catch(
      (e: unknown) => e,
    );
    expect(error).toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringMatching(message),
      hint: expect.stringContaining('--resume'),
    });
    expect(error).toMatchObject({
      message: expect.stringContaining(
        `the reward server ${url} did not grade sample 0 of prompt p0 and 1 more in 2 tries: `,
      ),
    });
    expect(requests).toHaveLength(2);
  });

  it('a server that is not there', async () => {
    const reward = client(['http://127.0.0.1:9/get_reward'], { tries: 1 });
    await expect(scoreSamples(reward, samples(1))).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringMatching(/did not grade sample 0 of prompt p0 in 1 try: /),
    });
  });
});

it.each([
  ['while it waits for an answer', 60_000, 60_000],
  ['while it waits to try again', 1, 60_000],
])('leaves at once when the run is interrupted %s', async (_, timeoutMs, retryMs) => {
  const { url } = await serve(() => new Promise(() => {}));
  const controller = new AbortController();
  const started = performance.now();
  const graded = scoreSamples(client([url], { timeoutMs, retryMs }), samples(9), controller.signal);
  setTimeout(() => controller.abort(), 100);
  await expect(graded).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
  expect(performance.now() - started).toBeLessThan(5000);
});

it.each([[['localhost:5000']], [['ftp://host/']], [['']], [[]], [['http://fine/', 'nonsense']]])(
  'refuses %j',
  (urls) => {
    expect(() => client(urls)).toThrow(expect.objectContaining({ code: 'LIMR_USAGE' }));
  },
);
