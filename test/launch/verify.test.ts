import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions, flagLayer } from '../../src/config.js';
import { verifyOptions } from '../../src/launch/grading-options.js';
import { launchVerify, looksLikeResponse, type VerifyHooks } from '../../src/launch/verify.js';
import { runCli } from '../cli/run-cli.js';

let root = '';
const at = (name: string) => join(root, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-verify-'));
});
afterAll(() => rmSync(root, { recursive: true }));

function write(name: string, text: string): string {
  writeFileSync(at(name), text);
  return at(name);
}
const jsonLines = (...rows: readonly unknown[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');

async function verify(flags: Record<string, unknown>, hooks: VerifyHooks = {}) {
  const options = completeOptions(verifyOptions, flagLayer(verifyOptions, { grader: 'standard', ...flags }));
  const rows: Record<string, unknown>[] = [];
  const result = await launchVerify(options, (row) => void rows.push(row as Record<string, unknown>), hooks);
  return { result, rows };
}

describe('launchVerify', () => {
  it('grades rows in their order, with their ids, on any number of workers', async () => {
    const many = Array.from({ length: 1500 }, (_, i) => ({
      id: `q${i}`,
      prompt_id: i,
      note: 'left out',
      gold: i % 7,
      pred: `${i % 5}`,
    }));
    const input = write('many.jsonl', jsonLines(...many));
    const want = many.map(({ id, prompt_id, gold, pred }) => ({ id, prompt_id, equal: String(gold) === pred }));
    for (const rewardWorkers of ['0', '1', '2']) {
      const { result, rows } = await verify({ input, rewardWorkers });
      expect(rows.map(({ id, prompt_id, equal }) => ({ id, prompt_id, equal }))).toEqual(want);
      expect(Object.keys(rows[0]!)).toEqual(['id', 'prompt_id', 'equal', 'reason', 'ms']);
      expect(rows.every(({ ms }) => typeof ms === 'number' && ms >= 0)).toBe(true);
      const equal = want.filter((row) => row.equal).length;
      expect(result).toMatchObject({ grader: 'standard', rows: 1500, equal, accuracy: equal / 1500 });
      expect(Object.values(result.reasons).reduce((a, b) => a + b)).toBe(1500);
      expect(result.pairsPerSecond).toBeCloseTo(1500 / result.seconds, 6);
    }
  });

  it('looks for the answer in what is a response', async () => {
    const input = write(
      'kinds.jsonl',
      jsonLines({ gold: '5', pred: 'So \\boxed{5}.' }, { gold: '5', pred: '5' }, { gold: '5', pred: '\\boxed{6} no' }),
    );
    const { rows } = await verify({ input, rewardWorkers: '0', grader: 'limr' });
    expect(rows).toMatchObject([{ equal: true, answer: '5' }, { equal: true }, { equal: false, answer: '6' }]);
    expect(rows[1]).not.toHaveProperty('answer');
    const asAnswers = await verify({ input, rewardWorkers: '0', predKind: 'answer' });
    expect(asAnswers.rows.map(({ equal }) => equal)).toEqual([false, true, false]);
  });

  it('takes words for the answer where they are', async () => {
    const input = write('words.jsonl', jsonLines({ gold: '\\text{two lines}', pred: 'two lines' }));
    expect((await verify({ input, rewardWorkers: '0' })).rows).toMatchObject([{ equal: true, answer: 'two lines' }]);
    expect((await verify({ input, rewardWorkers: '0', predKind: 'response' })).rows).toMatchObject([{ equal: false }]);
  });

  it.each([
    ['\\boxed{1}', true],
    ['\\fbox{1}', true],
    ['The final answer is 3.', true],
    ['Answer: 3', true],
    ['So it is $3$.', true],
    ['$3$', false],
    ['\\(3\\)', false],
    ['\\text{two lines}', false],
    ['3', false],
    ['\\frac{1}{2}', false],
    ['\\text{answering}', false],
  ])('%j is a response: %s', (text, want) => {
    expect(looksLikeResponse(text)).toBe(want);
  });

  it('reads other fields, .json, and a run’s own samples', async () => {
    const input = write('samples.json', JSON.stringify([{ id: 'a', sample: 3, gold: '5', response: '\\boxed{5}' }]));
    const { rows } = await verify({ input, predKey: 'response', grader: 'limr' });
    expect(rows).toMatchObject([{ id: 'a', sample: 3, equal: true, answer: '5' }]);
  });

  it('reads stdin', async () => {
    const stdin = (async function* () {
      yield '{"gold": "1", "pred": "1"}\n{"gold": "1"';
      yield ', "pred": "2"}';
    })();
    const { rows } = await verify({ input: '-' }, { stdin });
    expect(rows.map(({ equal }) => equal)).toEqual([true, false]);
  });

  it.each<[string, string, RegExp]>([
    ['a line that is no JSON', '{"gold": "1", "pred": "1"}\n\n{"gold": 1,\n', /bad\.jsonl:3: malformed JSON/],
    [
      'a row without pred',
      jsonLines({ gold: '1', pred: '1' }, { gold: '1', answer: '2' }),
      /bad\.jsonl:2: "pred" is missing/,
    ],
    ['a gold that is a list', jsonLines({ gold: [1], pred: '1' }), /bad\.jsonl:1: "gold" is neither text nor a number/],
    ['no rows', '\n', /bad\.jsonl has no rows/],
  ])('names file and line of %s', async (_, text, message) => {
    const input = write('bad.jsonl', text);
    await expect(verify({ input })).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringMatching(message),
    });
  });

  it.each([[{}], [{ gold: '1', input: 'a.jsonl' }], [{ pred: '1' }], [{ gold: '1', pred: '1', grader: 'best' }]])(
    'refuses %j',
    async (flags) => {
      await expect(verify(flags)).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    },
  );

  it('holds a few lots of a large file at a time', async () => {
    let [given, taken, most] = [0, 0, 0];
    const stdin = (async function* () {
      for (; given < 20_000; ++given) {
        most = Math.max(most, given - taken);
        yield '{"gold": "1", "pred": "2"}\n';
      }
    })();
    const options = completeOptions(
      verifyOptions,
      flagLayer(verifyOptions, { grader: 'standard', input: '-', rewardWorkers: '0' }),
    );
    await launchVerify(options, () => void ++taken, { stdin });
    expect(taken).toBe(20_000);
    expect(most).toBeLessThan(3000);
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const stdin = (async function* () {
      for (let i = 0; ; ++i) {
        if (i === 2000) controller.abort();
        yield '{"gold": "1", "pred": "2"}\n';
      }
    })();
    await expect(verify({ input: '-' }, { stdin, signal: controller.signal })).rejects.toMatchObject({
      code: 'LIMR_ABORTED',
    });
  });
});

