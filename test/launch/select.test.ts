import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { completeOptions, flagLayer } from '../../src/config.js';
import { readRecords } from '../../src/dataset/records.js';
import { launchSelect, type SelectResult } from '../../src/launch/select.js';
import { selectOptions } from '../../src/launch/select-options.js';
import { runCli } from '../cli/run-cli.js';
import { sharedFile } from '../shared.js';

let root = '';
const at = (name: string) => join(root, name);
const select = async (
  flags: Record<string, unknown>,
): Promise<SelectResult & { readonly remarks: readonly string[] }> => {
  const remarks: string[] = [];
  const options = completeOptions(selectOptions, flagLayer(selectOptions, flags));
  return { ...(await launchSelect(options, { remark: (text) => remarks.push(text) })), remarks };
};
const read = <T>(file: string) => JSON.parse(readFileSync(file, 'utf8')) as T;
const put = (name: string, value: unknown) => writeFileSync(at(name), JSON.stringify(value));

/** Prompts a to f; in epoch k prompt i has `right[i][k]` of 4 samples right, -1 = left out. Two steps an epoch. */
const right = {
  a: [0, 2, 4],
  b: [0, 1, 4],
  c: [4, 4, 4],
  d: [0, 0, 0],
  e: [-1, 2, 3],
  f: [1, 2, -1],
};
const names = Object.keys(right) as (keyof typeof right)[];

