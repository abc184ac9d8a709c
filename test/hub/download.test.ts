/** One file's way from the hub into the cache, with everything that can go wrong on it. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DownloadProgress, resolveDataset } from '../../src/hub/index.js';
import { askedWaitMs } from '../../src/hub/patience.js';
import { gitSum } from './hub-server.js';
import { openStage, type Stage, sizeOf, someBytes } from './support.js';

const large = someBytes(200_000);
const largeSum = createHash('sha256').update(large).digest('hex');
const small = '{"prompt": "1 + 1", "answer": "2"}\n';
const folder = 'datasets--o--n';
const partial = `${folder}/blobs/${largeSum}.limr.incomplete`;

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
  stage.hub.add('o/n', { kind: 'dataset', files: { 'large.jsonl': large, 'small.jsonl': small } });
});
afterEach(() => stage.close());

const get = (file = 'large.jsonl', more: Parameters<Stage['options']>[0] = {}) =>
  resolveDataset(`o/n:${file}`, stage.options(more));
const at = (path: string) => join(stage.cache, path);
/** Files with contents, whole or not. */
const blobs = () => stage.files().filter((path) => path.includes('/blobs/'));

describe('a download', () => {
  it.each([
    ['a large file', 'large.jsonl', large, largeSum],
    ['a small file', 'small.jsonl', Buffer.from(small), gitSum(Buffer.from(small))],
  ])('%s lies by its sum, linked by its name', async (_, file, content, sum) => {
    const path = await get(file);
    expect(path).toBe(at(`${folder}/snapshots/${stage.hub.commit('o/n', 'dataset')}/${file}`));
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(blobs()).toEqual([`${folder}/blobs/${sum}`]);
    expect(stage.hub.rangesOf(file)).toEqual(['']);
  });

  it('an empty file is one too', async () => {
    stage.hub.add('o/n', { kind: 'dataset', files: { 'empty.jsonl': '' } });
    expect(readFileSync(await get('empty.jsonl'))).toHaveLength(0);
  });

  it('goes on where the connection was cut, as often as something came', async () => {
    const cuts = [50_000, 1, 0, 70_000].map((cutAfter) => ({ cutAfter }));
    stage.hub.faults.set('large.jsonl', cuts);
    expect(readFileSync(await get()).equals(large)).toBe(true);
    expect(stage.hub.rangesOf('large.jsonl')).toEqual([
      '',
      'bytes=50000-',
      'bytes=50001-',
      'bytes=50001-',
      'bytes=120001-',
    ]);
  });

  it('gives up after five tries in a row that brought little; the next call goes on', async () => {
    stage.hub.faults.set(
      'large.jsonl',
      Array.from({ length: 5 }, () => ({ cutAfter: 10_000 })),
    );
    await expect(get()).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringContaining('large.jsonl broke off 5 times, the last time after 50000 of 200000 bytes'),
      hint: expect.stringContaining('the same command goes on'),
    });
    expect(stage.files()).toEqual([partial]);
    expect(readFileSync(await get()).equals(large)).toBe(true);
    expect(stage.hub.rangesOf('large.jsonl').at(-1)).toBe('bytes=50000-');
    expect(blobs()).toEqual([`${folder}/blobs/${largeSum}`]);
  });

  it('waits out what passes: 503, 429, a server that falls silent', async () => {
    stage.hub.faults.set('large.jsonl', [{ status: 503 }, { status: 429 }, { silence: true }]);
    expect(readFileSync(await get('large.jsonl', { timeoutMs: 1500 })).equals(large)).toBe(true);
    expect(stage.hub.rangesOf('large.jsonl')).toEqual(['', '', '', 'bytes=1-']);
  });

  it('waits as long as the server asks for', async () => {
    stage.hub.faults.set('large.jsonl', [{ status: 429, headers: { 'retry-after': '1' } }]);
    const begin = performance.now();
    await get('large.jsonl');
    expect(performance.now() - begin).toBeGreaterThan(990);
  });

  it.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:01:40 GMT' }, 40_000],
    [{ 'retry-after': 'Thu, 01 Jan 1970 00:00:40 GMT' }, 0],
    [{ 'retry-after': '86400' }, 300_000],
    [{ 'retry-after': 'soon' }, 0],
    [{ ratelimit: '"api";r=0;t=55' }, 55_000],
    [{ ratelimit: '"api";r=12;t=55' }, 0],
    [{}, 0],
  ])('%j asks for %d ms', (headers, ms) => {
    expect(askedWaitMs(new Headers(headers as Record<string, string>), 60_000)).toBe(ms);
  });

  it('starts anew where the server knows no ranges', async () => {
    stage.hub.faults.set('large.jsonl', [{ cutAfter: 60_000 }, { ignoreRange: true }]);
    const seen: number[] = [];
    const path = await get('large.jsonl', { onDownload: ({ doneBytes }) => seen.push(doneBytes) });
    expect(readFileSync(path).equals(large)).toBe(true);
    expect(seen.some((bytes, i) => i > 0 && bytes < seen[i - 1]!)).toBe(true);
    expect(seen.at(-1)).toBe(large.length);
  });

  it('does not take bytes from another place than the one that it asked for', async () => {
    stage.hub.faults.set('large.jsonl', [{ cutAfter: 60_000 }, { wrongStart: true }]);
    expect(readFileSync(await get()).equals(large)).toBe(true);
    expect(stage.hub.rangesOf('large.jsonl')).toEqual(['', 'bytes=60000-', 'bytes=60000-']);
  });

  it('takes no more bytes than the file has', async () => {
    stage.hub.faults.set('small.jsonl', [{ extra: 'and more' }]);
    expect(readFileSync(await get('small.jsonl'), 'utf8')).toBe(small);
  });
});

