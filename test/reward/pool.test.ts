import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WorkerPool } from '../../src/reward/pool.js';
import { type Answer, type Item, type Options, task } from './pool-fixture.js';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'limr-pool-'));
});
afterAll(() => rmSync(root, { recursive: true }));

let pools: WorkerPool<Options, Item, Answer>[] = [];
let incidents: string[] = [];
function open(workers: number, options: Options = {}, timeoutMs?: number): WorkerPool<Options, Item, Answer> {
  incidents = [];
  const pool = new WorkerPool(task, options, {
    workers,
    heapMb: 64,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    onIncident: (text) => incidents.push(text),
  });
  pools.push(pool);
  return pool;
}
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  pools = [];
});

const runAll = (pool: WorkerPool<Options, Item, Answer>, items: readonly Item[]) =>
  Promise.all(items.map((item) => pool.run(item, { name: `item ${item.value}` })));
const numbers = (count: number) => Array.from({ length: count }, (_, value) => ({ value }));
const squares = (count: number) => numbers(count).map(({ value }) => value ** 2);

describe.each([0, 1, 2, 3])('with %i workers', (workers) => {
  it('gives every item its own result, and the time it took', async () => {
    const answers = await runAll(open(workers), [...numbers(500), { value: 7, spin: 30 }]);
    expect(answers.map(({ result }) => result.square)).toEqual([...squares(500), 49]);
    expect(answers.at(-1)!.ms).toBeGreaterThanOrEqual(30);
    expect(answers[0]!.ms).toBeLessThan(30);
    expect(answers.every(({ result }) => result.isMain === (workers === 0))).toBe(true);
  });

  it('passes on what an item throws, and goes on', async () => {
    const pool = open(workers);
    const [plain, ours, fine] = await Promise.allSettled([
      pool.run({ value: 1, act: 'throw' }, { name: 'item 1' }),
      pool.run({ value: 2, act: 'throw-limr' }, { name: 'item 2' }),
      pool.run({ value: 3 }, { name: 'item 3' }),
    ]);
    expect(plain).toMatchObject({ reason: { code: 'LIMR_INTERNAL', message: 'grading item 1 failed: bad luck' } });
    expect(ours).toMatchObject({ reason: { code: 'LIMR_FORMAT', message: 'bad form', hint: 'Mend it.' } });
    expect(fine).toMatchObject({ value: { result: { square: 9 } } });
  });

  it('passes on why the task cannot be made, to everyone', async () => {
    const pool = open(workers, { fails: true });
    const settled = await Promise.allSettled(numbers(3).map((item) => pool.run(item, { name: '' })));
    for (const one of settled) {
      expect(one).toMatchObject({ reason: { code: 'LIMR_USAGE', message: 'no such thing', hint: 'Choose another.' } });
    }
  });

  it('runs nothing whose caller has left', async () => {
    const run = open(workers).run({ value: 1 }, { name: 'item 1', signal: AbortSignal.abort() });
    await expect(run).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
  });
});

it('uses its workers at once, and starts no more than there is work', async () => {
  const busy = await runAll(open(2), [
    { value: 1, spin: 400 },
    { value: 2, spin: 400 },
    { value: 3, spin: 400 },
    { value: 4, spin: 400 },
  ]);
  expect(new Set(busy.map(({ result }) => result.thread)).size).toBe(2);
  const one = open(3);
  const first = await one.run({ value: 1 }, { name: '' });
  const second = await one.run({ value: 2 }, { name: '' });
  expect(second.result.thread).toBe(first.result.thread);
});

