import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions } from '../../src/config.js';
import { launchReport } from '../../src/launch/report.js';
import { reportOptions } from '../../src/launch/report-options.js';
import type { LiveEvent, ReportData, SamplePage, TokenView } from '../../src/report/data.js';
import { isOwnHost } from '../../src/report/host-check.js';
import { metricsFile, type SyntheticRun, writeSyntheticRun } from './synthetic-run.js';

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-watch-'));
});
afterAll(() => rm(root, { recursive: true }));

const ends: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

interface Watched {
  readonly dir: string;
  readonly address: string;
  readonly remarks: string[];
  /** Interrupts it. @returns what it says at its end */
  readonly stop: () => Promise<unknown>;
}

async function watch(what: Partial<SyntheticRun> = {}): Promise<Watched> {
  const dir = join(root, `run-${++count}`);
  await writeSyntheticRun(dir, {
    rollouts: 6,
    prompts: 8,
    promptsPerRollout: 4,
    samplesPerPrompt: 4,
    evalEvery: 2,
    ...what,
  });
  const controller = new AbortController();
  const remarks: string[] = [];
  let ended: Promise<unknown> | undefined;
  const address = await new Promise<string>((resolve, reject) => {
    const options = { ...completeOptions(reportOptions, new Map()), runs: [dir], watch: true, port: 0 };
    ended = launchReport(options, {
      signal: controller.signal,
      onListening: resolve,
      remark: (text) => remarks.push(text),
    });
    ended.catch(reject);
  });
  const stop = () => {
    controller.abort();
    return ended!;
  };
  ends.push(stop);
  return { dir, address, remarks, stop };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** A request as it is: no client tidies path or Host. */
function ask(
  address: string,
  path: string,
  options: { readonly host?: string; readonly method?: string } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(address);
  return new Promise((resolve, reject) => {
    const headers = { host: options.host ?? `localhost:${port}` };
    const sent = request(
      { agent: false, hostname, port, path, method: options.method ?? 'GET', headers },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }));
      },
    );
    sent.on('error', reject).end();
  });
}

const dataOf = ({ text }: Answer): ReportData =>
  JSON.parse(/<script type="application\/json" id="data">(.*)<\/script>/.exec(text)![1]!) as ReportData;

