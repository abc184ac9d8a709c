/** `select` and `train --prompts` as a new user meets them: wrong files, and places that cannot be written. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/run-cli.js';
import { expectRefusal } from './refusals.js';

let root = '';
const at = (name: string) => join(root, name);
const golden = resolve(import.meta.dirname, '../golden/dataset');
const put = (name: string, ...rows: readonly object[]) =>
  writeFileSync(
    at(name),
    name.endsWith('l') ? rows.map((row) => JSON.stringify(row)).join('\n') : JSON.stringify(rows),
  );

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-select-refusals-'));
  put('p.jsonl', { id: 'a', prompt: 'What is A?', answer: '1' }, { id: 'b', prompt: 'And B?', answer: '2' });
  put('s.json', { id: 'a', score: 0.9 }, { id: 'b', score: 0.1 });
  put('empty.jsonl');
  put('text.jsonl', { text: 'a' });
  put('asked.jsonl', { prompt: 'a' });
  put('others.json', { prompt: 'C', score: 0.9 });
  put('words.json', { prompt: 'A', score: 'high' });
  writeFileSync(at('object.json'), '{"a": 1}');
  writeFileSync(at('table.csv'), 'prompt,answer\nA,1\n');
  writeFileSync(at('cut.parquet'), readFileSync(join(golden, 'types.parquet')).subarray(0, 900));
  mkdirSync(at('folder'));
});
afterAll(() => rmSync(root, { recursive: true }));

type Case = readonly [line: string, code: number, message: string, fix: string];
/** "@" stands for the folder of the files above, "%" for that of the golden data sets. */
const words = (line: string) =>
  line.split(' ').map((word) => word.replaceAll('@', at('/')).replaceAll('%', `${golden}/`));

