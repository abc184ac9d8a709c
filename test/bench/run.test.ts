import { describe, expect, it } from 'vitest';
import { type BenchCase, limitOf } from '../../src/bench/case.js';
import { runBench } from '../../src/bench/run.js';

const rate = (best: number, median: number) => ({ best, median });
/** The machine is fastest in the second turn. */
function probe() {
  let turn = 0;
  return {
    measure: async () => {
      turn += 1;
      return { flops: rate(turn === 2 ? 200 : 100, 90), readBytes: rate(10, 9) };
    },
  };
}

function fake(name: string, seconds: readonly number[], extra: Partial<BenchCase> = {}) {
  const calls: string[] = [];
  let at = 0;
  const run = async () => {
    calls.push(name);
    return seconds[at++] ?? Number.NaN;
  };
  return { calls, ...{ name, suite: 's', unit: 'tokens', amount: 12, run }, ...extra };
}

describe('runBench', () => {
  it('takes turns, leaves the warm-up out, and relates medians to the best rates', async () => {
    const order: string[] = [];
    const [a, b] = [fake('a', [99, 2, 4, 3], { flops: 60, bytes: 6, limit: 'flops' }), fake('b', [99, 1, 1, 1])];
    const inOrder = (each: BenchCase): BenchCase => ({
      ...each,
      run: () => {
        order.push(each.name);
        return each.run();
      },
    });
    const result = await runBench([inOrder(a), inOrder(b)], probe(), 3, {
      onProgress: (done, total, name) => order.push(`${done}/${total} ${name}`),
    });
    expect(order.filter((text) => text.length === 1).join('')).toBe('abababab');
    expect(order.at(-1)).toBe('8/8 b');
    expect(result.limits).toEqual({ flops: 200, readBytes: 10 });
    expect(result.turns).toEqual(Array(3).fill({ flops: 90, readBytes: 9 }));
    const [first, second] = result.cases;
    expect(first).toMatchObject({ seconds: [2, 4, 3], medianSeconds: 3, spreadSeconds: 1, perSecond: 4, mfu: 0.1 });
    expect(first?.bandwidth).toBeCloseTo(0.2, 12);
    expect(second).not.toHaveProperty('mfu');
    expect(second).not.toHaveProperty('bandwidth');
  });

  it('stops between repetitions', async () => {
    const controller = new AbortController();
    const each = fake('a', [1, 1, 1]);
    const stopping = { signal: controller.signal, onProgress: () => controller.abort() };
    await expect(runBench([each], probe(), 5, stopping)).rejects.toMatchObject({ code: 'LIMR_ABORTED' });
    expect(each.calls).toHaveLength(1);
  });
});

describe('limitOf', () => {
  it('is memory where a byte is read for few products', () => {
    expect(limitOf(2, 1)).toBe('readBytes');
    expect(limitOf(1000, 1)).toBe('flops');
  });
});
