import { appendFile, mkdir, mkdtemp, readdir, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions } from '../../src/config.js';
import { launchReport, shortNames } from '../../src/launch/report.js';
import { type ReportOptions, reportOptions } from '../../src/launch/report-options.js';
import { launchSelect } from '../../src/launch/select.js';
import { selectOptions } from '../../src/launch/select-options.js';
import { ColumnTable } from '../../src/report/columns.js';
import type { Learning, ReportData } from '../../src/report/data.js';
import { embeddedJson } from '../../src/report/html.js';
import { LogTail } from '../../src/report/log-tail.js';
import { RunReader } from '../../src/report/run-reader.js';
import { StratifiedChoice } from '../../src/report/stratified.js';
import { visibleRuns } from '../../src/report/visible-text.js';
import { runCli } from '../cli/run-cli.js';
import { metricsFile, pageData, type SyntheticRun, writeSyntheticRun } from './synthetic-run.js';

let root: string;
let count = 0;
const fresh = (): string => join(root, `run-${++count}`);
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-report-'));
});
afterAll(() => rm(root, { recursive: true }));

const small: SyntheticRun = { rollouts: 6, prompts: 8, promptsPerRollout: 4, samplesPerPrompt: 4, evalEvery: 2 };

async function run(what: Partial<SyntheticRun> = {}): Promise<string> {
  const dir = fresh();
  await writeSyntheticRun(dir, { ...small, ...what });
  return dir;
}

async function report(dirs: readonly string[], given: Partial<ReportOptions> = {}): Promise<ReportData> {
  const { output } = await launchReport({ ...completeOptions(reportOptions, new Map()), runs: dirs, ...given });
  return pageData<ReportData>(output!);
}

