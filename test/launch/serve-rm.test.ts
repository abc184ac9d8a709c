import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions, flagLayer } from '../../src/config.js';
import { serveRmOptions } from '../../src/launch/grading-options.js';
import { launchServeRm, type ServeRmResult } from '../../src/launch/serve-rm.js';
import { type Reward, remoteReward, scoreSamples } from '../../src/reward/index.js';
import { runCli } from '../cli/run-cli.js';
import { sampleOf } from '../reward/support.js';
import { qwen } from '../serve/support.js';

let root = '';
const at = (name: string) => join(root, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-serve-'));
  writeFileSync(at('train.jsonl'), '{"prompt": "6*7?", "answer": "41"}\n{"prompt": "1+1?", "answer": "2"}\n');
  writeFileSync(at('test.jsonl'), '{"prompt": "6*7?", "answer": "42"}\n');
});
afterAll(() => rmSync(root, { recursive: true }));

const options = (flags: Record<string, unknown>) =>
  completeOptions(
    serveRmOptions,
    flagLayer(serveRmOptions, { grader: 'standard', port: '0', rewardWorkers: '0', ...flags }),
  );

/** Runs a body beside the server, then ends it. */
async function beside(flags: Record<string, unknown>, body: (url: string) => Promise<void>): Promise<ServeRmResult> {
  const controller = new AbortController();
  let served: Promise<ServeRmResult> | undefined;
  const address = await new Promise<string>((resolve, reject) => {
    served = launchServeRm(options(flags), { signal: controller.signal, onListening: resolve });
    served.catch(reject);
  });
  try {
    await body(`${address}/get_reward`);
  } finally {
    controller.abort();
  }
  return served!;
}

const post = async (url: string, body: object) => {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  return reply.json();
};

describe('launchServeRm', () => {
  it('grades by the table of its files, where the last one counts, and says what it did', async () => {
    const result = await beside({ prompts: [at('train.jsonl'), at('test.jsonl')] }, async (url) => {
      const query = [qwen('6*7?', '\\boxed{42}'), qwen('6*7?', '\\boxed{41}'), qwen('1+1?', '\\boxed{2}')];
      expect(await post(url, { query })).toEqual({ rewards: [1, -0.5, 1] });
    });
    expect(result).toMatchObject({ answered: 1, queries: 3, refused: 0, prompts: 3, grader: 'standard' });
  });

  it('is what our own remote reward asks', async () => {
    const rule: Reward = {
      name: 'rule',
      score: (samples) =>
        samples.map(() => ({ reward: 0, correct: true, wellFormed: true, reason: '', answer: null, detail: '' })),
    };
    await beside({ template: 'plain' }, async (url) => {
      const remote = { urls: [url], batchSize: 3, timeoutMs: 5000, tries: 1, retryMs: 0, concurrency: 4 };
      const samples = Array.from({ length: 8 }, (_, i) =>
        sampleOf({ sample: i, promptText: 'Q:', fullText: `Q:\\boxed{${i}}`, answer: String(i & ~1) }),
      );
      const results = await scoreSamples(remoteReward(remote, rule), samples);
      expect(results.map(({ reward }) => reward)).toEqual([1, -0.5, 1, -0.5, 1, -0.5, 1, -0.5]);
    });
  });

  it.each<[Record<string, unknown>, string, RegExp]>([
    [{ grader: 'best' }, 'LIMR_USAGE', /unknown grader "best"/],
    [{ maxBody: 'lots' }, 'LIMR_USAGE', /max-body is "lots"/],
    [{ maxBody: '1GB' }, 'LIMR_USAGE', /--max-held, 256MB, is less than --max-body, 1GB/],
    [{ prompts: ['nowhere.jsonl'] }, 'LIMR_IO', /nowhere\.jsonl/],
    [{ host: '203.0.113.7' }, 'LIMR_IO', /cannot listen on 203\.0\.113\.7 port 0/],
  ])('refuses %j before it listens', async (flags, code, message) => {
    const served = launchServeRm(options(flags), { signal: AbortSignal.abort() });
    await expect(served).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('says which port is taken', async () => {
    await beside({}, async (url) => {
      const { port } = new URL(url);
      await expect(launchServeRm(options({ port }), { signal: AbortSignal.abort() })).rejects.toMatchObject({
        code: 'LIMR_IO',
        message: expect.stringMatching(new RegExp(`cannot listen on 127\\.0\\.0\\.1 port ${port}: .*EADDRINUSE`)),
        hint: expect.stringContaining('--port'),
      });
    });
  });
});

it('limr-engine serve-rm ends by SIGTERM with 0, after what is under way', async () => {
  const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
  const args = [
    'serve-rm',
    '--prompts',
    at('test.jsonl'),
    '--grader',
    'standard',
    '--port',
    '0',
    '--access-log',
    '--json',
  ];
  const child = spawn(process.execPath, ['--import', 'tsx', main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  const said: string[] = [];
  const ended = new Promise((resolve) => child.on('exit', (code, signal) => resolve(code ?? signal)));
  try {
    const url = await new Promise<string>((resolve, reject) => {
      createInterface(child.stderr).on('line', (line) => {
        said.push(line);
        const found = /at (http:\S+)$/.exec(line)?.[1];
        if (found !== undefined) resolve(found);
      });
      void ended.then(() => reject(new Error(said.join('\n'))));
    });
    // Long enough to grade that the signal comes before the answer.
    const long = qwen('6*7?', `${'abc de '.repeat(3)}${'\\frac{1}{2} '.repeat(60_000)}\\boxed{42}`);
    const answer = post(url, { query: [long, long, long, qwen('6*7?', '\\boxed{42}')] });
    await new Promise((resolve) => setTimeout(resolve, 30));
    child.kill('SIGTERM');
    expect(await answer).toEqual({ rewards: [-1, -1, -1, 1] });
    expect(await ended).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ answered: 1, queries: 4 });
    expect(said.find((line) => line.includes('POST'))).toMatch(/POST \/get_reward 200 4 queries \d+ bytes/);
  } finally {
    child.kill('SIGKILL');
  }
});

it('a bad flag is a usage error', async () => {
  const { code, stderr } = await runCli('serve-rm', '--port', '70000');
  expect([code, stderr]).toEqual([2, expect.stringContaining('--port')]);
});
