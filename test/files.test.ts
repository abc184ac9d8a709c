import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkNewFolder, temporaryPath, withIo, writeDurably } from '../src/files.js';
import { collectRows } from '../src/launch/json-lines-file.js';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'limr-files-'));
});
afterEach(() => rmSync(root, { recursive: true }));

describe('a file to write', () => {
  it('gets its name when it is whole', async () => {
    const file = join(root, 'a.json');
    expect(await temporaryPath(file)).toBe(`${file}.partial`);
    await writeDurably(file, 'first');
    await writeDurably(file, 'second');
    expect(readFileSync(file, 'utf8')).toBe('second');
    expect(readdirSync(root)).toEqual(['a.json']);
  });

  it('must be no folder', async () => {
    await expect(writeDurably(root, 'x')).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: `cannot write ${root}: it is a folder`,
      hint: 'Give a file, not a folder.',
    });
    expect(readdirSync(root)).toEqual([]);
  });

  it('that is a pipe is written to, and stays one', async () => {
    const pipe = join(root, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const read = readFile(pipe, 'utf8');
    await collectRows(pipe, async (take) => take({ row: 1 }));
    expect(await read).toBe('{"row":1}\n');
    expect([lstatSync(pipe).isFIFO(), readdirSync(root)]).toEqual([true, ['pipe']]);
  });

  it.skipIf(!existsSync('/dev/full'))('that is a full device says so', async () => {
    const file = join(root, 'full');
    symlinkSync('/dev/full', file);
    const full = { code: 'LIMR_IO', message: `cannot write ${file}: no space left on device` };
    await expect(writeDurably(file, 'x')).rejects.toMatchObject(full);
    await expect(collectRows(file, async (take) => take({ row: 1 }))).rejects.toMatchObject(full);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
  });
});

describe('a place for a new folder', () => {
  it('is looked at, and left as it was', async () => {
    await checkNewFolder(join(root, 'not', 'yet'));
    expect(readdirSync(root)).toEqual([]);
    mkdirSync(join(root, 'old'));
    await expect(checkNewFolder(join(root, 'old'))).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    await expect(checkNewFolder('/proc/self/model')).rejects.toMatchObject({ code: 'LIMR_IO' });
  });
});

it('an error says what was refused in words', async () => {
  const file = join(root, 'none', 'a.json');
  await expect(withIo(`read ${file}`, () => readFile(file))).rejects.toMatchObject({
    message: `cannot read ${file}: no such file or directory`,
    hint: 'Check the path.',
  });
  await expect(withIo(`read ${root}`, () => readFile(root))).rejects.toMatchObject({
    message: `cannot read ${root}: it is a folder`,
    hint: 'Give a file, not a folder.',
  });
});
