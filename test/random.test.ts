import { describe, expect, it } from 'vitest';
import { batchOrder, philox } from '../src/random.js';

describe('philox', () => {
  // Random123's known answers, tests/kat_vectors, philox4x32 10.
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('%#', (counter, key, words) => {
    expect(philox(counter, key)).toEqual(words);
  });
});

describe('batchOrder', () => {
  it('is a permutation that depends on seed, rollout and epoch', () => {
    const order = Array.from(batchOrder(50, 42, 1, 0));
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    for (const other of [batchOrder(50, 43, 1, 0), batchOrder(50, 42, 2, 0), batchOrder(50, 42, 1, 1)]) {
      expect(Array.from(other)).not.toEqual(order);
    }
  });

  it('is uniform enough: every sample comes first about equally often', () => {
    const first = new Float64Array(5);
    for (let rollout = 0; rollout < 5000; ++rollout) first[batchOrder(5, 42, rollout, 0)[0]!]! += 1;
    for (const share of first) expect(Math.abs(share - 1000)).toBeLessThan(120); // 4 standard deviations
  });
});
