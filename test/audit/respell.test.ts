import { describe, expect, it } from 'vitest';
import { respell, respellings } from '../../src/audit/respell.js';

const of = (name: string, answer: string): string | null => {
  const found = respellings.find((respelling) => respelling.name === name);
  expect(found, name).toBeDefined();
  return found!.apply(answer);
};

describe('respellings', () => {
  it.each<[string, string, string | null]>([
    ['in dollars', '5', '$5$'],
    ['in dollars', '\\$5', null],
    ['in \\( \\)', '5', '\\(5\\)'],
    ['boxed', 'x', '\\boxed{x}'],
    ['boxed', '\\boxed{x}', null],
    ['without dollars', '$x$', 'x'],
    ['without dollars', '$x$ or $y$', null],
    ['full stop', '5', '5.'],
    ['full stop', '5.', null],
    ['\\dfrac for \\frac', '\\frac12', '\\dfrac12'],
    ['\\dfrac for \\frac', '\\fraction', null],
    ['\\frac for \\dfrac', '\\dfrac{1}{2}+\\tfrac34', '\\frac{1}{2}+\\frac34'],
    ['\\frac without braces', '\\frac{1}{2}', '\\frac12'],
    ['\\frac without braces', '\\frac{11}{2}', null],
    ['\\frac with braces', '\\frac 34', '\\frac{3}{4}'],
    ['a/b for \\frac', '-\\frac{11}{2}', '-11/2'],
    ['a/b for \\frac', '2\\frac{1}{2}', null],
    ['\\frac for a/b', '-11/2', '-\\frac{11}{2}'],
    ['minus in the numerator', '-\\frac{1}{2}', '\\frac{-1}{2}'],
    ['with \\left and \\right', '[0,\\infty)', '\\left[0,\\infty\\right)'],
    ['with \\left and \\right', '(1)(2)', null],
    ['without \\left and \\right', '\\left(1,2\\right]', '(1,2]'],
    ['without \\left and \\right', '\\leftarrow', null],
    ['no spaces', '( 1, \\frac{1}{2} )', '(1,\\frac{1}{2})'],
    ['no spaces', '1 \\frac{1}{2}', null],
    ['no spaces', '5 \\text{ cm}', null],
    ['spaces after commas', '(1,2)', '(1, 2)'],
    ['spaces after commas', '1,234', null],
    ['spaces after commas', '\\$115,000', null],
    ['spaces after commas', '1,\\!234', null],
    ['thin spaces after commas', '(1, 2)', '(1,\\,2)'],
    ['without thin spaces', '1,\\!234', '1,234'],
    ['without thin spaces', '1, \\! 234', '1,234'],
    ['without thin spaces', '(1,\\,2)', '(1,2)'],
    ['thin spaces after commas', '\\text{A, B}', null],
    ['spaces around signs', '\\phantom -1', null],
    ['spaces around signs', 'x^2-1', 'x^2 - 1'],
    ['spaces around signs', '-1', null],
    ['thousands by commas', '1234567', '1,234,567'],
    ['thousands by commas', '-12345', '-12,345'],
    ['thousands by commas', '1234', null],
    ['thousands by commas', '12345.5', null],
    ['thousands by {,}', '12345', '12{,}345'],
    ['thousands by ,\\!', '12345', '12,\\!345'],
    ['no thousands separators', '1,\\!234,\\!567', '1234567'],
    ['no thousands separators', '1,234', '1234'],
    ['no thousands separators', '1,2', null],
    ['no thousands separators', '(1,234)', null],
    ['leading zero', '-.5', '-0.5'],
    ['no leading zero', '0.5', '.5'],
    ['trailing zero', '2.5', '2.50'],
    ['trailing zero', '25', null],
    ['unicode', '2\\pi r', '2πr'],
    ['unicode', '-\\sqrt{2}', '−√2'],
    ['unicode', '(-\\infty,1]\\cup[2,3)', '(−∞,1] ∪ [2,3)'],
    ['unicode', '30^{\\circ}', '30°'],
    ['unicode', '\\left(1,2\\right)', null],
    ['unicode', '5-3', '5−3'],
    ['unicode', '\\text{non-negative}', null],
    ['braces around exponents', 'x^2', 'x^{2}'],
    ['braces around exponents', 'x^{10}', null],
    ['no braces around exponents', 'x^{2}+x^{10}', 'x^2+x^{10}'],
    ['braces around subscripts', '101_2', '101_{2}'],
    ['\\sqrt without braces', '\\sqrt{2}', '\\sqrt2'],
    ['\\sqrt with braces', '\\sqrt 2', '\\sqrt{2}'],
    ['\\le for \\leq', 'x\\leq2\\geq1', 'x\\le2\\ge1'],
    ['\\leq for \\le', 'x\\le2', 'x\\leq2'],
    ['\\leq for \\le', '\\left(1\\right)', null],
    ['plus before infinity', '(2,\\infty)', '(2,+\\infty)'],
    ['plus before infinity', '(-\\infty,2)', null],
    ['no plus before infinity', '(2, +\\infty)', '(2, \\infty)'],
    ['braces around degrees', '30^\\circ', '30^{\\circ}'],
    ['degree sign', '30^\\circ', '30°'],
    ['plain percent sign', '5\\%', '5%'],
    ['escaped percent sign', '5%', '5\\%'],
    ['without dollar sign', '\\$ 5.50', '5.50'],
    ['bmatrix for pmatrix', '\\begin{pmatrix}1\\end{pmatrix}', '\\begin{bmatrix}1\\end{bmatrix}'],
    ['in \\text', 'odd', '\\text{odd}'],
    ['in \\text', 'ab', null],
    ['\\mathrm for \\text', '\\text{odd}', '\\mathrm{odd}'],
    ['without \\text', '\\text{4:30 p.m.}', '4:30 p.m.'],
    ['choice in parentheses', '\\text{B}', '\\text{(B)}'],
    ['choice without parentheses', '(C)', '\\text{C}'],
  ])('%s: %j -> %j', (name, answer, want) => {
    expect(of(name, answer)).toBe(want);
  });

  it('have different names, and leave what is empty alone', () => {
    expect(new Set(respellings.map(({ name }) => name)).size).toBe(respellings.length);
    expect(respell('')).toEqual([]);
    expect(respell('  ')).toEqual([]);
  });

  it('never write what was there', () => {
    for (const answer of ['5', '\\frac12', '(1, 2)', 'x^2 + 1', '\\text{odd}', '1,\\!000', '-\\sqrt{3}']) {
      for (const { text, name } of respell(answer)) expect(text, name).not.toBe(answer);
    }
  });
});
