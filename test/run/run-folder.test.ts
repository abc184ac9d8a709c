import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeDurably } from '../../src/files.js';
import { Checkpoints } from '../../src/run/checkpoints.js';
import { lockFolder } from '../../src/run/lock.js';
import { LogFile } from '../../src/run/log-file.js';
import { describeDifferences, differences, type RunRecord } from '../../src/run/record.js';
import { RunFolder } from '../../src/run/run-folder.js';

let root: string;
let count = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-run-'));
});
afterAll(() => rm(root, { recursive: true }));

async function fresh(): Promise<string> {
  const dir = join(root, String(++count));
  await mkdir(dir);
  return dir;
}

describe('the lock', () => {
  it('has one owner, who gives it back', async () => {
    const dir = await fresh();
    const lock = await lockFolder(dir);
    await expect(lockFolder(dir)).rejects.toMatchObject({
      code: 'LIMR_LOCKED',
      message: `${dir} is in use by process ${process.pid} on ${hostname()}`,
    });
    await lock.release();
    expect(await readdir(dir)).toEqual([]);
    await (await lockFolder(dir)).release();
  });

  const [own, boot] = ownName();
  /** The name under which this process would lock, and its boot id. */
  function ownName(): [string, string] {
    const file = '/proc/sys/kernel/random/boot_id';
    const id = existsSync(file) ? spawnSync('cat', [file], { encoding: 'utf8' }).stdout.trim() : '';
    return [encodeURIComponent(hostname()), id];
  }

  it.skipIf(process.platform !== 'linux').each([
    ['a pid that is gone', () => `.owner.${spawnSync('true').pid}.123.${boot}.${own}`],
    ['a pid that another process has now', () => `.owner.${process.ppid}.1.${boot}.${own}`],
    ['another boot', () => `.owner.${process.ppid}.1.0-0-0-0.${own}`],
  ])('is taken over from %s', async (_, name) => {
    const dir = await fresh();
    await writeFile(join(dir, name()), '');
    const lock = await lockFolder(dir);
    expect((await readdir(dir)).filter((file) => file.startsWith('.owner.'))).toHaveLength(1);
    await lock.release();
  });

  it('is not taken over from another host, nor from a name that it cannot read', async () => {
    for (const name of [`.owner.1.2.${boot}.elsewhere`, '.owner.garbage']) {
      const dir = await fresh();
      await writeFile(join(dir, name), '');
      await expect(lockFolder(dir)).rejects.toMatchObject({ code: 'LIMR_LOCKED', hint: expect.stringContaining(name) });
      expect(await readdir(dir)).toEqual([name]);
    }
  });

  it.skipIf(process.platform !== 'linux')('is held by a live process, and free once it was killed', async () => {
    const dir = await fresh();
    const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
    const stat = await readFile(`/proc/${sleeper.pid}/stat`, 'utf8');
    const start = stat.replace(/^.*\)\s*/s, '').split(' ')[19]!;
    await writeFile(join(dir, `.owner.${sleeper.pid}.${start}.${boot}.${own}`), '');
    await expect(lockFolder(dir)).rejects.toMatchObject({
      message: expect.stringContaining(`process ${sleeper.pid} on`),
    });
    const gone = new Promise((resolve) => sleeper.on('exit', resolve));
    sleeper.kill('SIGKILL');
    await gone;
    await (await lockFolder(dir)).release();
  });
});

describe('a log', () => {
  it('appends lines, knows its length, and is cut when opened', async () => {
    const file = join(await fresh(), 'log.jsonl');
    const log = await LogFile.open(file, 0);
    await log.append({ a: 1 });
    const bytes = log.bytes;
    await log.append({ b: 'ü' });
    await log.close();
    expect(await readFile(file, 'utf8')).toBe('{"a":1}\n{"b":"ü"}\n');
    const again = await LogFile.open(file, bytes);
    await again.append({ c: 3 });
    await again.close();
    expect(await readFile(file, 'utf8')).toBe('{"a":1}\n{"c":3}\n');
  });

  it('that is too short is damaged', async () => {
    const file = join(await fresh(), 'log.jsonl');
    await writeFile(file, 'abc');
    await expect(LogFile.open(file, 4)).rejects.toMatchObject({ code: 'LIMR_FORMAT' });
    await expect(LogFile.open(join(file, 'x'), 0)).rejects.toMatchObject({
      code: 'LIMR_IO',
      hint: expect.stringContaining('is a file'),
    });
  });
});

