/** RAND, the paper's rival that draws. */
import { philox } from '../random.js';

/** Second key word of the draws; "sel" in ASCII, beside those of src/random.ts. */
const selectionPurpose = 0x73656c;

/**
 * A uniform number in [0, 1) for each prompt, of 53 bits, keyed by seed and row. The prompts of the highest ones are a random
 * subset without replacement; a larger subset of the same seed contains the smaller one.
 * @param rows of the prompts in their file
 */
export function randomPriorities(rows: ArrayLike<number>, seed: number): Float64Array {
  return Float64Array.from(rows, (row) => {
    const [high, low] = philox([row, 0, 0, 0], [seed, selectionPurpose]);
    return ((high >>> 5) * 0x4000000 + (low >>> 6)) / 2 ** 53;
  });
}