describe('select refuses', () => {
  const cases: readonly Case[] = [
    ['--prompts @nowhere.json --scores @s.json', 1, 'nowhere.json: no such file', 'Check the path'],
    ['--prompts @empty.jsonl --scores @s.json', 1, 'empty.jsonl has no rows', 'at least one'],
    ['--prompts @text.jsonl --scores @s.json', 1, '"prompt" is missing', '--input-key'],
    ['--prompts @asked.jsonl --scores @s.json', 1, '"answer" is missing', '--label-key'],
    ['--prompts @table.csv --scores @s.json', 1, 'no reader for ".csv"', '.jsonl'],
    ['--prompts @cut.parquet --scores @s.json', 1, 'not a whole Parquet file', 'Copy the file again'],
    ['--prompts %saved --scores @s.json', 2, 'has several splits: train, test', 'saved/train'],
    ['--prompts @p.jsonl --samples @s.json', 1, 's.json is no folder of step files', '--scores'],
    ['--prompts @p.jsonl --samples @folder', 1, 'has no step_<k>.json', 'run folder'],
    ['--prompts @p.jsonl --scores @others.json', 2, '1 of the 1 prompts of', '--key'],
    ['--prompts @p.jsonl --scores @words.json', 1, '"score" is "high", expected a number', 'Rows are {"prompt"'],
    ['--prompts @p.jsonl --scores @object.json', 1, 'is not a list of objects', '.jsonl'],
    ['--prompts @p.jsonl --scores @s.json --threshold high', 2, '"high", expected a number, or null', '--threshold'],
    ['--prompts @p.jsonl --scores @s.json --count 3', 2, '3 prompts were asked for, and 2 of 2', 'Lower --count'],
    ['--prompts @p.jsonl --scores @s.json --threshold 2 --output @o.json', 2, 'from 0.1000 to 0.9000', '--count'],
    ['--prompts @p.jsonl --scores @s.json --output @o.csv', 1, 'rows go into .json or .jsonl files', 'kept.jsonl'],
    ['--prompts @p.jsonl --scores @s.json --output @folder/', 1, 'rows go into', 'kept.jsonl'],
    ['--prompts @p.jsonl --scores @s.json --output @p.jsonl/o.json', 1, 'not a directory', 'A part of the path'],
    ['--prompts @p.jsonl --scores @s.json --output @p.jsonl', 2, 'p.jsonl, which --prompts reads', 'Name another'],
    ['--prompts @p.jsonl --scores @s.json --scores-output @s.json', 2, 's.json, which --scores reads', 'Name another'],
    ['--prompts @p.jsonl --scores @s.json --output @o.json --plot /proc/o.svg', 1, 'cannot write /proc/o.svg', ''],
    ['--prompts @p.jsonl --method diversity --count 1 --embeddings @s.json', 1, '"embedding" is no list', 'Rows are'],
    ['--prompts @p.jsonl --method diversity --count 1 --model @folder', 1, 'no config.json', 'Hugging Face layout'],
    ['--prompts @p.jsonl --method dice', 2, '--method is "dice", expected one of lim', '--method'],
  ];
  it.each(cases)('%s', (line, code, message, fix) =>
    expectRefusal(['select', ...words(line)], root, { code, message, fix }),
  );

  it('bytes, which JSON has not', async () => {
    const args = '--prompts %saved/test --method random --count 2 --output @kept.jsonl';
    expect((await runCli('select', ...words(args))).code).toBe(0);
    expect(readFileSync(at('kept.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(2);
    rmSync(at('kept.jsonl'));
    const bytes =
      '--prompts %blocks.lz4.arrow --input-key text --label-key text --method random --count 2 --output @kept.jsonl';
    const want = { code: 1, message: 'field "noise" holds bytes', fix: 'Take that column out' };
    await expectRefusal(['select', ...words(bytes)], root, want);
  });
});

describe('train refuses', () => {
  const flags =
    '--rollouts 1 --rollout-batch-size 2 --train-batch-size 2 --n-samples-per-prompt 2 --eval-n-samples 0 --eval-sampled 0';
  const cases: readonly Case[] = [
    ['--prompts @nowhere.jsonl', 1, 'nowhere.jsonl: no such file', 'Check the path'],
    ['--prompts @folder', 1, 'a folder without data files', '.parquet'],
    ['--prompts %saved', 2, 'has several splits: train, test', 'saved/train'],
    ['--prompts %saved/train --label-key extra', 1, '"extra" is an object', '--label-key extra.question'],
    ['--prompts %saved/train --input-key messages', 1, 'needs a chat template', '--input-key'],
    ['--prompts %types.parquet', 1, '"prompt" is missing', 'Its fields are int64'],
    ['--prompts @p.jsonl --prompt-max-len 1 --prompt-truncation drop', 2, 'all 2 prompts', 'Raise --prompt-max-len'],
    ['--prompts @p.jsonl --rollout-batch-size 3 --drop-last', 2, 'drops all 2 prompts', '--rollout-batch-size'],
    ['--prompts @p.jsonl --eval-prompts @empty.jsonl', 1, 'empty.jsonl has no rows', 'at least one'],
    ['--prompts @p.jsonl --output @p.jsonl', 1, 'file already exists', 'Choose another name'],
  ];
  it.each(cases)('%s', (line, code, message, fix) => {
    const output = line.includes('--output') ? '' : ' --output @run';
    return expectRefusal(['train', ...words(`${flags} ${line}${output}`)], root, { code, message, fix });
  });
});

it('train and eval report repeated questions, empty answers and answers that cannot be graded', async () => {
  const rows = ['A', 'A', 'B', 'C'].map((prompt, i) => ({
    id: i === 3 ? 2 : i,
    prompt,
    answer: ['1', '1', '', '4'][i],
  }));
  put('odd.jsonl', ...rows);
  const reports = [
    /odd\.jsonl: 1 of 4 rows repeat an earlier prompt/,
    /1 of 4 rows repeat an earlier id/,
    /1 of 4 rows have an empty answer/,
    /1 of 4 answers/,
  ];
  const sizes =
    '--rollouts 1 --rollout-batch-size 2 --train-batch-size 2 --n-samples-per-prompt 2 --generate-max-len 8';
  const trained = await runCli(
    'train',
    ...words(`--prompts @odd.jsonl ${sizes} --eval-n-samples 0 --eval-sampled 0 --output @odd`),
  );
  const evaluated = await runCli('eval', ...words('--benchmarks odd=@odd.jsonl --generate-max-len 8'));
  for (const { code, stderr } of [trained, evaluated]) {
    expect(code, stderr).toBe(0);
    for (const report of reports) expect(stderr).toMatch(report);
  }
  expect(existsSync(at('odd/metrics.jsonl'))).toBe(true);
});
