import { expect, it } from 'vitest';
import { standardCompare } from '../../../src/reward/graders/standard.js';
import { sharedFile } from '../../shared.js';
import { jsonLines } from '../support.js';

interface Pair {
  readonly rule: string;
  readonly x: string;
  readonly y: string;
  readonly expected: 0 | 1;
}

const file = sharedFile('verifier/pairs.jsonl');

it.skipIf(file === undefined)('every pair of the conformance vectors has its verdict', () => {
  const rows = jsonLines<Pair>(file!);
  expect(rows.length).toBeGreaterThan(1_000);
  const wrong = rows.filter(({ x, y, expected }) => standardCompare(x, y).equal !== (expected === 1));
  expect(wrong.map(({ rule, x, y, expected }) => `${rule}: ${x} | ${y} | ${expected}`)).toEqual([]);
});