describe('a report', () => {
  it('has the metrics, timings, configuration and samples of a run', async () => {
    const dir = await run();
    const { runs, live } = await report([dir]);
    expect(live).toBeNull();
    const [own] = runs;
    const rows = (await readFile(metricsFile(dir), 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    expect(own!.metrics['reward/mean']).toEqual(rows.map((row) => Number(row['reward/mean']!.toPrecision(7))));
    expect(own!.metrics['eval/heldout/accuracy_se']).toEqual([null, 0.02, null, 0.02, null, 0.02]);
    expect(own!.timings.rollout).toEqual([1, 2, 3, 4, 5, 6]);
    expect(own).toMatchObject({ done: 6, rollouts: 6, notes: [] });
    expect(own!.record!.chosen).toContain('rolloutBatchSize');
    expect(own!.record!.chosen).not.toContain('seed');
    expect(own!.samples.totals).toEqual({ train: 96, test: 30 });
    expect(own!.samples.embedded).toHaveLength(126);
  });

  it('is the same of the same run, but for its date', async () => {
    const dir = await run();
    const [first, second] = [await report([dir], { samples: 20 }), await report([dir], { samples: 20 })];
    expect({ ...first, made: '' }).toEqual({ ...second, made: '' });
  });

  it('scores prompts as select does from the same samples', async () => {
    const dir = await run({ rollouts: 12 });
    const prompts = join(dir, 'prompts.jsonl');
    const rows = Array.from({ length: small.prompts }, (_, i) => ({ id: `prompt-${i}`, prompt: `p${i}`, answer: '1' }));
    await writeFile(prompts, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const scoresOutput = join(dir, 'scores.json');
    await launchSelect({ ...completeOptions(selectOptions, new Map()), samples: dir, prompts, scoresOutput });
    const wanted = JSON.parse(await readFile(scoresOutput, 'utf8')) as { id: string; score: number }[];
    const learning = (await report([dir])).runs[0]!.learning as Learning;
    expect(learning).toMatchObject({ epochs: 6, scored: 8, complete: 8, threshold: 0.6 });
    expect(new Map(learning.rows.map(({ id, score }) => [id, score]))).toEqual(
      new Map(wanted.map(({ id, score }) => [id, Number(score.toFixed(4))])),
    );
    const binned = [...learning.histogram.kept, ...learning.histogram.dropped].reduce((sum, n) => sum + n, 0);
    expect(binned).toBe(8);
    expect(learning.rows.filter(({ kept }) => kept)).toHaveLength(learning.kept);
  });

  it("takes the run's own scores where it has some", async () => {
    const rows = [{ id: 'prompt-3', prompt: 'three', score: 0.75, kept: true }];
    const learning = (await report([await run({ scores: { epoch: 3, rows } })])).runs[0]!.learning as Learning;
    expect(learning).toMatchObject({ source: 'lim/epoch_3.jsonl', scored: 1, kept: 1 });
    expect(learning.rows[0]!.trajectory).toHaveLength(3);
  });

  it('says why there is no learning impact', async () => {
    const { learning } = (await report([await run({ prompts: 100 })])).runs[0]!;
    expect(learning).toEqual({ absent: expect.stringContaining('No epoch is over yet') });
    const gap = await run();
    await rm(join(gap, 'samples/train/step_2.json'));
    expect((await report([gap])).runs[0]!.learning).toEqual({ absent: expect.stringContaining('rollout 2') });
  });

  it('of rewards that never change has what there is, or says why not', async () => {
    for (const constant of [0, -1]) {
      const learning = (await report([await run({ constant })])).runs[0]!.learning as Learning;
      expect(learning.rows.map(({ score }) => score)).toEqual(learning.rows.map(() => 1));
      const { low, width, kept, dropped } = learning.histogram;
      for (const value of [low, width, ...kept, ...dropped]) expect(Number.isFinite(value)).toBe(true);
      expect([...kept, ...dropped].reduce((sum, bin) => sum + bin, 0)).toBe(8);
    }
    const solved = (await report([await run({ constant: 1 })])).runs[0]!.learning;
    expect(solved).toEqual({ absent: expect.stringMatching(/always|every/) });
  });

  it('draws samples evenly over rollouts and rewards, and says how many there are', async () => {
    const dir = await run({ rollouts: 40, response: (_, __, sample) => 'x'.repeat(sample + 1) });
    const { totals, embedded } = (await report([dir], { samples: 60 })).runs[0]!.samples;
    expect(totals.train).toBe(640);
    expect(embedded).toHaveLength(60);
    const rewards = new Set(embedded.map(({ reward }) => reward));
    expect(rewards).toEqual(new Set([1, -0.5, -1]));
    const early = embedded.filter(({ rollout }) => rollout <= 20).length;
    expect(early).toBeGreaterThan(20);
    expect(early).toBeLessThan(40);
    expect((await report([dir], { samples: 0 })).runs[0]!.samples.embedded).toEqual([]);
  });

  it('cuts very long texts, and says by how much', async () => {
    const dir = await run({ rollouts: 1, response: () => 'y'.repeat(30_000) });
    const [sample] = (await report([dir])).runs[0]!.samples.embedded;
    expect(sample).toMatchObject({ cut: 10_000 });
    expect(sample!.response).toHaveLength(20_000);
  });

  it('has the tokens that a run kept, by number where no tokenizer is left', async () => {
    const { samples, notes } = (await report([await run({ tokens: true })])).runs[0]!;
    const { tokens } = samples.embedded.find(({ split }) => split === 'train')!;
    expect(tokens!.text[0]).toMatch(/^#\d+ $/);
    expect(tokens!.logprobs).toHaveLength(tokens!.text.length);
    expect(notes.join()).toContain('no tokenizer');
  });

  it('compares runs by names that tell them apart', async () => {
    const { runs } = await report([await run(), await run()], { output: join(root, 'two.html') });
    expect(new Set(runs.map(({ name }) => name)).size).toBe(2);
    expect(shortNames(['/a/x/run', '/a/y/run'])).toEqual(['x/run', 'y/run']);
    expect(shortNames(['/a/x/one', '/a/y/two'])).toEqual(['one', 'two']);
  });

  it('leaves no way out of the element that its data stands in', async () => {
    const attack = '</script><script>globalThis.hacked = 1</script><!--';
    const dir = await run({ rollouts: 1, response: () => attack, prompt: () => attack });
    const { output } = await launchReport({ ...completeOptions(reportOptions, new Map()), runs: [dir], title: attack });
    const html = await readFile(output!, 'utf8');
    expect(html.match(/<script/g)).toHaveLength(2);
    expect(html).not.toContain('<script>globalThis');
    expect((await pageData<ReportData>(output!)).runs[0]!.samples.embedded[0]!.response).toBe(attack);
    expect(JSON.parse(embeddedJson({ a: '\u2028<' }))).toEqual({ a: '\u2028<' });
  });
});

describe('a run that is not whole', () => {
  it.each([
    ['timings.jsonl', 'no timings'],
    ['run.json', 'no run.json'],
    ['metrics.jsonl', 'no metrics yet'],
    ['samples', 'no samples'],
  ])('without %s is shown, with a note', async (name, note) => {
    const dir = await run();
    await rm(join(dir, name), { recursive: true });
    expect((await report([dir])).runs[0]!.notes.join()).toContain(note);
  });

  it('leaves a line that is being written for later', async () => {
    const dir = await run();
    await appendFile(metricsFile(dir), '{"rollout": 7, "rew');
    const { runs } = await report([dir]);
    expect(runs[0]!.metrics.rollout).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('with samples of an earlier format has them all the same', async () => {
    const dir = await run({ rollouts: 1 });
    await writeFile(
      join(dir, 'samples/train/step_1.json'),
      JSON.stringify([{ prompt: 'a', response: 'b', reward: 1, response_length: 3 }]),
    );
    const { samples, learning } = (await report([dir])).runs[0]!;
    expect(samples.embedded.find(({ split }) => split === 'train')).toMatchObject({ id: '', correct: true, length: 3 });
    expect(learning).toEqual({ absent: expect.stringContaining('do not say which epoch') });
  });

  it.each([
    ['metrics.jsonl', '{"rollout": 1}\nrubbish\n', 'metrics.jsonl:2 is not JSON'],
    ['metrics.jsonl', '[1]\n', 'metrics.jsonl:1 is not an object'],
    ['samples/train/step_1.json', '[{"id": "a", "prompt": "p", "reward": 1}]', 'no "response"'],
    ['samples/train/step_1.json', '[{"id": "a", "pro', 'malformed JSON'],
  ])('with a damaged %s is refused', async (name, content, message) => {
    const dir = await run({ rollouts: 1 });
    await writeFile(join(dir, name), content);
    await expect(report([dir])).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringContaining(message),
    });
    expect(await readdir(dir)).not.toContain('report.html');
  });
});

describe('the command line', () => {
  it('writes report.html into the run, and again over it', async () => {
    const dir = await run();
    for (let i = 0; i < 2; ++i) {
      const { code, stdout } = await runCli('report', dir);
      expect([code, stdout]).toEqual([0, expect.stringContaining('report.html')]);
    }
    const { stdout } = await runCli('report', dir, '--json', '--samples', '5');
    expect(JSON.parse(stdout)).toMatchObject({ runs: [{ rollouts: 6, samples: 126, embedded: 5 }] });
  });

  it.each([
    ['no such run', () => [join(root, 'nowhere')], 'there is no run folder'],
    ['no run in the folder', () => [root], 'holds no run'],
    ['a run named twice', (dir: string) => [dir, `${dir}/`], 'is named twice'],
    ['a name that is no page', (dir: string) => [dir, '--output', `${dir}/metrics.jsonl`], '--output is'],
    ['watching and writing', (dir: string) => [dir, '--watch', '--output', `${dir}/a.html`], '--watch serves'],
  ])('refuses %s', async (_, args, message) => {
    const dir = await run({ rollouts: 1 });
    const before = await readFile(metricsFile(dir), 'utf8');
    const { code, stderr } = await runCli('report', ...args(dir));
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(await readFile(metricsFile(dir), 'utf8')).toBe(before);
  });

  it('replaces no file that is no report', async () => {
    const dir = await run({ rollouts: 1 });
    const mine = join(dir, 'mine.html');
    await writeFile(mine, '<p>mine</p>');
    const { code, stderr } = await runCli('report', dir, '--output', mine);
    expect([code, stderr]).toEqual([2, expect.stringContaining('exists, and is no report')]);
    expect(await readFile(mine, 'utf8')).toBe('<p>mine</p>');
  });

  it('says when the disk is full, and where a folder is in the way', async () => {
    const dir = await run({ rollouts: 1 });
    const full = await runCli('report', dir, '--output', '/dev/full');
    expect([full.code, full.stderr]).toEqual([1, expect.stringContaining('no space left on device')]);
    await mkdir(join(dir, 'folder.html'));
    const folder = await runCli('report', dir, '--output', join(dir, 'folder.html'));
    expect([folder.code, folder.stderr]).toEqual([1, expect.stringContaining('it is a folder')]);
  });

  it('takes an interrupt while it reads', async () => {
    const dir = await run();
    const options = { ...completeOptions(reportOptions, new Map()), runs: [dir] };
    await expect(launchReport(options, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'LIMR_ABORTED',
    });
  });
});

describe('its parts', () => {
  it('columns have nulls where a row lacks a value', () => {
    const table = new ColumnTable();
    for (const row of [{ a: 1 }, { b: 2.123456789, c: 'text' }, { a: null, b: 3 }]) table.add(row);
    expect(table.from(0)).toEqual({ a: [1, null, null], b: [null, 2.123457, 3] });
    expect(table.from(1)).toEqual({ b: [2.123457, 3] });
  });

  it('a log is followed, and told when it was cut back or rewritten', async () => {
    const file = join(root, 'log.jsonl');
    const tail = new LogTail(file);
    expect(await tail.read()).toEqual({ isReset: false, rows: [] });
    await writeFile(file, '{"a":1}\n{"a":2}\n{"a"');
    expect(await tail.read()).toEqual({ isReset: false, rows: [{ a: 1 }, { a: 2 }] });
    await appendFile(file, ':3}\n');
    expect(await tail.read()).toEqual({ isReset: false, rows: [{ a: 3 }] });
    expect(await tail.read()).toEqual({ isReset: false, rows: [] });
    await truncate(file, 8);
    expect(await tail.read()).toEqual({ isReset: true, rows: [{ a: 1 }] });
    await writeFile(file, '{"b":1}\n{"b":2}\n');
    expect(await tail.read()).toEqual({ isReset: true, rows: [{ b: 1 }, { b: 2 }] });
    await rm(file);
    expect(await tail.read()).toEqual({ isReset: true, rows: [] });
  });

  it('a run that was cut back to a checkpoint is read anew', async () => {
    const dir = await run();
    const reader = await RunReader.open(dir, 'run', { samples: 10, sampleBytes: 1e6 });
    const first = (await readFile(metricsFile(dir), 'utf8')).indexOf('\n') + 1;
    await truncate(metricsFile(dir), first);
    for (const step of [2, 3, 4, 5, 6]) await rm(join(dir, `samples/train/step_${step}.json`));
    expect(await reader.refresh()).toMatchObject({ isReset: true });
    expect(await reader.data()).toMatchObject({ generation: 1, done: 1, samples: { totals: { train: 16, test: 30 } } });
    expect(await reader.refresh()).toMatchObject({ isReset: false, hasRows: false, hasSamples: false });
    const record = (await readFile(join(dir, 'run.json'), 'utf8')).replace('"rollouts": 6', '"rollouts": 9');
    await writeFile(join(dir, 'new.json'), record);
    await rename(join(dir, 'new.json'), join(dir, 'run.json'));
    expect(await reader.refresh()).toMatchObject({ isReset: true });
    expect(await reader.data()).toMatchObject({ generation: 2, rollouts: 9, done: 1 });
  });

  it('a choice takes of every stratum, within its limits', () => {
    const choice = new StratifiedChoice<string>(3);
    for (let i = 0; i < 500; ++i) choice.offer('many', [i, 0], () => `many ${i}`);
    choice.offer('few', [1, 1], () => 'the only one');
    const chosen = choice.choose(3, 1000, (text) => text.length);
    expect(chosen).toContain('the only one');
    expect(chosen).toHaveLength(3);
    expect(choice.choose(100, 1000, (text) => text.length)).toHaveLength(4);
    expect(choice.choose(100, 14, (text) => text.length)).toHaveLength(1);
  });

  it('what is not to be seen is spelt out', () => {
    const text = (given: string): string =>
      visibleRuns(given)
        .map((part) => (part.isSpelt ? `[${part.text}]` : part.text))
        .join('');
    expect(text('\x1b[31mred\x07')).toBe('[\\x1b][31mred[\\x07]');
    expect(text('a\u202eb\u2066c\u200b\ufeff\u{e0041}\ud800')).toBe(
      'a[\\u202e]b[\\u2066]c[\\u200b][\\ufeff][\\u{e0041}][\\ud800]',
    );
    expect(text('x\ty\n👩\u200d🔬 می\u200cخواهم')).toBe('x\ty\n👩\u200d🔬 می\u200cخواهم');
    expect(text('')).toBe('');
  });
});
