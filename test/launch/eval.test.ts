import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { completeOptions, flagLayer } from '../../src/config.js';
import type { QuestionRecord } from '../../src/eval/question-record.js';
import { type EvalHooks, launchEval } from '../../src/launch/eval.js';
import { launchCompare } from '../../src/launch/eval-compare.js';
import { evalOptions } from '../../src/launch/eval-options.js';
import type { NativeGenerateRequest } from '../../src/native.js';
import { lockFile } from '../../src/run/lock.js';
import { Tokenizer } from '../../src/tokenizer/tokenizer.js';
import { runCli } from '../cli/run-cli.js';
import { type FakeOptions, fakeNative } from '../engine/fake-native.js';
import { eosTokenId, writeTinyFolder } from '../engine/tiny-folder.js';

let root = '';
let text: Tokenizer;
const at = (name: string) => join(root, name);
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'limr-eval-'));
  text = await Tokenizer.load(writeTinyFolder(at('model')));
});
afterAll(() => rmSync(root, { recursive: true }));
beforeEach(() => rmSync(at('out.jsonl.unfinished'), { force: true }));

function write(name: string, ...rows: readonly object[]): string {
  writeFileSync(at(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return at(name);
}
const records = (file = at('out.jsonl')): QuestionRecord[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** A model that gives planted texts: by question, by sample. "|" at the end = it goes on until the length limit. */
function planted(answers: Readonly<Record<string, readonly string[]>>): NonNullable<FakeOptions['respond']> {
  return (prompt, sample) => {
    const asked = text.decode(prompt);
    const question = Object.keys(answers).find((key) => asked.includes(`<user>${key}<assistant>`))!;
    const answer = answers[question]![sample]!;
    const ends = !answer.endsWith('|');
    return [...text.encode(ends ? answer : answer.slice(0, -1)), ...(ends ? [eosTokenId] : [])];
  };
}

async function evaluate(flags: Record<string, unknown>, fake: FakeOptions = {}, hooks: EvalHooks = {}) {
  const native = fakeNative({ maxPositionEmbeddings: 4096, ...fake });
  const options = completeOptions(
    evalOptions,
    flagLayer(evalOptions, { model: at('model'), rewardWorkers: '0', ...flags }),
  );
  const machine = { addon: native.addon, device: 'cpu', threads: 1, limitBytes: 1e9, hostBytes: 1e9 };
  const result = await launchEval(options, machine, hooks);
  const requests = native.models[0]!.calls.filter(({ verb }) => verb === 'generate').map(
    ({ argument }) => argument as NativeGenerateRequest,
  );
  return { result, requests };
}

describe('launchEval', () => {
  it('of planted answers gives what a hand computes, by both graders', async () => {
    const benchmarks = `aime24=${write('three.jsonl', { question: 'a', answer: '7' }, { question: 'b', answer: '5' }, { question: 'c', answer: '12' })}`;
    const respond = planted({
      a: ['\\boxed{7}', '\\boxed{7}', '\\boxed{7.0}', '\\boxed{7}'], // 4 of 4
      b: ['\\boxed{500}', '\\boxed{4}', '\\boxed{4}', '\\boxed{5}'], // 1 of 4; the paper takes 500 for 5: 2 of 4
      c: ['no', '\\boxed{1', '\\boxed{13}', 'thinking|'], // none
    });
    const { result, requests } = await evaluate({ benchmarks, output: at('out.jsonl') }, { respond });
    const [aime] = result.benchmarks;
    expect(aime).toMatchObject({ name: 'aime24', questions: 3, samplesPerQuestion: 4, dropped: 0, truncated: 1 / 12 });
    const [standard, paper] = aime!.graders;
    expect([standard!.grader, paper!.grader]).toEqual(['standard', 'paper']);
    expect(standard!.accuracy).toBeCloseTo((1 + 1 / 4) / 3, 12);
    expect(standard!.accuracySe).toBeCloseTo(Math.sqrt(13) / 12, 12);
    expect(standard!.passAtK[2]).toBeCloseTo(1.5 / 3, 12);
    expect(standard!.passAtK[4]).toBeCloseTo(2 / 3, 12);
    expect(standard!.majority).toBeCloseTo(1 / 3, 12); // 4 has two votes of b
    expect(paper!.accuracy).toBeCloseTo((1 + 1 / 2) / 3, 12);
    expect(paper!.passAtK[2]).toBeCloseTo((1 + 5 / 6) / 3, 12); // 1 - C(2,2)/C(4,2)
    // For the paper 500 and 5 are one answer: two votes each for it and for 4.
    expect(paper!.majority).toBeCloseTo(1.5 / 3, 12);

    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({ samplesPerPrompt: 4, temperature: 0.4, maxTokens: 3072, seed: 42 });
    expect(requests[0]!.topP).toBeCloseTo(0.95, 12);
    const asked = text.decode(requests[0]!.tokens.subarray(0, requests[0]!.offsets[1]));
    expect(asked).toBe(
      '<system>Please reason step by step, and put your final answer within \\boxed{}.<user>a<assistant>',
    );

    expect(records().map(({ row, question, gold }) => [row, question, gold])).toEqual([
      [0, 'a', '7'],
      [1, 'b', '5'],
      [2, 'c', '12'],
    ]);
    const b = records()[1]!;
    expect(b.samples.map(({ grades }) => [grades.standard?.equal, grades.paper?.equal])).toEqual([
      [false, true],
      [false, false],
      [false, false],
      [true, true],
    ]);
    expect(b.samples[0]).toMatchObject({ sample: 0, response: '\\boxed{500}', stop: 'eos', length: 12 });
    expect(records()[2]!.samples[3]).toMatchObject({ response: 'thinking', stop: 'length' });
    expect(existsSync(at('out.jsonl.unfinished'))).toBe(false);
  });

  it('takes other settings, and grades on workers alike', async () => {
    const benchmarks = `q=${write('q.jsonl', { question: 'a', answer: '1' })}`;
    const respond = planted({ a: ['\\boxed{1}', '\\boxed{2}'] });
    const flags = {
      benchmarks,
      nSamplesPerPrompt: '2',
      temperature: '1',
      topP: '1',
      generateMaxLen: '9',
      systemPrompt: '',
    };
    const here = await evaluate({ ...flags, output: at('here.jsonl'), inputTemplate: '{}' }, { respond });
    expect(here.requests[0]).toMatchObject({ samplesPerPrompt: 2, temperature: 1, topP: 1, maxTokens: 9 });
    await evaluate({ ...flags, output: at('there.jsonl'), rewardWorkers: '1' }, { respond });
    expect(records(at('there.jsonl'))).toEqual(records(at('here.jsonl')));
    const greedy = await evaluate({ benchmarks, grader: 'paper' }, { respond });
    expect(greedy.requests[0]).toMatchObject({ samplesPerPrompt: 1, temperature: 0 });
    expect(greedy.result.benchmarks[0]!.graders.map(({ grader }) => grader)).toEqual(['paper']);
  });

  it('gives repeated questions and other benchmarks random streams of their own', async () => {
    const twice = write('twice.jsonl', { question: 'a', answer: '1' }, { question: 'a', answer: '1' });
    const { requests } = await evaluate(
      { benchmarks: `x=${twice},y=${twice}` },
      { respond: planted({ a: ['\\boxed{1}'] }) },
    );
    expect(requests.map(({ rows }) => [...rows])).toEqual([
      [0, 1],
      [0, 1],
    ]);
    expect(requests[0]!.purpose).not.toBe(requests[1]!.purpose);
  });

  it('fits samples into a small context, and says so; long questions are an error, or dropped', async () => {
    const file = write('long.jsonl', { question: 'x'.repeat(300), answer: '1' }, { question: 'b', answer: '1' });
    const fake = { maxPositionEmbeddings: 200, respond: planted({ b: ['\\boxed{1}'] }) };
    const benchmarks = `long=${file}`;
    await expect(evaluate({ benchmarks, systemPrompt: '' }, fake)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringMatching(/question 0 of long .* has 317 tokens, and at most 199 fit/),
    });
    const remarks: string[] = [];
    const { result, requests } = await evaluate(
      { benchmarks, systemPrompt: '', promptTruncation: 'drop', output: at('drop.jsonl') },
      fake,
      { remark: (remark) => remarks.push(remark) },
    );
    expect(result.benchmarks[0]).toMatchObject({ questions: 1, dropped: 1, generateMaxLen: 182 });
    expect([...requests[0]!.rows]).toEqual([1]);
    expect(records(at('drop.jsonl')).map(({ row }) => row)).toEqual([1]);
    expect(remarks).toEqual([
      'long: 1 of 2 questions are too long and left out',
      "long: samples have at most 182 tokens, not 3072: the model's context is 200",
    ]);
    const short = `short=${write('short.jsonl', { question: 'b', answer: '1' })}`;
    await expect(evaluate({ benchmarks: short, generateMaxLen: '199', systemPrompt: '' }, fake)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
    });
  });

  it('remarks on repeated questions and answers that cannot be graded', async () => {
    const file = write('odd.jsonl', { question: 'a', answer: '' }, { question: 'a', answer: '1' });
    const remarks: string[] = [];
    await evaluate(
      { benchmarks: `odd=${file}` },
      { respond: planted({ a: ['\\boxed{1}'] }) },
      { remark: (r) => remarks.push(r) },
    );
    expect(remarks).toHaveLength(3);
    expect(remarks[0]).toContain('1 of 2 rows repeat an earlier prompt');
    expect(remarks[1]).toContain('have an empty answer');
    expect(remarks[2]).toContain('under grader standard, 1 of 2 answers');
  });

  it.each([
    [{}, 'there is nothing to evaluate on'],
    [{ benchmarks: 'math500', grader: 'best' }, 'unknown grader "best"'],
    [{ benchmarks: 'math500', resume: true }, '--resume needs the --output'],
  ])('refuses %j', async (flags, message) => {
    await expect(evaluate(flags)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining(message),
    });
  });
});

