/** `eval` as a new user meets it: wrong flags, wrong files, places that cannot be written, a process that is killed. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../cli/run-cli.js';
import { expectRefusal } from './refusals.js';

let root = '';
const at = (name: string) => join(root, name);
const types = readFileSync(new URL('../golden/dataset/types.parquet', import.meta.url));
const heldout = readFileSync(new URL('../../models/limr-nano/heldout.jsonl', import.meta.url), 'utf8').split('\n');

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-eval-refusals-'));
  writeFileSync(at('q.jsonl'), heldout.slice(0, 3).join('\n'));
  writeFileSync(at('empty.jsonl'), '');
  writeFileSync(at('text.jsonl'), '{"text": "a"}\n');
  writeFileSync(at('asked.jsonl'), '{"question": "a"}\n');
  writeFileSync(at('table.csv'), 'question,answer\na,1\n');
  writeFileSync(at('cut.parquet'), types.subarray(0, 900));
  writeFileSync(at('going.jsonl.unfinished'), '{"evaluation": {}}\n');
  mkdirSync(at('folder'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('eval refuses', () => {
  // "@" stands for the folder of the files above.
  const cases: readonly (readonly [line: string, code: number, message: string, fix: string])[] = [
    ['--benchmrks aime24', 2, "unknown option '--benchmrks'", 'Did you mean --benchmarks?'],
    ['--benchmarks aime25 --data @', 2, 'there is no benchmark "aime25"', 'Did you mean aime24?'],
    ['--benchmarks aime24 --data @', 2, 'has no aime24.jsonl', 'HuggingFaceH4/aime_2024'],
    ['--benchmarks aime24 --data @nowhere', 1, 'there is no folder', '--data'],
    ['--benchmarks q=@nowhere.jsonl', 1, 'nowhere.jsonl: no such file', 'Check the path'],
    ['--benchmarks q=@empty.jsonl', 1, 'empty.jsonl has no rows', 'at least one'],
    ['--benchmarks q=@text.jsonl', 1, 'text.jsonl:1: "question" is missing', '--input-key'],
    ['--benchmarks q=@asked.jsonl', 1, 'asked.jsonl:1: "answer" is missing', '--label-key'],
    ['--benchmarks q=@q.jsonl --input-key task', 1, '"task" is missing', 'id, prompt, answer, source, level'],
    ['--benchmarks q=@table.csv', 1, 'no reader for ".csv" files', '.jsonl'],
    ['--benchmarks q=@folder', 1, 'a folder without data files', '.parquet'],
    ['--benchmarks q=@cut.parquet', 1, 'is not a whole Parquet file', 'Copy the file again'],
    ['--benchmarks q=@q.jsonl --limit 0', 2, '--limit is 0, expected a whole number >= 1', '--limit'],
    ['--benchmarks q=@q.jsonl --grader best', 2, 'unknown grader "best"', 'standard'],
    ['--benchmarks q=@q.jsonl --model @folder', 1, 'it has no config.json', 'Hugging Face layout'],
    ['--benchmarks q=@q.jsonl --output @folder', 1, 'folder: it is a folder', 'Give a file'],
    ['--benchmarks q=@q.jsonl --output @q.jsonl/o.jsonl', 1, 'not a directory', 'A part of the path is a file'],
    ['--benchmarks q=@q.jsonl --output @out.csv', 2, 'out.csv, expected a .jsonl file', 'A line for every question'],
    ['--benchmarks q=@q.jsonl --output @q.jsonl', 2, 'q.jsonl, which benchmark q reads', 'Name another file'],
    ['--benchmarks q=@q.jsonl --output @going.jsonl', 2, 'was interrupted', '--resume'],
    ['--benchmarks q=@q.jsonl --output @going.jsonl --resume', 2, 'is another evaluation', 'another --output'],
    ['--benchmarks q=@q.jsonl --output @new.jsonl --resume', 2, 'there is no', 'Leave --resume out'],
    ['--benchmarks q=@q.jsonl --output /dev/null --resume', 2, 'cannot be resumed', 'Leave --resume out'],
    ['--benchmarks q=@q.jsonl --resume', 2, '--resume needs the --output', 'Name it'],
    ['--benchmarks q=@q.jsonl --generate-max-len 9999', 2, 'leaves no room for a question', 'Lower it'],
    ['--benchmarks q=@q.jsonl --prompt-max-len 2', 2, 'question 0 of q', '--prompt-truncation drop'],
    ['--benchmarks q=@q.jsonl --prompt-max-len 2 --prompt-truncation drop', 2, 'all 3 questions', '--prompt-max-len'],
    ['--benchmarks q=@q.jsonl --apply-chat-template on', 1, 'row 0: the tokenizer has no chat template', 'off'],
    ['--compare @q.jsonl', 2, 'expected two files', 'a.jsonl,b.jsonl'],
    ['--compare @q.jsonl,@q.jsonl', 1, 'is not a question of an evaluation', '--output'],
    ['--compare @q.jsonl,@q.jsonl --limit 3', 2, '--compare evaluates nothing, and --limit was given', 'Leave one'],
  ];
  it.each(cases)('%s', async (line, code, message, fix) => {
    const words = line.split(' ').map((word) => word.replaceAll('@', at('/')));
    await expectRefusal(['eval', ...words], root, { code, message, fix });
  });

  it.skipIf(!existsSync('/dev/full'))('a disk that is full, and leaves nothing beside it', async () => {
    const args = ['--benchmarks', `q=${at('q.jsonl')}`, '--generate-max-len', '8', '--output', '/dev/full'];
    await expectRefusal(['eval', ...args], root, {
      code: 1,
      message: 'no space left on device',
      fix: 'Free some space',
    });
    expect(existsSync('/dev/full.unfinished')).toBe(false);
  });
});

it('lines go to what is no plain file as they are', async () => {
  const args = ['eval', '--benchmarks', `q=${at('q.jsonl')}`, '--generate-max-len', '8', '--output', '/dev/null'];
  const { code, stdout } = await runCli(...args);
  expect([code, stdout.trimEnd().split('\n').at(-1)]).toEqual([0, '/dev/null']);
  expect(existsSync('/dev/null.unfinished')).toBe(false);
});

it('says that samples of a question are alike at temperature 0', async () => {
  const args = ['eval', '--benchmarks', `q=${at('q.jsonl')}`, '--n-samples-per-prompt', '2', '--generate-max-len', '8'];
  expect((await runCli(...args)).stderr).toContain(
    'q: at temperature 0 the 2 samples of a question are one and the same',
  );
});

it('goes on after the process was killed, to the same file', { timeout: 120_000 }, async () => {
  const flags = ['--limit', '300', '--n-samples-per-prompt', '4', '--temperature', '1', '--threads', '1'];
  const source = resolve(import.meta.dirname, '../../src/cli/main.ts');
  const output = at('killed.jsonl');
  const child = spawn(process.execPath, ['--import', 'tsx', source, 'eval', ...flags, '--output', output], {
    stdio: 'ignore',
  });
  const ended = new Promise<NodeJS.Signals | null>((done) => child.on('exit', (_, signal) => done(signal)));
  const graded = () =>
    existsSync(`${output}.unfinished`) ? readFileSync(`${output}.unfinished`, 'utf8').split('\n').length - 2 : 0;
  while (graded() < 20 && child.exitCode === null) await sleep(10);
  child.kill('SIGKILL');
  expect(await ended).toBe('SIGKILL');
  expect(existsSync(output)).toBe(false);
  const done = graded();
  expect(done).toBeLessThan(300);
  expect((await runCli('eval', ...flags, '--output', output, '--resume')).code).toBe(0);
  expect((await runCli('eval', ...flags, '--output', at('whole.jsonl'))).code).toBe(0);
  expect(readFileSync(output, 'utf8')).toBe(readFileSync(at('whole.jsonl'), 'utf8'));
  expect(existsSync(`${output}.unfinished`)).toBe(false);
});
