/**
 * The random numbers of the data: the project's Philox, keyed by (seed, purpose, index), so that problem `index` is the
 * same whatever was drawn before it.
 */
import { philox } from '../../src/random.js';

export type Purpose = 'heldout' | 'train' | 'corpus';

const purposeWord: Record<Purpose, number> = { heldout: 1, train: 2, corpus: 3 };

/** Second word of the key, "nano" in ASCII: other users of the same seed draw from other streams. */
const keyWord = 0x6e616e6f;

export class Random {
  private block: readonly number[] = [];
  private numDrawn = 0;

  /**
   * @param seed any integer; its low 32 bits count
   * @param index number of the problem within its purpose; its low 32 bits count
   */
  constructor(
    private readonly seed: number,
    private readonly purpose: Purpose,
    private readonly index: number,
  ) {}

  /** Uniform in [0, 1), 32 bits. */
  unit(): number {
    const place = this.numDrawn % 4;
    if (place === 0) {
      const counter = [Math.floor(this.numDrawn / 4), this.index, purposeWord[this.purpose], 0] as const;
      this.block = philox(counter, [this.seed, keyWord]);
    }
    this.numDrawn++;
    return (this.block[place] ?? 0) / 2 ** 32;
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