describe('an interrupted evaluation', () => {
  const answers = Object.fromEntries(
    Array.from({ length: 6 }, (_, i) => [`q${i}`, [`\\boxed{${i}}`, '\\boxed{1}']] as const),
  );
  const flags = () => ({
    benchmarks: `q=${write('six.jsonl', ...Object.keys(answers).map((question, i) => ({ question, answer: String(i) })))}`,
    nSamplesPerPrompt: '2',
    temperature: '1',
    output: at('out.jsonl'),
  });

  /** Interrupted when the third question was graded. */
  async function interrupt() {
    const controller = new AbortController();
    const onProgress: EvalHooks['onProgress'] = (_, { graded }) => {
      if (graded === 6) controller.abort();
    };
    const hooks = { onProgress, signal: controller.signal };
    await expect(evaluate(flags(), { respond: planted(answers) }, hooks)).rejects.toMatchObject({
      code: 'LIMR_ABORTED',
      message: `interrupted; the questions so far are in ${at('out.jsonl')}.unfinished`,
    });
  }

  it('goes on where it stood, to the same file', async () => {
    const whole = { ...flags(), output: at('whole.jsonl') };
    const { result: want } = await evaluate(whole, { respond: planted(answers) });
    await interrupt();
    const unfinished = readFileSync(at('out.jsonl.unfinished'), 'utf8');
    const done = unfinished.trimEnd().split('\n').length - 1;
    expect(done).toBeGreaterThanOrEqual(3);
    expect(done).toBeLessThan(6);
    writeFileSync(at('out.jsonl.unfinished'), `${unfinished}{"benchmark":"q","ro`); // the power went off here
    const { result, requests } = await evaluate({ ...flags(), resume: true }, { respond: planted(answers) });
    expect(requests[0]!.rows).toHaveLength(6 - done);
    expect(records()).toEqual(records(at('whole.jsonl')));
    const { seconds: _, tokens: __, ...same } = result.benchmarks[0]!;
    expect(want.benchmarks[0]).toMatchObject(same);
  });

  it('is not overwritten, and not gone on with by other settings', async () => {
    await interrupt();
    await expect(evaluate(flags())).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      hint: 'Go on with it by --resume, or remove it.',
    });
    const other = { ...flags(), resume: true, temperature: '0.5', seed: '7' };
    await expect(evaluate(other)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringMatching(/is another evaluation: benchmarks was .*"temperature":1,.*; seed was 42, is 7$/),
    });
    expect(existsSync(at('out.jsonl.unfinished'))).toBe(true);
  });

  it('is written by one process at a time', async () => {
    await interrupt();
    const lock = await lockFile(at('out.jsonl'));
    await expect(evaluate({ ...flags(), resume: true })).rejects.toMatchObject({ code: 'LIMR_LOCKED' });
    await lock.release();
    await evaluate({ ...flags(), resume: true }, { respond: planted(answers) });
    expect(readdirSync(dirname(at('out.jsonl'))).filter((name) => name.includes('owner'))).toEqual([]);
  });

  it('that never was cannot be resumed', async () => {
    await expect(evaluate({ ...flags(), resume: true })).rejects.toMatchObject({ hint: 'Leave --resume out.' });
  });
});

