import { describe, expect, it } from 'vitest';
import { standardGrader } from '../../../src/reward/graders/standard.js';

/** Whole responses without a box, of chat models that say it in a sentence. */
describe('standard grades what a sentence says', () => {
  const cases: readonly [response: string, equal: boolean][] = [
    ['17 + 8 is 25.', true],
    ['17 + 8 equals 25', true],
    ['17 plus 8 is 25', true],
    ['3 * 9 - 2 makes 25.', true],
    ['17 + 8 = 25', true],
    ['25', true],
    ['17 + 8 is 26.', false],
    ['25 is 17 + 9', false],
    ['17 + 8', true],
    ['x is 52', false],
  ];
  it.each(cases)('%s', (response, equal) => {
    expect(standardGrader.grade('25', response).equal).toBe(equal);
  });
});