/** Listens until an event of a type has come. */
function listen(
  address: string,
  query: string,
): {
  readonly until: (type: LiveEvent['type']) => Promise<LiveEvent>;
  readonly closed: Promise<void>;
  readonly end: () => void;
} {
  const seen: LiveEvent[] = [];
  let wake = (): void => {};
  let close = (): void => {};
  const closed = new Promise<void>((resolve) => {
    close = resolve;
  });
  const sent = request(`${address}events?${query}`, (response) => {
    let rest = '';
    response.setEncoding('utf8').on('data', (chunk: string) => {
      const parts = (rest + chunk).split('\n\n');
      rest = parts.pop()!;
      for (const part of parts) if (part.startsWith('data: ')) seen.push(JSON.parse(part.slice(6)) as LiveEvent);
      wake();
    });
    response.on('close', close);
  });
  sent.on('error', close).end();
  ends.unshift(() => Promise.resolve(sent.destroy()));
  const until = async (type: LiveEvent['type']): Promise<LiveEvent> => {
    for (;;) {
      const at = seen.findIndex((event) => event.type === type);
      if (at !== -1) return seen.splice(at, 1)[0]!;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { until, closed, end: () => sent.destroy() };
}

describe('the page is served', () => {
  it('with the run as it is now, and a policy that lets nothing else in', async () => {
    const { address } = await watch();
    const page = await ask(address, '/');
    expect(page.status).toBe(200);
    expect(page.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'cross-origin-resource-policy': 'same-origin',
    });
    expect(page.headers['access-control-allow-origin']).toBeUndefined();
    expect(page.text).toContain("connect-src 'self'");
    const { live, runs } = dataOf(page);
    expect(live!.stamp).toMatch(/^[0-9a-f-]{36}$/);
    expect(runs[0]).toMatchObject({ done: 6, samples: { totals: { train: 96, test: 30 }, embedded: [] } });
    expect((await ask(address, '/', { method: 'HEAD' })).text).toBe('');
  });

  it('to this machine by its own names alone', async () => {
    const { address } = await watch({ rollouts: 1 });
    const { port } = new URL(address);
    for (const host of [`127.0.0.1:${port}`, 'localhost', `[::1]:${port}`])
      expect((await ask(address, '/', { host })).status).toBe(200);
    for (const host of [
      'evil.example',
      `evil.example:${port}`,
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '10.0.0.1',
      'a@localhost',
    ]) {
      for (const path of ['/', '/events', '/samples?run=0&split=train&graded=any']) {
        const { status, text } = await ask(address, path, { host });
        expect([status, text.includes('reward')], `${host} ${path}`).toEqual([403, false]);
      }
    }
  });

  it('and no file, whatever the path', async () => {
    const { address } = await watch({ rollouts: 1 });
    for (const path of [
      '/../../../../etc/passwd',
      '/%2e%2e/%2e%2e/etc/passwd',
      '/..%2f..%2fetc%2fpasswd',
      '//etc/passwd',
      '/run.json',
      '/samples/train/step_1.json',
      '/samples/../run.json',
      '/tokens/..\\..\\run.json',
      '/%00',
    ]) {
      const { status, text } = await ask(address, path);
      expect([status, text], path).toEqual([expect.any(Number), expect.not.stringContaining('root:')]);
      expect(status, path).toBeGreaterThanOrEqual(400);
    }
    for (const [name, bad] of [
      ['run', '1'],
      ['run', '../../etc'],
      ['split', '../test'],
      ['split', '__proto__'],
      ['fromRollout', '-1'],
      ['atRow', '1e9'],
      ['minReward', 'NaN'],
      ['text', 'x'.repeat(2000)],
    ] as const) {
      const query = new URLSearchParams({ run: '0', split: 'train', graded: 'any', [name]: bad });
      const { status, text } = await ask(address, `/samples?${query}`);
      expect([status, JSON.parse(text)], `${name}=${bad}`).toEqual([400, { error: expect.stringContaining(name) }]);
    }
    expect((await ask(address, '/', { method: 'POST' })).status).toBe(405);
    expect((await ask(address, '/tokens?run=0&rollout=1&row=0')).status).toBe(400);
  });
});

describe('a listening page', () => {
  it('hears of rows, samples and a run that was cut back', async () => {
    const { dir, address } = await watch();
    const { live } = dataOf(await ask(address, '/'));
    const { until } = listen(address, `stamp=${live!.stamp}&have=0:4:6`);
    expect(await until('rows')).toMatchObject({ run: 0, metrics: { rollout: [5, 6] }, timings: {} });
    expect(await until('samples')).toMatchObject({ totals: { train: 96, test: 30 } });
    expect(await until('learning')).toMatchObject({ learning: { epochs: 3 } });

    await appendFile(metricsFile(dir), '{"rollout":7,"reward/mean":0.5}\n');
    await writeFile(join(dir, 'samples/train/step_7.json'), await readFile(join(dir, 'samples/train/step_6.json')));
    expect(await until('rows')).toMatchObject({ metrics: { rollout: [7], 'reward/mean': [0.5] } });
    expect(await until('samples')).toMatchObject({ totals: { train: 112 } });

    const kept = (await readFile(metricsFile(dir), 'utf8')).indexOf('\n') + 1;
    await truncate(metricsFile(dir), kept);
    expect(await until('run')).toMatchObject({ data: { generation: 1, done: 1, samples: { embedded: [] } } });
  });

  it.each(['stamp=another&have=0:0:0', 'have=0:0:0', 'stamp=STAMP&have=0:0', 'stamp=STAMP&have=0:0:0,0:0:0'])(
    'of another server or form (%s) is told to load itself again',
    async (query) => {
      const { address } = await watch({ rollouts: 1 });
      const { live } = dataOf(await ask(address, '/'));
      const { until, closed } = listen(address, query.replace('STAMP', live!.stamp));
      expect(await until('reload')).toEqual({ type: 'reload' });
      await closed;
    },
  );

  it('is let go when the server is interrupted, which says what it served', async () => {
    const { address, stop } = await watch();
    const { live } = dataOf(await ask(address, '/'));
    const { closed, until } = listen(address, `stamp=${live!.stamp}&have=0:0:0`);
    await until('rows');
    expect(await stop()).toMatchObject({ output: null, runs: [{ rollouts: 6, samples: 126 }] });
    await closed;
    await expect(ask(address, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('goes on over a file that is damaged, which is told once', async () => {
    const { dir, address, remarks } = await watch();
    const { live } = dataOf(await ask(address, '/'));
    const { until } = listen(address, `stamp=${live!.stamp}&have=0:6:6`);
    await until('samples');
    const file = join(dir, 'samples/train/step_7.json');
    await writeFile(file, '[{"rubbish"');
    while (remarks.length === 0) await new Promise((resolve) => setTimeout(resolve, 50));
    await writeFile(file, await readFile(join(dir, 'samples/train/step_6.json')));
    expect(await until('samples')).toMatchObject({ totals: { train: 112 } });
    expect(remarks).toEqual([expect.stringContaining('step_7.json')]);
  });
});

describe('a search', () => {
  it('finds every sample that matches, newest first, page by page', async () => {
    const { address } = await watch({
      rollouts: 10,
      response: (rollout, row) => (row % 2 === 0 ? `NEEDLE ${rollout}` : 'hay'),
    });
    const found: SamplePage['samples'][number][] = [];
    let cursor = '';
    let searched = 0;
    for (let pages = 0; pages < 100; ++pages) {
      const answer = await ask(address, `/samples?run=0&split=train&graded=any&text=needle${cursor}`);
      const page = JSON.parse(answer.text) as SamplePage;
      expect(page.samples.length).toBeLessThanOrEqual(20);
      found.push(...page.samples);
      searched += page.searched;
      if (page.next === null) break;
      cursor = `&atRollout=${page.next.rollout}&atRow=${page.next.row}`;
    }
    expect(searched).toBe(160);
    expect(found).toHaveLength(80);
    expect(new Set(found.map(({ rollout, row }) => `${rollout}/${row}`)).size).toBe(80);
    expect(found.map(({ rollout }) => rollout)).toEqual(found.map(({ rollout }) => rollout).toSorted((a, b) => b - a));
  });

  it('by reward, grade and rollout', async () => {
    const { address } = await watch();
    const search = async (query: string) =>
      (JSON.parse((await ask(address, `/samples?run=0&split=train&${query}`)).text) as SamplePage).samples;
    for (const { reward } of await search('graded=wrong&minReward=-0.6')) expect(reward).toBe(-0.5);
    for (const { correct } of await search('graded=correct')) expect(correct).toBe(true);
    const within = await search('graded=any&fromRollout=2&toRollout=2');
    expect(within.map(({ rollout }) => rollout)).toEqual(new Array(16).fill(2));
  });

  it('has the tokens of a sample', async () => {
    const { address } = await watch({ tokens: true });
    const { text } = await ask(address, '/tokens?run=0&rollout=2&row=3');
    const view = JSON.parse(text) as TokenView;
    expect(view.advantages).toHaveLength(view.text.length);
    expect((await ask(address, '/tokens?run=0&rollout=2&row=99')).status).toBe(400);
    expect((await ask(address, '/tokens?run=0&rollout=99&row=0')).status).toBe(400);
  });
});

describe('the Host header', () => {
  it('beyond this machine may be an address, or the name that was given', () => {
    expect(['10.1.2.3:6007', '[fe80::1]:6007', 'localhost', 'box'].map((name) => isOwnHost(name, 'box'))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(['box.evil.example', 'evil.example', 'bo x', undefined].map((name) => isOwnHost(name, 'box'))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(['10.1.2.3', 'box'].map((name) => isOwnHost(name, '127.0.0.1'))).toEqual([false, false]);
  });
});

it('a port that is taken is said', async () => {
  const { dir, address } = await watch({ rollouts: 1 });
  const options = {
    ...completeOptions(reportOptions, new Map()),
    runs: [dir],
    watch: true,
    port: Number(new URL(address).port),
  };
  await expect(launchReport(options)).rejects.toMatchObject({
    code: 'LIMR_IO',
    hint: expect.stringContaining('--port'),
  });
});