describe('launchCompare', () => {
  it('compares two outputs by every grader, and refuses what does not belong together', async () => {
    const benchmarks = `q=${write('pair.jsonl', { question: 'a', answer: '1' }, { question: 'b', answer: '2' })}`;
    const wrong = { a: ['\\boxed{9}'], b: ['\\boxed{9}'] };
    await evaluate({ benchmarks, output: at('first.jsonl') }, { respond: planted(wrong) });
    await evaluate(
      { benchmarks, output: at('second.jsonl') },
      { respond: planted({ a: ['\\boxed{1}'], b: ['\\boxed{2}'] }) },
    );
    const { comparisons } = await launchCompare(`${at('first.jsonl')}, ${at('second.jsonl')}`);
    expect(comparisons.map(({ grader }) => grader)).toEqual(['standard', 'paper']);
    expect(comparisons[0]).toMatchObject({ accuracies: [0, 1], difference: 1, better: 2, worse: 0, pValue: 0.5 });
    await evaluate(
      { benchmarks: benchmarks.replace('q=', 'r='), output: at('third.jsonl') },
      { respond: planted(wrong) },
    );
    await expect(launchCompare(`${at('first.jsonl')},${at('third.jsonl')}`)).rejects.toThrow('q is in one of');
    await expect(launchCompare(at('first.jsonl'))).rejects.toThrow('expected two files');
    await expect(launchCompare(`${at('first.jsonl')},${at('pair.jsonl')}`)).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: `${at('pair.jsonl')}:1 is not a question of an evaluation`,
    });
  });
});

