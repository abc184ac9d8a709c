/** The probes behind `limr-engine bench`: the machine's limits, and single linear layers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.js';

let engine: Engine;
beforeAll(() => {
  engine = Engine.open({ threads: 2 });
});
afterAll(() => engine.close());

describe('measureMachine', () => {
  it('gives rates that a machine can have, the best no lower than the median', async () => {
    const { flops, readBytes } = await engine.measureMachine({ seconds: 0.05, readBytes: 16 << 20 });
    // A core from 1995 and a rack: bounds of the unit, not of the speed.
    for (const { best, median } of [flops, readBytes]) {
      expect(median).toBeGreaterThan(1e7);
      expect(best).toBeLessThan(1e16);
      expect(best).toBeGreaterThanOrEqual(median);
    }
  });

  it('refuses a time that is none', async () => {
    const none = { seconds: 0, readBytes: 16 << 20 };
    await expect(engine.measureMachine(none)).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    await expect(engine.measureMachine({ seconds: 0.05, readBytes: 1000 })).rejects.toMatchObject({
      code: 'LIMR_USAGE',
    });
  });
});

describe('linear', () => {
  const shape = { tokens: 3, outputs: 64, inputs: 34, rotateBytes: 0 };

  it.each(['forward', 'swiglu', 'dinp', 'dweight'] as const)('times %s', async (op) => {
    const linear = await engine.linear({ op, ...shape });
    expect(linear.flops).toBe(2 * 3 * 64 * 34);
    expect(linear.bytes).toBe(2 * 3 * (64 + 34) + (op === 'dweight' ? 8 : 2) * 64 * 34);
    const [once, longer] = [await linear.time(0), await linear.time(1e-3)];
    expect(once).toBeGreaterThan(0);
    expect(longer).toBeGreaterThan(0);
    linear.close();
    expect(() => linear.time(0)).toThrow(/the linear layer is closed/);
  });

  it('refuses what is no op or no shape', async () => {
    await expect(engine.linear({ op: 'forward', ...shape, inputs: 33 })).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    await expect(engine.linear({ op: 'swiglu', ...shape, outputs: 40 })).rejects.toMatchObject({ code: 'LIMR_SHAPE' });
    const unknown = { op: 'transpose', ...shape } as unknown as Parameters<Engine['linear']>[0];
    expect(() => engine.linear(unknown)).toThrow(/no linear op is called "transpose"/);
  });
});
