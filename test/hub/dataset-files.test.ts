import { describe, expect, it } from 'vitest';
import { datasetFiles } from '../../src/hub/dataset-files.js';

const choose = (path: string, ...paths: readonly string[]) => {
  const files = paths.map((file) => ({ path: file, size: 1, blobId: '0'.repeat(40) }));
  const choice = datasetFiles({ kind: 'dataset', id: 'o/n', revision: 'main', path }, files);
  return { path: choice.path, files: choice.files.map((file) => file.path) };
};

const shards = (split: string, count: number) =>
  Array.from({ length: count }, (_, i) => `${split}-0000${i}-of-0000${count}.parquet`);

describe('what a name means', () => {
  it('the only file, at the top or in data', () => {
    expect(choose('', 'README.md', 'test.jsonl')).toEqual({ path: 'test.jsonl', files: ['test.jsonl'] });
    const [only] = shards('data/train', 1);
    expect(choose('', '.gitattributes', only!)).toEqual({ path: only, files: [only] });
  });

  it('the only split, in the order of its shards', () => {
    const [a, b, c] = shards('data/train', 3);
    expect(choose('', c!, a!, b!, 'data/x.txt')).toEqual({ path: 'data/train', files: [a, b, c] });
  });

  it('the only document, where there are no rows', () => {
    expect(choose('', 'dataset_infos.json', 'limr.json')).toEqual({ path: 'limr.json', files: ['limr.json'] });
  });

  it('what is named: file, folder, split', () => {
    const paths = [...shards('main/train', 2), ...shards('main/test', 1), ...shards('data/dev', 2), 'limr.json'];
    expect(choose('limr.json', ...paths)).toEqual({ path: 'limr.json', files: ['limr.json'] });
    expect(choose('main/test', ...paths).files).toEqual(shards('main/test', 1));
    expect(choose('main/train', ...paths)).toEqual({ path: 'main/train', files: shards('main/train', 2) });
    expect(choose('dev', ...paths)).toEqual({ path: 'data/dev', files: shards('data/dev', 2) });
    expect(choose('data', ...paths)).toEqual({ path: 'data/dev', files: shards('data/dev', 2) });
  });

  it('what datasets saved', () => {
    const saved = (folder: string) => [
      `${folder}data-00000-of-00001.arrow`,
      `${folder}dataset_info.json`,
      `${folder}state.json`,
    ];
    expect(choose('', ...saved(''), 'README.md')).toEqual({ path: '', files: saved('') });
    expect(choose('', 'dataset_dict.json', ...saved('train/'))).toEqual({ path: 'train', files: saved('train/') });
    const both = ['dataset_dict.json', ...saved('train/'), ...saved('test/')];
    expect(choose('test', ...both)).toEqual({ path: 'test', files: saved('test/') });
    expect(() => choose('', ...both)).toThrow('o/n has several parts: train, test');
  });

  it.each([
    ['', ['train.jsonl', 'test.jsonl'], 'LIMR_USAGE', 'o/n has several parts: train, test', 'o/n@main:train'],
    [
      '',
      shards('data/a', 1).concat(shards('data/b', 2)),
      'LIMR_USAGE',
      'several parts: data/a, data/b',
      'o/n@main:data/a',
    ],
    ['', ['a.json', 'b.json'], 'LIMR_USAGE', 'several parts: a.json, b.json', 'o/n@main:a.json'],
    ['', ['train.jsonl', 'train.parquet'], 'LIMR_USAGE', 'train.jsonl, train.parquet', 'o/n@main:train.jsonl'],
    [
      '',
      ['main/train.parquet', 'main/test.parquet'],
      'LIMR_USAGE',
      'no data files in its uppermost folder',
      'main/train.parquet',
    ],
    ['', ['weights.pkl'], 'LIMR_USAGE', 'no data files', 'It has no .json'],
    ['dev', ['train.jsonl'], 'LIMR_IO', 'o/n has no dev', 'it has train.jsonl'],
    ['x.pkl', ['x.pkl'], 'LIMR_UNSUPPORTED', 'is no .json', ''],
  ])('%j of %j is refused', (path, paths, code, message, hint) => {
    expect(() => choose(path, ...paths)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message), hint: expect.stringContaining(hint) }),
    );
  });
});
