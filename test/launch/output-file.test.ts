/** No verb writes over what it reads. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkOutputFile } from '../../src/launch/output-file.js';
import { expectRefusal } from './refusals.js';

let root = '';
const at = (name: string) => join(root, name);
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-output-file-'));
  writeFileSync(at('a.jsonl'), '{"prompt": "1+1?", "text": "1+1?", "answer": "2", "gold": "2", "pred": "2"}\n');
  mkdirSync(at('data'));
  writeFileSync(at('data/train-00000-of-00001.jsonl'), '{}\n');
  symlinkSync(at('a.jsonl'), at('link.jsonl'));
});
afterAll(() => rmSync(root, { recursive: true }));

it.each([
  ['generate', '--input'],
  ['score', '--input'],
  ['verify', '--input'],
  ['audit', '--prompts'],
])('%s refuses its own input as --output', (verb, flag) =>
  expectRefusal([verb, flag, at('a.jsonl'), '--output', at('a.jsonl')], root, {
    code: 2,
    message: `a.jsonl, which ${flag} reads`,
    fix: 'Name another file',
  }),
);

describe('checkOutputFile', () => {
  const check = (file: string, input: string) => checkOutputFile('--output', file, { '--prompts': input });

  it('knows an input by any of its names', async () => {
    for (const [file, input] of [
      [at('link.jsonl'), at('a.jsonl')],
      [at('a.jsonl'), at('link.jsonl')],
      [at('data/train-00000-of-00001.jsonl'), at('data/train')],
      [at('data/../a.jsonl'), at('a.jsonl')],
    ] as const) {
      await expect(check(file, input)).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    }
  });

  it('takes new files, others, and none', async () => {
    await expect(check(at('new/b.jsonl'), at('a.jsonl'))).resolves.toBeUndefined();
    await expect(check(at('a.jsonl'), at('data/train'))).resolves.toBeUndefined();
    await expect(check(at('a.jsonl'), '')).resolves.toBeUndefined();
    await expect(check('', at('nowhere.jsonl'))).resolves.toBeUndefined();
  });

  it('refuses folders and places that cannot be written', async () => {
    for (const file of [at('data'), at('a.jsonl/b.jsonl'), '/proc/b.jsonl']) {
      await expect(check(file, '')).rejects.toMatchObject({ code: 'LIMR_IO' });
    }
  });
});
