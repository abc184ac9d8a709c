/**
 * The random numbers of the data: sfc32 (Chris Doty-Humphrey, PractRand; 128 bits of state, period of 2^32 and more).
 * A stream is keyed by (seed, purpose, index), so that problem `index` is the same whatever was drawn before it.
 */
export type Purpose = 'heldout' | 'train' | 'corpus';

const purposeWord: Record<Purpose, number> = { heldout: 1, train: 2, corpus: 3 };

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;

  /**
   * @param seed any integer; its low 32 bits count
   * @param index number of the draw within its purpose; its low 32 bits count
   */
  constructor(seed: number, purpose: Purpose, index: number) {
    this.a = seed | 0;
    this.b = purposeWord[purpose];
    this.c = index | 0;
    for (let i = 0; i < 12; i++) this.next(); // the author's warm-up
  }

  /** Uniform in [0, 2^32). */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  /** Uniform in [0, 1), 32 bits. */
  unit(): number {
    return this.next() / 2 ** 32;
  }

  /** Uniform integer in [low, high], both included; the bias is below (high - low) / 2^32. */
  int(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }

  /** One entry of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const item = list[this.int(0, list.length - 1)];
    if (item === undefined) throw new RangeError('pick from an empty list');
    return item;
  }

  /** Index i with probability weights[i] / sum(weights). */
  weighted(weights: readonly number[]): number {
    let rest = this.unit() * weights.reduce((sum, weight) => sum + weight, 0);
    for (let i = 0; i < weights.length - 1; i++) {
      rest -= weights[i] ?? 0;
      if (rest < 0) return i;
    }
    return weights.length - 1;
  }
}
