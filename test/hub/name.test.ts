import { describe, expect, it } from 'vitest';
import { dataName, hubNameOf, hubText, parseHubName } from '../../src/hub/index.js';
import { isInnerPath } from '../../src/hub/name.js';

const commit = 'a'.repeat(40);

describe('parseHubName', () => {
  it.each([
    ['Qwen/Qwen2.5-Math-1.5B', 'Qwen/Qwen2.5-Math-1.5B', 'main', ''],
    ['a/b@v1.0', 'a/b', 'v1.0', ''],
    ['a/b@refs/pr/12', 'a/b', 'refs/pr/12', ''],
    [`a/b@${commit}:x/y.parquet`, 'a/b', commit, 'x/y.parquet'],
    ['openai/gsm8k:main/test', 'openai/gsm8k', 'main', 'main/test'],
    ['a/b.jsonl@main', 'a/b.jsonl', 'main', ''],
    ['0_a/b_c.d-e', '0_a/b_c.d-e', 'main', ''],
  ])('%s is a name', (text, id, revision, path) => {
    expect(parseHubName(text, 'dataset')).toEqual({ kind: 'dataset', id, revision, path });
  });

  it.each([
    'gpt2',
    'a/b/c',
    '/a/b',
    './a/b',
    '../a',
    'a/..',
    'a/b--c',
    'a/b..c',
    'a/b.git',
    'a/-b',
    'a/b.',
    'a/b c',
    `a/${'b'.repeat(97)}`,
    'data/train.jsonl',
    'data/train.parquet',
    'a/model.gguf',
    'a/b@',
    'a/b@..',
    'a/b@../../x',
    'a/b@/etc',
    'a/b@x//y',
    'a/b@x.lock',
    'a/b@.hidden',
    'a/b:',
    'a/b:/etc/passwd',
    'a/b:../x',
    'a/b:x/../../y',
    'a/b:x//y',
    '',
  ])('%j is none', (text) => {
    expect(parseHubName(text, 'dataset')).toBeUndefined();
  });
});

it.each([
  '../x',
  'a/../../x',
  '/etc/passwd',
  'a//b',
  './a',
  'C:\\x',
  'C:x',
  'a/C:x',
  '\\\\host\\x',
  'a\\..\\b',
  'a\nb',
  'a\0',
  '',
])('no file may be called %j', (path) => {
  expect(isInnerPath(path)).toBe(false);
});

it.each(['a', 'a/b.c', '..a', 'a..b/c', 'ü/数.json', 'with blank/x#y%z?.jsonl'])('a file may be called %j', (path) => {
  expect(isInnerPath(path)).toBe(true);
});

it('a place in the cache has a name that leads to it again', () => {
  const folder = `/cache/hub/datasets--open--sky-1.0/snapshots/${commit}`;
  const name = { kind: 'dataset', id: 'open/sky-1.0', revision: commit, path: 'data/test' } as const;
  expect(hubNameOf(`${folder}/data/test`)).toEqual(name);
  expect(parseHubName(hubText(name), 'dataset')).toEqual(name);
  expect(hubNameOf(folder)).toEqual({ ...name, path: '' });
  expect(hubNameOf('/home/me/models/x')).toBeUndefined();
});

it.each([
  ['/home/me/aime 24.jsonl', 'aime 24'],
  [`/c/datasets--h4--MATH-500/snapshots/${commit}/test.jsonl`, 'MATH-500_test'],
  [`/c/datasets--h4--aime_2024/snapshots/${commit}/data/train-00000-of-00001.parquet`, 'aime_2024_train'],
  [`/c/datasets--openai--gsm8k/snapshots/${commit}/main/test`, 'gsm8k_main_test'],
])('%s is called %s in metrics', (path, name) => {
  expect(dataName(path)).toBe(name);
});
