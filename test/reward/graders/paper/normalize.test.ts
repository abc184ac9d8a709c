import { describe, expect, it } from 'vitest';
import { normalizeFinalAnswer } from '../../../../src/reward/graders/paper/normalize.js';
import { sharedFile } from '../../../shared.js';
import { jsonLines } from '../../support.js';
import { leastMs, million } from './support.js';

describe('normalizeFinalAnswer', () => {
  const vectors = sharedFile('verifier/eval_normalize.jsonl');
  it.skipIf(vectors === undefined)('gives what the evaluation code of LIMR gives', () => {
    const rows = jsonLines<{ input: string; output: string }>(vectors!);
    const wrong = rows.filter(({ input, output }) => normalizeFinalAnswer(input) !== output);
    expect(wrong).toEqual([]);
    expect(rows.length).toBeGreaterThan(1800);
  });

  it.each([
    ['\\(5\\)', '5'],
    ['\\[5', '5'],
    ['5\\)', '5'],
    ['\u001f\\(5\\)\u0085', '5'],
    ['\\$1,000.$', '1000'],
    ['1,000', '1000'],
    ['1,000.5', '1,000.5'],
    ['1,\u00b2', '1\u00b2'],
    ['\u0661,\u0662', '\u0661\u0662'],
    [',', ','],
    ['an area of 5', 'areaof5'],
    ['the square root of 2', 'therootof2'],
    ['\\text{5 cm}', '5'],
    ['\\text{a\\text{b}c}', 'a\\text{bc}'],
    ['\\text{a\n}\\text{b}', '\\text{a\n}b'],
    ['\\text{a\\text{b\n}', '\\text{a\\text{b\n}'],
    ['\\text{a\n\\text{b}', '\\text{a\nb'],
    ['\\boxed{\\frac{1}{2}}x', '\\frac{1}{2}x'],
    ['\\boxed{1}\n\\boxed{2}}', '1\n2}'],
    ['}\\boxed{1', '}\\boxed{1'],
    ['\\frac12', '\\frac{1}{2}'],
    ['\\frac1\n', '\\frac1'],
    ['\\frac\n12', '\\frac{\n}{1}2'],
    ['\\frac{1}2', '\\frac{1}2'],
    ['\\frac\u{1d7d8}\u{1d7d9}', '\\frac{\u{1d7d8}}{\u{1d7d9}}'],
    ['\\fracfrac12', '\\frac{f}{r}ac12'],
    ['\\sqrt2', '\\sqrt{2}'],
    ['\\sqrt[3]{x}', '\\sqrt{[}3]{x}'],
    ['\\overline{AB}', 'AB'],
    ['f^{\\prime}(x)\\approx2', "f'(x)=2"],
    ['90^{\\circ}', '90'],
    ['9{,}000,\\!000', '9000000'],
    ['\\left(1,2\\right]', '(1,2]'],
    ['\\leftarrow', 'arrow'],
    ['\\ldots\\dots', ''],
    ['\\text{m}^2', ''],
  ])('%j becomes %j', (input, output) => expect(normalizeFinalAnswer(input)).toBe(output));

  it('takes no longer than the text is long', () => {
    const units = [
      '\\text{',
      '\\text{a}',
      '\\text{\n',
      '\\boxed{',
      '\\boxed{\n}',
      'frac',
      'sqrt',
      ',',
      '1,',
      '$',
      '\\left',
      ' ',
      '}',
      '{',
    ];
    for (const unit of units) {
      for (const tail of ['', '}', '\n']) {
        const text = million(unit) + tail;
        expect(
          leastMs(() => normalizeFinalAnswer(text), 500),
          JSON.stringify(unit + tail),
        ).toBeLessThan(500);
      }
    }
  });
});