describe('a wrong checksum', () => {
  it.each(['large.jsonl', 'small.jsonl'])('of %s is tried once more, with a remark', async (file) => {
    stage.hub.faults.set(file, [{ corrupt: true }]);
    const remarks: string[] = [];
    const path = await get(file, { remark: (text) => remarks.push(text) });
    expect(readFileSync(path).equals(file === 'large.jsonl' ? large : Buffer.from(small))).toBe(true);
    expect(remarks).toEqual([`${file} came with the wrong checksum: once more from its start`]);
  });

  it.each([
    ['large.jsonl', 'sha256'],
    ['small.jsonl', 'git sha1'],
  ])('of %s twice is an error, and nothing is kept', async (file, kind) => {
    stage.hub.faults.set(file, [{ corrupt: true }, { corrupt: true }]);
    await expect(get(file)).rejects.toMatchObject({
      code: 'LIMR_FORMAT',
      message: expect.stringContaining(`${file} came 2 times with the wrong checksum: ${kind}`),
    });
    expect(stage.files()).toEqual([]);
  });

  it('of what an earlier call left is found out', async () => {
    mkdirSync(dirname(at(partial)), { recursive: true });
    writeFileSync(at(partial), someBytes(150_000, 7));
    expect(readFileSync(await get()).equals(large)).toBe(true);
    expect(stage.hub.rangesOf('large.jsonl')).toEqual(['bytes=150000-', '']);
  });

  it('a partial file that is too long, or long enough, is looked at too', async () => {
    mkdirSync(dirname(at(partial)), { recursive: true });
    writeFileSync(at(partial), large);
    expect(readFileSync(await get()).equals(large)).toBe(true);
    expect(stage.hub.rangesOf('large.jsonl')).toEqual([]);
    const small5 = `${folder}/blobs/${gitSum(Buffer.from(small))}.limr.incomplete`;
    writeFileSync(at(small5), small + small);
    expect(readFileSync(await get('small.jsonl'), 'utf8')).toBe(small);
  });

  it('a blob of the wrong length is downloaded again', async () => {
    const path = await get();
    writeFileSync(at(`${folder}/blobs/${largeSum}`), 'short');
    expect(await get()).toBe(path);
    expect(readFileSync(path).equals(large)).toBe(true);
  });
});