describe('checkpoints', () => {
  const fill =
    (content: string) =>
    (dir: string): Promise<void> =>
      writeFile(join(dir, 'weights'), content);

  it('are complete, ordered by number, and pruned from the oldest', async () => {
    const checkpoints = new Checkpoints(join(await fresh(), 'checkpoints'));
    expect(await checkpoints.steps()).toEqual([]);
    for (const step of [2, 9, 10]) await checkpoints.write(step, { step }, fill(String(step)));
    expect(await checkpoints.steps()).toEqual([2, 9, 10]);
    await checkpoints.prune(2);
    expect(await readdir(checkpoints.dir)).toEqual(['step_10', 'step_9']);
    expect(await checkpoints.readCursor(9)).toEqual({ step: 9 });
    await checkpoints.updateCursor(9, { step: 9, more: true });
    expect(await checkpoints.readCursor(9)).toEqual({ step: 9, more: true });
  });

  it('without DONE do not count and are cleaned away; strangers are left alone', async () => {
    const checkpoints = new Checkpoints(join(await fresh(), 'checkpoints'));
    await checkpoints.write(1, {}, fill('1'));
    await mkdir(join(checkpoints.dir, 'step_2'));
    await mkdir(join(checkpoints.dir, 'step_3.partial'));
    await mkdir(join(checkpoints.dir, 'mine'));
    expect(await checkpoints.steps()).toEqual([1]);
    await checkpoints.clean();
    expect((await readdir(checkpoints.dir)).sort()).toEqual(['mine', 'step_1']);
  });

  it('that cannot be written leave nothing behind', async () => {
    const checkpoints = new Checkpoints(join(await fresh(), 'checkpoints'));
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const failing = async (dir: string): Promise<void> => {
      await writeFile(join(dir, 'weights'), 'half');
      throw full;
    };
    await expect(checkpoints.write(1, {}, failing)).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringMatching(/cannot write the checkpoint .*step_1: ENOSPC/),
      hint: expect.stringContaining('Free some space'),
    });
    expect(await readdir(checkpoints.dir)).toEqual([]);
  });
});

describe('durable files', () => {
  it('are replaced whole, and leave no partial one when that fails', async () => {
    const dir = await fresh();
    await writeDurably(join(dir, 'a'), 'one');
    await writeDurably(join(dir, 'a'), 'two');
    expect(await readFile(join(dir, 'a'), 'utf8')).toBe('two');
    await mkdir(join(dir, 'b'));
    await expect(writeDurably(join(dir, 'b'), 'three')).rejects.toMatchObject({ code: 'LIMR_IO' });
    await expect(writeDurably(join(dir, 'a', 'c'), 'four')).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringContaining(`cannot write ${join(dir, 'a', 'c')}`),
    });
    expect((await readdir(dir)).sort()).toEqual(['a', 'b']);
  });
});

describe('records', () => {
  const record = (config: RunRecord['config'], identity: RunRecord['identity'] = {}): RunRecord => ({
    config,
    identity,
    about: { machine: String(Math.random()) },
  });

  it('differ in what decides the result', () => {
    const before = record({ a: 1, b: [1, 2], free: 1 }, { model: 'x' });
    const after = record({ a: 2, b: [1, 2], free: 2, c: null }, { model: 'y' });
    const found = differences(before, after, new Set(['free']));
    expect(describeDifferences(found)).toBe('  a: 1 -> 2\n  c: absent -> null\n  model: "x" -> "y"');
    expect(differences(before, record(before.config, before.identity), new Set())).toEqual([]);
  });
});

describe('a run folder', () => {
  const options = (dir: string) =>
    ({ dir, resume: 'no', record: { config: {}, identity: {}, about: {} }, free: new Set<string>() }) as const;

  it('is made, locked, and given back', async () => {
    const dir = join(await fresh(), 'deep', 'run');
    const folder = await RunFolder.open(options(dir));
    await expect(RunFolder.open({ ...options(dir), resume: 'exact' })).rejects.toMatchObject({ code: 'LIMR_LOCKED' });
    await folder.close();
    const again = await RunFolder.open({ ...options(dir), resume: 'exact' });
    expect(again.resumed).toBe(null);
    await again.close();
    expect((await readdir(dir)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('cannot be made inside a file', async () => {
    const file = join(await fresh(), 'file');
    await writeFile(file, '');
    await expect(RunFolder.open(options(join(file, 'run')))).rejects.toMatchObject({ code: 'LIMR_IO' });
  });
});