describe('limr-engine eval, with limr-nano', () => {
  it('evaluates, writes and compares', { timeout: 60_000 }, async () => {
    const args = ['eval', '--limit', '12', '--n-samples-per-prompt', '4', '--temperature', '1', '--threads', '1'];
    const json = await runCli(...args, '--output', at('nano.jsonl'), '--json');
    expect(json.code).toBe(0);
    const [heldout] = JSON.parse(json.stdout).benchmarks;
    expect(heldout).toMatchObject({ name: 'heldout', questions: 12, samplesPerQuestion: 4 });
    expect(heldout.graders[0].accuracy).toBeGreaterThan(0.2);
    const written = records(at('nano.jsonl'));
    const right = written.flatMap(({ samples }) => samples).filter(({ grades }) => grades.standard!.equal).length;
    expect(heldout.graders[0].accuracy).toBeCloseTo(right / 48, 12);
    const compared = await runCli('eval', '--compare', `${at('nano.jsonl')},${at('nano.jsonl')}`);
    expect(compared.stdout).toMatch(/heldout +standard +12 .* 0 +0 +1\.0 \(may be noise\)/);
  });

  it('samples a repeated question anew', { timeout: 60_000 }, async () => {
    const [first] = readFileSync(new URL('../../models/limr-nano/heldout.jsonl', import.meta.url), 'utf8').split('\n');
    const question = { ...JSON.parse(first!), prompt: 'Q: What is 17 * 23 + 5?\nA:' };
    const file = write('four.jsonl', question, question, question, question);
    const args = ['eval', '--benchmarks', `four=${file}`, '--temperature', '2', '--top-p', '1', '--json'];
    const { stdout } = await runCli(...args, '--output', at('four-out.jsonl'));
    expect(JSON.parse(stdout).benchmarks[0]).toMatchObject({ questions: 4 });
    expect(new Set(records(at('four-out.jsonl')).map(({ samples }) => samples[0]!.response)).size).toBe(4);
  });

  it('prints a table', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await runCli('eval', '--limit', '5', '--threads', '1');
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toMatch(
      /^benchmark +questions +T +grader +accuracy +pass@k +maj@k +length +truncated$/,
    );
    expect(stdout).toMatch(/^heldout +5 +0 +standard +\d+\.0 \+- \d+\.\d/m);
    expect(stdout).toMatch(/^ +paper +\d+\.0/m);
    expect(stderr).toContain('samples have at most');
  });
});
