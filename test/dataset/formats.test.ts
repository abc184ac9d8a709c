/** Data files as Python wrote them (scripts/golden/make_datasets.py), whole and damaged. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeData, tableFromArrays, tableToIPC, Utf8 } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataProblem } from '../../src/dataset/arrow-values.js';
import { readPrompts } from '../../src/dataset/prompts.js';
import { readRecords } from '../../src/dataset/records.js';
import { LimrError } from '../../src/errors.js';
import { sharedFile } from '../shared.js';

const golden = fileURLToPath(new URL('../golden/dataset/', import.meta.url));
const expected: { saved: Record<string, object[]>; types: object[]; blocks: string } = JSON.parse(
  readFileSync(join(golden, 'expected.json'), 'utf8'),
);
const typed = [
  'types.arrow',
  'types.arrows',
  'types.zstd.arrow',
  'types.lz4.arrow',
  'types.parquet',
  'types.zstd.parquet',
];

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-formats-'));
});
afterAll(() => rmSync(root, { recursive: true }));

/** Bytes as JSON has them in expected.json. */
function hexed(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(hexed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hexed(item)]));
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const rowsOf = async (path: string) => (await readRecords(path)).map(({ fields }) => hexed(fields));

describe('rows are what Python reads', () => {
  it.each(['train', 'test'])('split %s of a folder that datasets saved', async (split) => {
    expect(await rowsOf(join(golden, 'saved', split))).toEqual(expected.saved[split]);
  });

  it.each(typed)('every type in %s', async (name) => {
    expect(await rowsOf(join(golden, name))).toEqual(expected.types);
  });

  it.each(typed)('a message finds a row of %s', async (name) => {
    const records = await readRecords(join(golden, name));
    expect(records.map(({ where }) => where)).toEqual(expected.types.map((_, i) => `${join(golden, name)}[${i}]`));
  });

  it('texts beyond 64 KiB, in LZ4 blocks that look back into each other', async () => {
    const rows = await rowsOf(join(golden, 'blocks.lz4.arrow'));
    expect(sha256(rows.map((row) => `${JSON.stringify(row)}\n`).join(''))).toBe(expected.blocks);
  });

  it('rows of each shard are counted from 0', async () => {
    const records = await readRecords(join(golden, 'saved/train'));
    expect(records.at(3)?.where).toBe(join(golden, 'saved/train/data-00001-of-00002.arrow[0]'));
  });
});

describe('prompts out of columns', () => {
  const train = join(golden, 'saved/train');

  it('of text, large text and 64-bit ids', async () => {
    const { prompts } = await readPrompts(train);
    expect(prompts.map(({ prompt }) => prompt)).toEqual([0, 1, 2, 3, 4].map((i) => `What is $${i}+${i}$? π`));
    expect(prompts.map(({ answer }) => answer)).toEqual(['0', '2', '4', '6', '8']);
    expect(prompts.map(({ id }) => id)).toEqual([0n, 1n, 2n, 3n, 4n].map((i) => String(2n ** 60n + i)));
    expect(prompts.map(({ level }) => level)).toEqual(['0', undefined, '2', undefined, '4']);
  });

  it('of chat messages, and from inside of a struct', async () => {
    const { prompts } = await readPrompts(train, { inputKey: 'messages', labelKey: 'extra.golds.1' });
    expect(prompts[3]).toMatchObject({
      prompt: '3+3?',
      messages: [
        { role: 'system', content: 'Box it.' },
        { role: 'user', content: '3+3?' },
      ],
      answer: '6.0',
    });
    const nested = await readPrompts(train, { inputKey: 'extra.question' });
    expect(nested.prompts[3]).toMatchObject({ prompt: '3+3?', answer: '6' });
    expect(nested.prompts[3]).not.toHaveProperty('messages');
  });

  it.each([
    ['types.arrow', { inputKey: 'string', labelKey: 'large_string' }, '[1]: "string" is empty', 'Remove that row.'],
    ['types.parquet', { inputKey: 'dictionary', labelKey: 'string' }, '[2]: "dictionary" is null', /--input-key/],
    [
      'types.arrow',
      { inputKey: 'question' },
      '[0]: "question" is missing',
      /^Its fields are int64, uint64, .*--input-key/,
    ],
    ['types.parquet', { inputKey: 'int8', labelKey: 'gold' }, '[0]: "gold" is missing', /--label-key/],
    ['types.parquet', { inputKey: 'struct.y', labelKey: 'int8' }, '[1]: "struct.y" is null', /--input-key/],
    ['types.arrow', { inputKey: 'bool' }, '[0]: "bool" is a boolean, neither text nor a number', /--input-key\.$/],
    ['types.arrow', { inputKey: 'binary' }, '[0]: "binary" is an object, neither text nor a number', /--input-key\.$/],
    [
      'types.arrow',
      { inputKey: 'struct' },
      '[0]: "struct" is an object, neither text nor a number',
      /--input-key struct\.x\.$/,
    ],
    ['types.parquet', { inputKey: 'turns' }, '[0]: "answer" is missing', /--label-key/],
    ['types.parquet', { inputKey: 'strings' }, '[0]: "strings": message 0 is not {"role"', /--input-key/],
  ])('%s with %j: an error with file and row', async (name, keys, message, hint) => {
    await expect(readPrompts(join(golden, name), keys)).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringContaining(join(golden, name) + message),
      hint: expect.stringMatching(hint),
    });
  });
});

