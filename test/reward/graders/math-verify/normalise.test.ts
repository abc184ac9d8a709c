import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { normaliseLatex } from '../../../../src/reward/graders/math-verify/normalise.js';
import { bestOfThreeMs } from '../../support.js';

/** Made by scripts/golden/math_verify_normalise.py. */
type Row = readonly [text: string, allBoxes: string, lastBox: string];

const rows = JSON.parse(
  readFileSync(new URL('../../../golden/math-verify-normalise.json', import.meta.url), 'utf8'),
) as readonly Row[];

describe('normaliseLatex', () => {
  it('makes of LaTeX what latex2sympy2_extended makes of it', () => {
    expect(rows.length).toBeGreaterThan(600);
    expect(rows.filter(([text, all]) => text !== all).length).toBeGreaterThan(400);
    for (const [text, all, last] of rows) {
      expect([normaliseLatex(text, { boxed: 'all' }), normaliseLatex(text, { boxed: 'last' })], text).toEqual([
        all,
        last,
      ]);
    }
  });

  it.each([
    ['\\dfrac12', '\\frac{1}{2}'],
    ['\\frac\\pi4', '\\frac{\\}{p}i4'], // as there
    ['2s', '2'],
    ['\\sin^2 t', '\\sin^2'],
    ['5\\text{ cm}^2', '5'],
    ['x^(n+1)', 'x^{n+1}'],
    ['.25', '0.25'],
    ['0.5', '\\frac{1}{2}'],
    ['-3/4', '\\frac{-3}{4}'],
    ['1 and 2', '1, 2'],
    ['50 percent', '50\\%'],
    ['(10)_{3}', '\\frac{(10)!}{((10)-(3))!}'],
  ])('%s becomes %s', (text, normalised) => {
    expect(normaliseLatex(text, { boxed: 'all' })).toBe(normalised);
  });

  it('takes all boxes, or the last ones that stand close', () => {
    const text = '\\boxed{1} and so on, then \\boxed{2}, \\boxed{3}';
    expect(normaliseLatex(text, { boxed: 'all' })).toBe('1,2,3');
    expect(normaliseLatex(text, { boxed: 'last' })).toBe('1,2,3');
    expect(normaliseLatex(text.replace(', then', ' then'), { boxed: 'last' })).toBe('1,2,3');
    expect(normaliseLatex(`\\boxed{1}${' '.repeat(70)}, \\boxed{2}`, { boxed: 'last' })).toBe('2');
    expect(normaliseLatex('\\boxed{1} is not \\boxed{2}', { boxed: 'last' })).toBe('1,2'); // 8 characters
    expect(normaliseLatex('\\boxed{1} is surely not \\boxed{2}', { boxed: 'last' })).toBe('2');
  });

  it('takes near-linear time', () => {
    const pieces = [
      '^(',
      'sqrt(',
      '\\frac{',
      '\\frac1{',
      '\\sqrt',
      '\\boxed{',
      '\\boxed{1}',
      ' ',
      '(a',
      '\\text{',
      ' and',
      '\\! ',
      '{ ,',
      '9s',
    ];
    for (const piece of pieces) {
      const text = piece.repeat(20_000 / piece.length);
      expect(
        bestOfThreeMs(() => normaliseLatex(text, { boxed: 'all' })),
        piece,
      ).toBeLessThan(50);
    }
    expect(bestOfThreeMs(() => normaliseLatex('\\frac{'.repeat(170_000), { boxed: 'all' }))).toBeLessThan(1_000);
  });
});
