import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplingPurpose } from '../../src/eval/benchmark-run.js';
import { benchmarks, findBenchmarks, readBenchmark } from '../../src/eval/benchmarks.js';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-benchmarks-'));
  put('aime24.jsonl', '{"problem": "p", "answer": 204}\n');
  put('gsm8k.json', '[{"question": "q", "answer": "2 #### wait\\n#### 1,080"}]');
  put('olympiadbench.jsonl', '{"question": "q", "final_answer": ["$3$"], "solution": "s"}\n');
});
afterAll(() => rmSync(root, { recursive: true }));

function put(name: string, text: string): string {
  writeFileSync(join(root, name), text);
  return join(root, name);
}
const auto = { inputKey: '', labelKey: '' };

describe('findBenchmarks', () => {
  it('knows the paper’s settings', async () => {
    const settings = benchmarks.map(({ name, samplesPerQuestion, temperature }) => [
      name,
      samplesPerQuestion,
      temperature,
    ]);
    expect(settings.slice(0, 3)).toEqual([
      ['aime24', 4, 0.4],
      ['amc23', 4, 0.4],
      ['math500', 1, 0],
    ]);
  });

  it('finds files of a folder, and files by name', async () => {
    const mine = put('mine.jsonl', '{"prompt": "p", "gold": "1"}\n');
    const [aime, own, moved] = await findBenchmarks(`aime24, mine=${mine},amc23=${mine}`, root);
    expect(aime).toMatchObject({
      benchmark: { name: 'aime24', samplesPerQuestion: 4 },
      path: join(root, 'aime24.jsonl'),
    });
    expect(own).toEqual({ benchmark: { name: 'mine', samplesPerQuestion: 1, temperature: 0 }, path: mine });
    expect(moved).toMatchObject({ benchmark: { name: 'amc23', samplesPerQuestion: 4 }, path: mine });
    expect((await readBenchmark(own!, auto)).prompts).toMatchObject([{ prompt: 'p', answer: '1' }]);
  });

  it.each([
    ['aime', 'there is no benchmark "aime"', /aime24/],
    ['amc23', 'has no amc23.jsonl', /math-ai\/amc23/],
    ['aime24,aime24', 'names aime24 twice', /Leave one/],
    ['a b', 'has "a b", expected a name', /mine=/],
    ['aime24,', 'has "", expected a name', /mine=/],
    ['mine=', 'has "mine=", expected a name', /mine=/],
  ])('refuses %s', async (list, message, hint) => {
    await expect(findBenchmarks(list, root)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: expect.stringContaining(message),
      hint: expect.stringMatching(hint),
    });
  });

  it('says what is missing without a folder', async () => {
    await expect(findBenchmarks('math500', '')).rejects.toMatchObject({ message: 'where math500 is was not said' });
  });
});

describe('readBenchmark', () => {
  const read = async (name: string, keys = auto, limit?: number) =>
    readBenchmark((await findBenchmarks(name, root))[0]!, keys, limit);

  it('finds question and answer where the data sets of the hub have them', async () => {
    expect((await read('aime24')).prompts).toMatchObject([{ prompt: 'p', answer: '204' }]);
    expect((await read('gsm8k')).prompts).toMatchObject([{ answer: '1,080' }]);
    expect((await read('olympiadbench')).prompts).toMatchObject([{ prompt: 'q', answer: '$3$' }]);
    expect((await read('olympiadbench', { inputKey: 'solution', labelKey: 'question' })).prompts).toMatchObject([
      { prompt: 's', answer: 'q' },
    ]);
    const bare = put('bare.jsonl', '{"text": "p"}\n');
    await expect(read(`bare=${bare}`)).rejects.toMatchObject({ message: `${bare}:1: "question" is missing` });
  });

  it('takes the first questions, and remarks on those alone', async () => {
    const many = put('many.jsonl', ['a', 'b', 'a', 'b'].map((q) => `{"question": "${q}", "answer": ""}\n`).join(''));
    const set = await read(`many=${many}`, auto, 3);
    expect(set.prompts.map(({ row, prompt }) => [row, prompt])).toEqual([
      [0, 'a'],
      [1, 'b'],
      [2, 'a'],
    ]);
    expect(set).toMatchObject({ duplicatePrompts: [2], emptyAnswers: [0, 1, 2] });
  });
});

it('random streams of benchmarks are apart from each other and from those of training', () => {
  const words = benchmarks.map(({ name }) => samplingPurpose(name));
  expect(new Set(words).size).toBe(words.length);
  for (const word of words) expect(word).toBeGreaterThanOrEqual(2 ** 31);
  expect(samplingPurpose('aime24')).toBe(samplingPurpose('aime24'));
});

const paper = fileURLToPath(new URL('../../../shared/data/benchmarks/', import.meta.url));
it.skipIf(!existsSync(paper))('reads the paper’s files: 30, 40 and 500 questions', async () => {
  const sources = await findBenchmarks('aime24,amc23,math500', paper);
  const sets = await Promise.all(sources.map((source) => readBenchmark(source, auto)));
  expect(sets.map(({ prompts }) => prompts.length)).toEqual([30, 40, 500]);
  expect(sets.map(({ duplicatePrompts, emptyAnswers }) => [duplicatePrompts, emptyAnswers])).toEqual([
    [[], []],
    [[], []],
    [[], []],
  ]);
});
