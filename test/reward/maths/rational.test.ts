import { describe, expect, it } from 'vitest';
import { maxBits, multiply, power, type Rational, rational } from '../../../src/reward/maths/rational.js';

describe('power', () => {
  it.each([
    [2n, 3n],
    [-2n, 3n],
    [5n, 1n],
    [-7n, 1n],
    [1n, 9n],
  ])('of %s/%s is repeated multiplication, in lowest terms', (n, d) => {
    const a: Rational = { n, d };
    let product: Rational = { n: 1n, d: 1n };
    for (let k = 0n; k < 8n; k += 1n) {
      expect(power(a, k)).toEqual(product);
      expect(power(a, -k)).toEqual(rational(product.d, product.n));
      product = multiply(product, a)!;
    }
  });

  it('refuses what is too large, either way up', () => {
    const half = BigInt(maxBits / 2);
    expect(power({ n: 2n, d: 3n }, half)).not.toBeNull();
    expect(power({ n: 2n, d: 9n }, half)).toBeNull();
    expect(power({ n: 2n, d: 9n }, -half)).toBeNull();
    expect(power({ n: 0n, d: 1n }, -1n)).toBeNull();
  });
});