describe('limr-engine verify', () => {
  it('says what one pair is', async () => {
    const one = await runCli('verify', '--gold', '\\frac12', '--pred', '1/2', '--grader', 'standard');
    expect([one.code, one.stdout]).toEqual([0, expect.stringMatching(/^(not )?equal \(\w+\)\n$/)]);
    const json = await runCli('verify', '--gold', '2', '--pred', '3', '--grader', 'standard', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ equal: false, reason: 'other_value', ms: expect.any(Number) });
  });

  it('writes a file, whole or not at all', async () => {
    const input = write('two.jsonl', jsonLines({ id: 1, gold: '1', pred: '1' }, { id: 2, gold: '1', pred: '2' }));
    const done = await runCli('verify', '--input', input, '--output', at('out.jsonl'), '--grader', 'standard');
    expect(done.stdout).toMatch(/^standard: 1 of 2 equal \(50\.00%\), \d+ pairs\/s\n +1 \w+\n +1 \w+\n.*out\.jsonl\n$/);
    const rows = readFileSync(at('out.jsonl'), 'utf8').trimEnd().split('\n');
    expect(rows.map((row) => JSON.parse(row))).toMatchObject([
      { id: 1, equal: true },
      { id: 2, equal: false },
    ]);
    const bad = write('half.jsonl', '{"gold": "1", "pred": "1"}\n{');
    const before = readdirSync(root);
    expect(
      (await runCli('verify', '--input', bad, '--output', at('half-out.jsonl'), '--grader', 'standard')).code,
    ).toBe(1);
    expect(readdirSync(root)).toEqual(before);
  });

  it('streams rows to stdout, and says the rest on stderr', async () => {
    const input = write('stream.jsonl', jsonLines({ id: 1, gold: '1', pred: '1' }));
    const { stdout, stderr } = await runCli('verify', '--input', input, '--grader', 'standard');
    expect(JSON.parse(stdout)).toMatchObject({ id: 1, equal: true });
    expect(stderr).toContain('standard: 1 of 1 equal');
    const json = await runCli('verify', '--input', input, '--grader', 'standard', '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ rows: 1, verdicts: [{ id: 1, equal: true }] });
    const both = await runCli('verify', '--input', input, '--output', '-', '--json', '--grader', 'standard');
    expect([both.code, both.stderr]).toEqual([2, expect.stringContaining('both want stdout')]);
  });

  it('reads a pipe, and lets its reader leave', async () => {
    const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
    const args = ['--import', 'tsx', main, 'verify', '--input', '-', '--output', '-', '--grader', 'standard'];
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin.on('error', () => {});
    child.stdin.end('{"gold": "1", "pred": "2"}\n'.repeat(50_000));
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect([code, stderr]).toEqual([0, expect.stringContaining('standard: 0 of 50000 equal')]);
  });
});