describe('a worker that dies is replaced', () => {
  it.each(['exit', 'heap'] as const)('(%s), and everything is graded all the same', async (act) => {
    const file = join(root, `${act}.txt`);
    const items: Item[] = [...numbers(100), { value: 100, act, times: 2, file }, ...numbers(100)];
    const answers = await runAll(open(2), items);
    expect(answers.map(({ result }) => result.square)).toEqual([...squares(100), 10_000, ...squares(100)]);
    expect(readFileSync(file, 'utf8')).toBe('x\nx\n');
    expect(incidents).toHaveLength(2);
    expect(incidents[0]).toMatch(/^a grading worker was lost at item 100 \(.+\); grading it again$/);
  });

  it('by a failure that nobody caught too', async () => {
    const file = join(root, 'reject.txt');
    const items: Item[] = [{ value: 1, act: 'reject', times: 1, file }, ...numbers(50)];
    const answers = await runAll(open(1), items);
    expect(answers.map(({ result }) => result.square)).toEqual([1, ...squares(50)]);
  });

  it('until an item has ended three of them: then it is an error that names it, and the others are graded', async () => {
    const pool = open(2);
    const items: Item[] = [...numbers(40), { value: 40, act: 'exit' }, ...numbers(40)];
    const settled = await Promise.allSettled(items.map((item, i) => pool.run(item, { name: `item ${i}` })));
    const lost = settled.flatMap((one, i) => (one.status === 'rejected' ? [{ i, reason: one.reason }] : []));
    expect(lost).toMatchObject([
      {
        i: 40,
        reason: { code: 'LIMR_INTERNAL', message: 'grading item 40 ended 3 workers: its thread exited with 7' },
      },
    ]);
    expect(lost[0]!.reason.hint).toContain('limr-engine verify');
    expect(incidents).toHaveLength(2);
  });
});

describe('the watchdog', () => {
  it('ends a worker that stands still, and grades its item once more', async () => {
    const file = join(root, 'hang.txt');
    const items: Item[] = [...numbers(20), { value: 20, act: 'hang', times: 1, file }, ...numbers(20)];
    const answers = await runAll(open(1, {}, 400), items);
    expect(answers.map(({ result }) => result.square)).toEqual([...squares(20), 400, ...squares(20)]);
    expect(incidents).toEqual(['a grading worker was lost at item 20 (it stood still for 400 ms); grading it again']);
  });

  it('makes the second time an error that names it, never a verdict', async () => {
    const pool = open(1, {}, 300);
    const settled = await Promise.allSettled([
      pool.run({ value: 1, act: 'hang' }, { name: 'the slow one' }),
      pool.run({ value: 2 }, { name: 'another' }),
    ]);
    expect(settled).toMatchObject([
      { reason: { code: 'LIMR_INTERNAL', message: 'grading the slow one stood still for 300 ms, 2 times' } },
      { value: { result: { square: 4 } } },
    ]);
  });

  it('leaves many short items alone that together take long', async () => {
    const items = Array.from({ length: 30 }, (_, value) => ({ value, spin: 40 }));
    expect(await runAll(open(1, {}, 300), items)).toHaveLength(30);
    expect(incidents).toEqual([]);
  });
});

it('refuses what cannot cross threads instead of waiting for ever', async () => {
  const pool = open(1);
  await expect(pool.run({ value: 1, act: 'unclonable' }, { name: 'item 1' })).rejects.toMatchObject({
    code: 'LIMR_INTERNAL',
    message: expect.stringContaining('grading item 1 failed'),
  });
  const item = { value: 1, method: () => 0 };
  await expect(pool.run(item, { name: 'item 2' })).rejects.toThrow(/could not be cloned/);
  expect((await pool.run({ value: 3 }, { name: 'item 3' })).result.square).toBe(9);
});

it('lets a caller leave: what waits is dropped, what others wait for is not', async () => {
  const pool = open(1);
  const file = join(root, 'left.txt');
  const controller = new AbortController();
  const first = pool.run({ value: 1, spin: 200 }, { name: 'item 1' });
  const left = Array.from({ length: 50 }, () =>
    pool.run({ value: 2, act: 'throw', times: 99, file }, { name: 'item 2', signal: controller.signal }),
  );
  const last = pool.run({ value: 3 }, { name: 'item 3' });
  controller.abort();
  for (const one of await Promise.allSettled(left)) expect(one).toMatchObject({ reason: { code: 'LIMR_ABORTED' } });
  expect([(await first).result.square, (await last).result.square]).toEqual([1, 9]);
  expect(() => readFileSync(file)).toThrow(); // not one of them ran
});

it('refuses work once it is closed, and what still waits', async () => {
  const pool = open(1);
  const waits = pool.run({ value: 1, act: 'hang' }, { name: 'item 1' });
  await Promise.all([pool.close(), expect(waits).rejects.toMatchObject({ code: 'LIMR_STATE' })]);
  await expect(pool.run({ value: 1 }, { name: '' })).rejects.toMatchObject({ code: 'LIMR_STATE' });
});
