/**
 * Random numbers of the training loop. All but the prompt order are counter-based: a number depends on what it is for,
 * never on what was drawn before it, so a resumed run needs no generator state.
 */

/** Second key word of every random stream, beside the run's seed. Evaluation set i has purposes 16 + 2i and 17 + 2i. */
export const purpose = {
  training: 0,
  batchOrder: 1,
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
 * A permutation of 0..n-1 in which sample ids are dealt to the optimizer steps of a PPO epoch (Fisher-Yates; draw i
 * takes the Philox word of counter i).
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

/**
 * `torch.randperm(n, generator=torch.Generator().manual_seed(seed))` on the CPU: MT19937 seeded by init_genrand, then
 * r[i] <-> r[i + u32 % (n - i)] for i = 0..n-2. randperm(10, 42) is [2, 6, 1, 8, 4, 5, 0, 9, 3, 7].
 */
export function randperm(n: number, seed: number): Int32Array {
  const next = mt19937(seed);
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = 0; i + 1 < n; ++i) {
    const j = i + (next() % (n - i));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** Matsumoto and Nishimura 1998; returns the generator of uniform 32-bit words. */
function mt19937(seed: number): () => number {
  const [size, shift] = [624, 397];
  const state = new Uint32Array(size);
  state[0] = seed;
  for (let i = 1; i < size; ++i) {
    const previous = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1812433253, previous) + i;
  }
  let at = size;
  return () => {
    if (at === size) {
      for (let i = 0; i < size; ++i) {
        const mixed = (state[i]! & 0x80000000) | (state[(i + 1) % size]! & 0x7fffffff);
        state[i] = state[(i + shift) % size]! ^ (mixed >>> 1) ^ (mixed & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let word = state[at++]!;
    word ^= word >>> 11;
    word ^= (word << 7) & 0x9d2c5680;
    word ^= (word << 15) & 0xefc60000;
    return (word ^ (word >>> 18)) >>> 0;
  };
}
