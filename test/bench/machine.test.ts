/** The probes behind `limr-engine bench`: the machine's limits, and single linear layers. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Engine } from '../../src/engine/engine.js';

let engine: Engine;
beforeAll(() => {
  engine = Engine.open({ threads: 2 });
});
afterAll(() => engine.close());

describe('machineProbe', () => {
  it('gives rates that a machine can have, the best no lower than the median', async () => {
    const probe = await engine.machineProbe(16 << 20);
    expect(probe.readBytes).toBe(16 << 20);
    const { flops, readBytes } = await probe.measure(0.05);
    // A core from 1995 and a rack: bounds of the unit, not of the speed.
    for (const { best, median } of [flops, readBytes]) {
      expect(median).toBeGreaterThan(1e7);
      expect(best).toBeLessThan(1e16);
      expect(best).toBeGreaterThanOrEqual(median);
    }
    await expect(probe.measure(0)).rejects.toMatchObject({ code: 'LIMR_USAGE' });
    probe.close();
    expect(() => probe.measure(0.05)).toThrow(/the probe of the machine is closed/);
  });

  it('refuses memory that is none', async () => {
    await expect(engine.machineProbe(1000)).rejects.toMatchObject({ code: 'LIMR_USAGE' });
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
