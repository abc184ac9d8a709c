/**
 * Counter-based random numbers: a number depends on what it is for, never on what was drawn before it, so a resumed run
 * needs no generator state.
 */

/** Second key word of every random stream, beside the run's seed. Evaluation set i has purposes 16 + 2i and 17 + 2i. */
export const purpose = {
  training: 0,
  batchOrder: 1,
  /** "rwd" in ASCII. */
  randomReward: 0x727764,
  evaluation: (set: number) => 16 + 2 * set,
  sampledEvaluation: (set: number) => 17 + 2 * set,
} as const;

/**
 * Philox4x32-10, the native core's generator. Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
 * @param counter four 32-bit words
 * @param key two 32-bit words
 * @returns four uniform 32-bit words
 */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; ++round) {
    const low0 = Math.imul(0xd2511f53, c0) >>> 0;
    const low1 = Math.imul(0xcd9e8d57, c2) >>> 0;
    const high0 = multiplyHigh(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** Upper 32 bits of a 32 x 32 bit product, from 16-bit halves: every partial sum stays below 2^53. */
function multiplyHigh(a: number, b: number): number {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + Math.floor((aLow * bLow) / 0x10000);
  const carried = aLow * bHigh + (middle % 0x10000);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carried / 0x10000)) >>> 0;
}

/**
 * A permutation of 0..n-1 in which samples are dealt to the optimizer steps of an epoch (Fisher-Yates; draw i takes the
 * Philox word of counter i).
 */
export function batchOrder(n: number, seed: number, rollout: number, epoch: number): Int32Array {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i + 1 < n; ++i) {
    const [word] = philox([rollout, epoch, i, 0], [seed, purpose.batchOrder]);
    const j = i + Math.floor((word / 0x100000000) * (n - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