describe('damaged files', () => {
  /** Rows, or the error; anything but a LimrError fails. */
  async function outcome(name: string, bytes: Uint8Array): Promise<LimrError | number> {
    const path = join(root, name);
    writeFileSync(path, bytes);
    try {
      return (await readRecords(path)).length;
    } catch (error) {
      if (error instanceof LimrError) return error;
      throw error;
    }
  }

  it.each([...typed, 'saved/test/data-00000-of-00001.arrow'])(
    '%s cut anywhere is an error that names it',
    async (name) => {
      const bytes = readFileSync(join(golden, name));
      const cuts = [0, 1, 4, 7, 8, 100, bytes.length - 8, bytes.length - 1];
      for (let at = 16; at < bytes.length; at += 397) cuts.push(at);
      for (const cut of cuts) {
        const result = await outcome(`cut${extname(name)}`, bytes.subarray(0, cut));
        expect(result, `cut at ${cut}`).toMatchObject({
          code: 'LIMR_FORMAT',
          message: expect.stringContaining(`cut${extname(name)} is not a whole`),
        });
      }
    },
  );

  it.each(typed)(
    '%s with flipped bytes gives rows or an error of ours, and ends',
    { timeout: 60_000 },
    async (name) => {
      const bytes = readFileSync(join(golden, name));
      let refused = 0;
      let random = 12345;
      for (let i = 0; i < 60; ++i) {
        random = (Math.imul(random, 1103515245) + 12345) >>> 0;
        const damaged = Uint8Array.from(bytes);
        damaged[random % bytes.length]! ^= 1 << (i % 8);
        if (typeof (await outcome(`flipped${extname(name)}`, damaged)) !== 'number') refused += 1;
      }
      expect(refused).toBeGreaterThan(0);
    },
  );

  it('offsets that leave the text are found', () => {
    const column = (...offsets: number[]) =>
      makeData({
        type: new Utf8(),
        length: 2,
        nullCount: 0,
        valueOffsets: Int32Array.from(offsets),
        data: Buffer.from('abcd'),
      });
    expect(dataProblem(column(0, 2, 4))).toBeUndefined();
    expect(dataProblem(column(0, 2, 5))).toBe('offset 2 is 5, outside of 4');
    expect(dataProblem(column(0, 3, 2))).toBe('offset 2 is 2, outside of 4');
    expect(dataProblem(column(-1, 3, 4))).toBe('offset 0 is -1, outside of 4');
  });

  it('an empty file says so', async () => {
    for (const name of ['empty.parquet', 'empty.arrow']) {
      expect(await outcome(name, new Uint8Array())).toMatchObject({ message: expect.stringMatching(/: it is empty$/) });
    }
  });

  it('a text with another name is no Arrow or Parquet file', async () => {
    for (const name of ['a.arrow', 'a.parquet']) {
      expect(await outcome(name, Buffer.from('{"prompt": "1+1?", "answer": "2"}\n'))).toMatchObject({
        code: 'LIMR_FORMAT',
      });
    }
  });

  it('a file without rows says so', async () => {
    const empty = tableToIPC(tableFromArrays({ prompt: [] as string[] }), 'stream');
    expect(await outcome('empty.arrow', empty)).toMatchObject({ message: expect.stringMatching(/has no rows$/) });
  });
});

/** LIMR's own files, where they are at hand. */
const limr = sharedFile('data/limr');
describe.skipIf(limr === undefined)('LIMR’s own data', () => {
  it.each(['train', 'test'])('is read as Python’s datasets reads it, row by row: %s', async (split) => {
    const { splits } = JSON.parse(readFileSync(join(golden, '../limr-rows.json'), 'utf8')) as {
      readonly splits: Readonly<Record<string, readonly string[]>>;
    };
    const records = await readRecords(join(limr!, 'train_arrow', split));
    expect(records.map(({ fields }) => sha256(JSON.stringify(fields)).slice(0, 12))).toEqual(splits[split]);
  });

  it('is read as it is: 1,389 prompts of math.8k.json, with their answers', async () => {
    const { prompts } = await readPrompts(join(limr!, 'train_arrow/train'), { inputKey: 'context' });
    const pool = new Map(
      (await readPrompts(join(limr!, 'math.8k.json'))).prompts.map((row) => [row.prompt, row.answer]),
    );
    expect(prompts).toHaveLength(1389);
    expect(prompts.filter(({ prompt, answer }) => pool.get(prompt) !== answer)).toEqual([]);
    const chats = await readPrompts(join(limr!, 'train_arrow/train'), { inputKey: 'context_messages' });
    expect(chats.prompts.map(({ prompt }) => prompt)).toEqual(prompts.map(({ prompt }) => prompt));
    expect(chats.prompts.every(({ messages }) => messages?.length === 2)).toBe(true);
  });

  it('reports the repeated test questions', async () => {
    const test = await readPrompts(join(limr!, 'train_arrow/test'), { inputKey: 'context' });
    expect(test.prompts).toHaveLength(272);
    expect(test.duplicatePrompts).toHaveLength(272 - 30 - 134 - 1);
  });
});
