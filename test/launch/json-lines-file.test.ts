import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { collectRows } from '../../src/launch/json-lines-file.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-rows-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const twoRows = async (take: (row: { i: number }) => void | Promise<void>) => {
  await take({ i: 1 });
  await take({ i: 2 });
  return 'done';
};

it('keeps rows when there is no file', async () => {
  expect(await collectRows('', twoRows)).toEqual({ result: 'done', rows: [{ i: 1 }, { i: 2 }] });
});

it('writes a file that appears at the end, and makes its folder', async () => {
  const file = join(root, 'deep', 'rows.jsonl');
  const { result, rows } = await collectRows<{ i: number }, string>(file, async (take) => {
    const result = await twoRows(take);
    expect(readdirSync(join(root, 'deep'))).toEqual(['rows.jsonl.partial']);
    return result;
  });
  expect([result, rows]).toEqual(['done', []]);
  expect(readFileSync(file, 'utf8')).toBe('{"i":1}\n{"i":2}\n');
  expect(readdirSync(join(root, 'deep'))).toEqual(['rows.jsonl']);
});

it('leaves nothing behind when the work fails, and tells that error', async () => {
  const failing = async (take: (row: object) => void | Promise<void>) => {
    await take({});
    throw new Error('the work failed');
  };
  await expect(collectRows(join(root, 'rows.jsonl'), failing)).rejects.toThrow('the work failed');
  expect(readdirSync(root)).toEqual([]);
});

it('says which file cannot be written', async () => {
  await expect(collectRows(join(root, 'rows.jsonl'), twoRows)).resolves.toBeDefined();
  await expect(collectRows(join(root, 'rows.jsonl', 'inner.jsonl'), twoRows)).rejects.toMatchObject({
    code: 'LIMR_IO',
    message: expect.stringContaining('inner.jsonl'),
  });
});
