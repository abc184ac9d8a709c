import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFiles } from '../../src/dataset/data-files.js';
import { readPrompts } from '../../src/dataset/prompts.js';

const saved = fileURLToPath(new URL('../golden/dataset/saved', import.meta.url));

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-data-files-'));
});
afterEach(() => rmSync(root, { recursive: true }));

function put(name: string, content: unknown = ''): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}
const row = (prompt: string) => `{"prompt": "${prompt}", "answer": "1"}\n`;

describe('dataFiles', () => {
  it('a file is itself, whatever its name', async () => {
    expect(await dataFiles(put('rows.csv'))).toEqual([join(root, 'rows.csv')]);
  });

  it('of a saved split its shards, of several splits none', async () => {
    const shards = ['data-00000-of-00002.arrow', 'data-00001-of-00002.arrow'];
    expect(await dataFiles(join(saved, 'train'))).toEqual(shards.map((name) => join(saved, 'train', name)));
    await expect(dataFiles(saved)).rejects.toMatchObject({
      code: 'LIMR_USAGE',
      message: `${saved} has several splits: train, test`,
      hint: `Name one of them: ${join(saved, 'train')}, ${join(saved, 'test')}.`,
    });
  });

  it('the only split of a saved dictionary needs no name', async () => {
    cpSync(join(saved, 'test'), join(root, 'dict/test'), { recursive: true });
    put('dict/dataset_dict.json', { splits: ['test'] });
    expect((await readPrompts(join(root, 'dict'))).prompts).toHaveLength(3);
  });

  it('a shard that is missing is an error, not a shorter data set', async () => {
    cpSync(join(saved, 'train'), join(root, 'train'), { recursive: true });
    rmSync(join(root, 'train/data-00000-of-00002.arrow'));
    await expect(readPrompts(join(root, 'train'))).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringMatching(/data-00000-of-00002\.arrow is missing, one of the 2 files of .*state\.json/),
    });
  });

  it.each([
    ['state.json', {}, /state\.json lists no data files/],
    ['state.json', { _data_files: [{ filename: '../../secret.arrow' }] }, /state\.json lists no data files/],
    ['state.json', { _data_files: [] }, /state\.json lists no data files/],
    ['state.json', { _data_files: [{ filename: 'a' }], _indices_data_files: [{ filename: 'b' }] }, /indices mapping/],
    ['dataset_dict.json', { splits: [] }, /dataset_dict\.json lists no splits/],
    ['dataset_dict.json', { splits: ['../up'] }, /dataset_dict\.json lists no splits/],
    ['state.json', '{', /state\.json is not JSON/],
  ])('a folder whose %s is %j is refused', async (name, content, message) => {
    put(name, content);
    await expect(dataFiles(root)).rejects.toMatchObject({ message: expect.stringMatching(message) });
  });

  it('a snapshot of the hub: shards by split, in order, below data/', async () => {
    put('README.md');
    put('data/train-00001-of-00002.jsonl', row('b'));
    put('data/train-00000-of-00002.jsonl', row('a'));
    const test = put('data/test-00000-of-00001.jsonl', row('c'));
    await expect(dataFiles(root)).rejects.toMatchObject({ hint: expect.stringContaining(join(root, 'train')) });
    const train = await readPrompts(join(root, 'data/train'));
    expect(train.prompts.map(({ row: place, prompt }) => [place, prompt])).toEqual([
      [0, 'a'],
      [1, 'b'],
    ]);
    expect(await dataFiles(join(root, 'test'))).toEqual([test]);
    rmSync(join(root, 'data/train-00000-of-00002.jsonl'));
    await expect(dataFiles(join(root, 'train'))).rejects.toMatchObject({
      message: expect.stringContaining('train-00000-of-00002.jsonl is missing, one of the 2 files'),
    });
  });

  it('one file in a folder needs no name; none, or none of that name, is an error', async () => {
    put('notes.txt');
    await expect(dataFiles(root)).rejects.toMatchObject({ code: 'LIMR_IO', message: /without data files/ });
    const file = put('questions.jsonl', row('a'));
    expect(await dataFiles(root)).toEqual([file]);
    expect(await dataFiles(join(root, 'questions'))).toEqual([file]);
    await expect(dataFiles(join(root, 'train'))).rejects.toMatchObject({ code: 'LIMR_IO', message: /no such file/ });
  });
});
