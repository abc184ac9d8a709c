import { expect, it } from 'vitest';
import { type Category, categories, categoryOf } from '../../src/audit/category.js';

const examples: Readonly<Record<Category, readonly string[]>> = {
  integer: ['5', '-12', '1,234', '9,\\!000,\\!000', '1{,}234', '$5$', '\\(7\\)', '7.'],
  decimal: ['0.5', '.79', '-3.0', '1,234.5'],
  fraction: ['\\frac{1}{2}', '\\dfrac34', '-\\tfrac{1}{2}', '3/4', '2\\frac{1}{2}', '11 \\frac{2}{3}', '\\frac 9{5}'],
  radical: ['\\sqrt{2}', '\\frac{1+\\sqrt5}{2}', '36 - 12\\sqrt{3} - 4\\pi', '\\sqrt[3]{2}'],
  polynomial: ['x^2+1', '(x-1)(x+2)', '\\frac{18+3c}{7}', '2k', '10x \\sqrt{21x}'],
  tuple: ['(1,2)', '\\left( -\\frac{1}{2}, 3, 0 \\right)', '(3 \\sqrt{3}, -9)'],
  interval: ['[1,2]', '(1,2]', '(-\\infty, 2)', '(0,1)\\cup(1,2)', '\\left[ 0, \\infty \\right)'],
  set: ['1, 2, 3', '\\{1,2\\}', '1 \\pm \\sqrt2', '3 \\text{ or } 5', '\\emptyset'],
  matrix: ['\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}', '\\begin{array}{c}1\\end{array}'],
  relation: ['x = 5', 'y=2x+1', 'x \\le 3', 'x \\in [0,1]', 'a < b'],
  text: ['\\text{odd}', 'None', '\\text{two lines}', '\\text{Tuesday}', 'LQSX'],
  choice: ['A', '(B)', '\\text{C}', '\\text{(D)}', '\\textbf{(E)}'],
  percent: ['50\\%', '12.5 \\%', '3%'],
  degrees: ['30^\\circ', '45^{\\circ}', '60°', '20\\text{ degrees}'],
  money: ['\\$5', '\\$ 1.06', '\\$115,000', '382 \\text{ dollars}'],
  complex: ['3+4i', '-i', '\\sqrt{3} - 5i', '292i'],
  base: ['1011_2', '25_{6}', '152A_{11}', '-221_3'],
  units: ['3\\text{ cm}', '2400 \\mbox{ cm}^2', '7 \\text{ days}', '125\\textnormal{ miles}', '5 cm'],
  other: ['8\\pi', '2^{2005}', '1:4', '\\cos 13^\\circ'],
  empty: ['', '  ', '$$'],
};

it.each(categories)('%s', (category) => {
  expect(examples[category].map((answer) => [answer, categoryOf(answer)])).toEqual(
    examples[category].map((answer) => [answer, category]),
  );
});
