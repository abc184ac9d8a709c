import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createGrader } from '../../../../src/reward/index.js';

/** Made by scripts/golden/math_verify_table.py: equal[gold] are the places of the answers that Math-Verify calls equal to it. */
interface Table {
  readonly answers: readonly string[];
  readonly equal: readonly (readonly number[])[];
}

const file = new URL('../../../golden/math-verify-table.json', import.meta.url);
const { answers, equal: places } = JSON.parse(readFileSync(file, 'utf8')) as Table;

it('says what Math-Verify says of every pair of the table, but for known ones', () => {
  const { compare } = createGrader('math-verify');
  const other: string[] = [];
  answers.forEach((gold, row) => {
    answers.forEach((answer, column) => {
      const { equal } = compare(gold, answer);
      if (equal !== places[row]!.includes(column)) other.push(`${gold} | ${answer} | ${equal}`);
    });
  });
  expect(other.length / answers.length ** 2).toBeLessThan(0.001);
});
