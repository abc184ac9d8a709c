/** PyTorch's random permutation, so that the prompts of a run come in OpenRLHF's order. */

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