describe('the disk', () => {
  it('is looked at before anything is downloaded', async () => {
    const entry = { type: 'file', path: 'huge.jsonl', size: 1, oid: '0'.repeat(40) };
    const listed = [{ ...entry, lfs: { oid: 'a'.repeat(64), size: 1e15, pointerSize: 1 } }];
    stage.hub.add('o/n', { kind: 'dataset', files: { 'x.jsonl': small }, listed });
    await expect(get('huge.jsonl')).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringMatching(/^o\/n needs .* more, and .* are free for /),
      hint: expect.stringContaining('HF_HUB_CACHE'),
    });
    expect(stage.files()).toEqual([]);
    expect(stage.hub.rangesOf('huge.jsonl')).toEqual([]);
  });

  it.skipIf(process.platform !== 'linux')('that fills up ends it with the system’s words', async () => {
    mkdirSync(dirname(at(partial)), { recursive: true });
    symlinkSync('/dev/full', at(partial));
    await expect(get()).rejects.toMatchObject({
      code: 'LIMR_IO',
      message: expect.stringContaining('no space left on device'),
      hint: expect.stringContaining('Free some space'),
    });
    expect(stage.files()).toEqual([partial]);
  });
});

describe('an abort', () => {
  it('leaves what came, and the next call goes on from there', async () => {
    stage.hub.faults.set('large.jsonl', [{ cutAfter: 80_000 }]);
    const controller = new AbortController();
    const stopped = get('large.jsonl', {
      signal: controller.signal,
      onDownload: ({ doneBytes }) => {
        if (doneBytes >= 80_000) controller.abort();
      },
    });
    await expect(stopped).rejects.toMatchObject({ code: 'LIMR_ABORTED', hint: expect.stringContaining('goes on') });
    expect(stage.files()).toEqual([partial]);
    expect(sizeOf(at(partial))).toBe(80_000);
    expect(readFileSync(await get()).equals(large)).toBe(true);
    expect(stage.hub.rangesOf('large.jsonl')).toEqual(['', 'bytes=80000-']);
  });

  it('ends the waiting for a server that is silent, and for the next try', async () => {
    for (const [fault, retryMs] of [
      [{ silence: true }, 1],
      [{ status: 503 }, 60_000],
    ] as const) {
      stage.hub.faults.set('large.jsonl', [fault]);
      const controller = new AbortController();
      stage.hub.beforeContent = () => void setTimeout(() => controller.abort(), 50);
      if ('status' in fault) setTimeout(() => controller.abort(), 200);
      const stopped = get('large.jsonl', { signal: controller.signal, timeoutMs: 60_000, retryMs });
      await expect(stopped).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
    }
  });

  it('before the beginning asks nobody', async () => {
    await expect(get('large.jsonl', { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
    expect(stage.hub.seen).toEqual([]);
  });
});

it('progress begins with what is there, and ends with everything', async () => {
  stage.hub.faults.set(
    'large.jsonl',
    Array.from({ length: 5 }, () => ({ cutAfter: 10_000 })),
  );
  await expect(get()).rejects.toThrow();
  const seen: DownloadProgress[] = [];
  await get('large.jsonl', { onDownload: (progress) => seen.push(progress) });
  expect(seen[0]).toEqual({ id: 'o/n', doneBytes: 50_000, totalBytes: large.length });
  expect(seen.at(-1)).toEqual({ id: 'o/n', doneBytes: large.length, totalBytes: large.length });
  expect(seen.every(({ doneBytes }, i) => i === 0 || doneBytes >= seen[i - 1]!.doneBytes)).toBe(true);
  seen.length = 0;
  await get('large.jsonl', { onDownload: (progress) => seen.push(progress) });
  expect(seen).toEqual([]);
});