function writeRun(folder: string, withIds: boolean): void {
  mkdirSync(at(folder), { recursive: true });
  for (let step = 1; step <= 6; ++step) {
    const epoch = Math.floor((step - 1) / 2);
    const samples = names
      .filter((name, i) => right[name][epoch] !== -1 && i % 2 === (step - 1) % 2)
      .flatMap((name) =>
        Array.from({ length: 4 }, (_, sample) => ({
          ...(withIds ? { id: name, sample, correct: sample < right[name][epoch]! } : {}),
          prompt: `Question ${name}?`,
          response: '',
          reward: sample < right[name][epoch]! ? 1 : -0.5,
          response_length: 1,
        })),
      );
    put(`${folder}/step_${step}.json`, samples);
  }
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-select-'));
  const rows = names.map((id) => ({ id, prompt: ` Question ${id}?\n`, answer: '1', level: 3 }));
  put('prompts.json', rows);
  put('with-twin.json', [...rows, { ...rows[0], id: 'twin' }]);
  put('same-ids.json', [...rows, rows[0]]);
  put('others.json', [{ id: 'x', prompt: 'X', answer: '' }]);
  writeRun('run/samples/train', true);
  writeRun('limr/train', false);
  writeRun('gap', false);
  rmSync(at('gap/step_3.json'));
  mkdirSync(at('empty'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('select from samples', () => {
  // Kept by the original's fill: a, b, c, d, e (its first epoch from its second); f misses the last one.
  const accuracies = [
    [0, 0.5, 1],
    [0, 0.25, 1],
    [1, 1, 1],
    [0, 0, 0],
    [0.5, 0.5, 0.75],
  ];
  const mean = [0, 1, 2].map((k) => accuracies.reduce((sum, row) => sum + row[k]!, 0) / 5);
  const scale = mean.reduce((sum, m) => sum + (1 - m) ** 2, 0);
  const scores = accuracies.map((row) => 1 - row.reduce((sum, r, k) => sum + (r - mean[k]!) ** 2, 0) / scale);

  it.each(['run', 'run/samples', 'run/samples/train', 'limr', 'limr/train'])('%s: scores by hand', async (folder) => {
    for (const signal of ['accuracy', 'reward']) {
      const result = await select({
        samples: at(folder),
        prompts: at('prompts.json'),
        signal,
        scoresOutput: at('s.json'),
      });
      expect(result.run).toMatchObject({
        epochs: 3,
        stepsPerEpoch: 2,
        kept: 5,
        filled: 1,
        samples: 64,
        steps: 6,
        unusedSteps: 0,
      });
      const written = read<{ readonly id: string; readonly score: number }[]>(at('s.json'));
      expect(written.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd', 'e']);
      // rewards are 1.5 * accuracy - 0.5, which keeps 1 at 1
      for (const [i, { score }] of written.entries()) expect(score).toBeCloseTo(scores[i]!, 12);
    }
  });

  it('writes the rows that are kept, in their order and whole, and reads its own scores again', async () => {
    const source = { samples: at('run'), prompts: at('prompts.json') };
    const result = await select({ ...source, threshold: '0.7', output: at('kept.json'), scoresOutput: at('s.jsonl') });
    const want = scores.flatMap((score, i) => (Math.round(score * 100) / 100 >= 0.7 ? [names[i]!] : []));
    expect(want.length).toBeGreaterThan(0);
    expect(want.length).toBeLessThan(5);
    expect(result.ids).toEqual(want);
    const rows = read<{ readonly id: string }[]>(at('prompts.json'));
    expect(read(at('kept.json'))).toEqual(rows.filter(({ id }) => want.includes(id as never)));
    const again = await select({ scores: at('s.jsonl'), prompts: at('prompts.json'), threshold: '0.7' });
    expect(again.ids).toEqual(want);
    expect(readdirSync(root).filter((name) => name.includes('partial'))).toEqual([]);
  });

  it('policies, epochs and counts', async () => {
    const source = { samples: at('run'), prompts: at('prompts.json') };
    expect((await select({ ...source, missing: 'strict' })).scored).toBe(4);
    expect((await select({ ...source, missing: 'interpolate' })).scored).toBe(6);
    expect((await select({ ...source, epochs: '2' })).run).toMatchObject({ epochs: 2, kept: 6, unusedSteps: 2 });
    expect((await select({ ...source, stepsPerEpoch: '1' })).run).toMatchObject({ epochs: 6 });
    const best = scores.map((score, i) => [score, names[i]!] as const).sort((a, b) => b[0] - a[0]);
    expect((await select({ ...source, count: '2' })).ids).toEqual([best[0]![1], best[1]![1]].sort());
  });

  it('rivals', async () => {
    const source = { samples: at('limr'), prompts: at('prompts.json') };
    expect((await select({ ...source, method: 'linear' })).ids).toEqual(['a', 'b', 'e']);
    expect((await select({ ...source, method: 'pass-rate', minPassRate: '0.38', maxPassRate: '0.5' })).ids).toEqual([
      'a',
      'b',
    ]);
    // reward variance is 1.5^2 p (1 - p): e (2 and 3 of 4) and f (1 and 2 of 4) lead
    expect((await select({ ...source, method: 'uncertainty', count: '2' })).ids).toEqual(['e', 'f']);
    const drawn = await select({ prompts: at('prompts.json'), method: 'random', count: '3', seed: '1' });
    expect(drawn.ids).toHaveLength(3);
    expect(await select({ prompts: at('prompts.json'), method: 'random', count: '3', seed: '1' })).toEqual(drawn);
  });

  it('rows of one text share its trajectory; ids must be unique where they name', async () => {
    const twins = await select({
      samples: at('limr'),
      prompts: at('with-twin.json'),
      threshold: '0.7',
      stepsPerEpoch: '2',
    });
    expect(twins.ids).toContain('a');
    expect(twins.ids).toContain('twin');
    await expect(select({ samples: at('run'), prompts: at('same-ids.json') })).rejects.toThrow(
      /rows 0 and 6 .* same id "a"/,
    );
  });

  it('explains and draws', async () => {
    const args = ['--samples', at('run'), '--prompts', at('prompts.json'), '--plot', at('p.svg'), '--explain', 'e'];
    const { code, stdout, stderr } = await runCli('select', ...args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(
      /^lim: \d of 6 prompts, score >= 0\.6 after rounding to 2 decimals\n {2}5 have a score, 1 have none\n/,
    );
    expect(stdout).toContain('3 epochs of 2 steps: 6 steps, 64 samples');
    expect(stdout).toMatch(/\n {6}1 +- +0\.2500 +-0\.0500 +\d\.\d{4}\n/);
    const svg = readFileSync(at('p.svg'), 'utf8');
    expect(svg.match(/<polyline/g)).toHaveLength(5 + 2);
    for (const method of ['linear', 'random', 'pass-rate', 'uncertainty']) expect(svg).toContain(`>${method}<`);
    const dropped = await runCli('select', ...args.slice(0, 4), '--explain', 'f', '--json');
    expect(read<{ reward: number }[]>(at('run/samples/train/step_2.json'))).not.toHaveLength(0);
    expect((JSON.parse(dropped.stdout) as SelectResult).explained).toMatchObject({
      score: null,
      selected: false,
      epochs: [{ used: null }, { used: null }, { seen: null, used: null }],
    });
  });
});

describe('diversity', () => {
  it('covers vectors of a file, by their directions', async () => {
    const vectors = { a: [1, 0], b: [2, 0.1], c: [0, 3], d: [0.1, 1], e: [-5, 0], f: [-1, -0.1] };
    writeFileSync(
      at('vectors.jsonl'),
      Object.entries(vectors)
        .map(([id, embedding]) => JSON.stringify({ id, embedding }))
        .join('\n'),
    );
    const options = { prompts: at('prompts.json'), method: 'diversity', embeddings: at('vectors.jsonl'), count: '3' };
    const { ids } = await select(options);
    expect(ids).toEqual([expect.stringMatching(/[ab]/), expect.stringMatching(/[cd]/), expect.stringMatching(/[ef]/)]);
    put(
      'lengths.json',
      Object.entries({ a: [1, 0], b: [100, 0], c: [0, 1], d: [3, 0], e: [5, 0], f: [9, 0] }).map(([id, embedding]) => ({
        id,
        embedding,
      })),
    );
    expect((await select({ ...options, embeddings: at('lengths.json'), count: '2' })).ids).toContain('c');
    await expect(select({ ...options, prompts: at('others.json'), count: '1' })).rejects.toThrow(
      'has no vector for row 0',
    );
  });

  it("covers limr-nano's kinds of problems by its hidden states", async () => {
    const problems = ['12+34', '56+31', '77+18', 'x+25=79', 'x+11=40', 'x+31=52', '18 mod 4', '29 mod 5', '44 mod 7'];
    put(
      'nine.json',
      problems.map((text) => ({ prompt: `Q: ${text}\nA:`, answer: '' })),
    );
    const { rows, scored } = await select({ prompts: at('nine.json'), method: 'diversity', count: '3' });
    expect(rows.map((row) => Math.floor(row / 3))).toEqual([0, 1, 2]);
    expect(scored).toBe(3);
  });
});

describe('bad input', () => {
  const cases: readonly (readonly [string, number, string, string])[] = [
    ['', 2, 'there is nothing to select from', '--prompts'],
    ['--prompts P', 2, 'lim needs samples to measure', '--scores'],
    ['--prompts P --method linear --scores S', 2, 'linear needs samples', '--samples'],
    ['--prompts P --samples R --scores S', 2, 'either --samples or --scores', 'one of them'],
    ['--prompts P --samples R --count 1 --threshold 1', 2, 'either --threshold or --count', 'Leave one'],
    ['--prompts P --samples R --count 6', 2, '6 prompts were asked for, and 5 of 6', '--count'],
    ['--prompts P --method random', 2, 'random needs a number', '--count'],
    ['--prompts P --method diversity --threshold 1', 2, '--threshold means nothing', '--count'],
    ['--prompts P --samples R --method uncertainty', 2, 'uncertainty needs', '--threshold'],
    ['--prompts P --samples R --epochs 4', 2, '6 steps hold 3 whole epochs of 2 steps, expected 4', 'lower --epochs'],
    ['--prompts P --samples R --explain z', 2, 'no id "z"', 'id'],
    ['--prompts P --samples R --output kept.csv', 1, 'kept.csv: rows go into .json or .jsonl', 'Name it'],
    ['--prompts P --samples R --plot p.png', 2, '--plot is "p.png", expected an .svg file', '--plot'],
    ['--prompts O --samples R', 2, '6 of the 6 prompts of', '--key'],
    ['--prompts P --samples R --key prompts', 2, '--key is "prompts"', '--key'],
    ['--prompts P --samples L --key id', 1, '"id" is missing', '--key'],
    ['--prompts P --samples G', 1, 'step_4.json and no step_3.json', 'without a gap'],
    ['--prompts P --samples E', 1, 'has no step_<k>.json', 'run folder'],
    ['--prompts P --samples nowhere', 1, 'cannot list nowhere: no such file', 'path'],
    ['--prompts P --scores P', 1, '"score" is undefined', ''],
  ];
  it.each(cases)('select %s', async (line, code, message, hint) => {
    put('scores.json', [{ id: 'a', score: 1 }]);
    const files: Record<string, string> = {
      P: 'prompts.json',
      R: 'run',
      L: 'limr',
      G: 'gap',
      E: 'empty',
      S: 'scores.json',
      O: 'others.json',
    };
    const words =
      line === '' ? [] : line.split(' ').map((word) => (files[word] === undefined ? word : at(files[word])));
    const result = await runCli('select', ...words);
    expect(result.stderr).toContain(message);
    expect(result.stderr).toContain(hint);
    expect([result.code, result.stdout]).toEqual([code, '']);
  });

  it('scores that contradict themselves, and prompts that are partly others', async () => {
    put('two.json', [
      { id: 'a', score: 1 },
      { id: 'a', score: 0.5 },
    ]);
    await expect(select({ scores: at('two.json'), prompts: at('prompts.json') })).rejects.toThrow(
      'another score for "a"',
    );
    put('part.json', [
      { prompt: 'Question b? ', score: 0.7 },
      { prompt: 'who?', score: 1 },
    ]);
    const result = await select({ scores: at('part.json'), prompts: at('prompts.json') });
    expect(result.ids).toEqual(['b']);
    expect(result.remarks).toEqual([
      expect.stringMatching(/^1 of the 2 prompts of .* are not in --prompts \(by prompt\)$/),
    ]);
  });

  it('a reward that is no number is named by file and row, and no output is left', async () => {
    mkdirSync(at('bad'), { recursive: true });
    put('bad/step_1.json', [
      { prompt: 'Question a?', reward: 1 },
      { prompt: 'Question a?', reward: null },
    ]);
    const args = { samples: at('bad'), prompts: at('prompts.json'), output: at('never.json') };
    await expect(select(args)).rejects.toThrow('step_1.json[1]: "reward" is null');
    writeFileSync(at('bad/step_1.json'), '[{"prompt": "Question a?",\n"reward": 1}, {"prom');
    await expect(select(args)).rejects.toThrow('step_1.json:2: malformed JSON, at');
    put('bad/step_1.json', [3]);
    await expect(select(args)).rejects.toThrow('step_1.json[0] is not an object');
    expect(readdirSync(root)).not.toContain('never.json');
  });
});

const math8k = sharedFile('data/limr/math.8k.json');
const published = sharedFile('data/limr/scores.json');
describe.skipIf(math8k === undefined || published === undefined)("LIMR's published scores (../shared)", () => {
  it('give exactly the 1,389 prompts of its training set, in order', async () => {
    const files = { scores: published, prompts: math8k };
    const { ids, scored } = await select({ ...files, threshold: '0.6', output: at('limr.json') });
    expect([ids.length, scored]).toEqual([1389, 7936]);
    expect(read<{ id: string }[]>(at('limr.json')).map(({ id }) => id)).toEqual(ids);
    const rows = await readRecords(join(math8k!, '../train_arrow/train'));
    expect(ids).toEqual(rows.map(({ fields }) => fields.id));
    // 65 prompts sit at 0.60: a threshold a hair higher loses them
    expect((await select({ ...files, threshold: '0.601' })).ids).toHaveLength(1389 - 65);
  });
});
