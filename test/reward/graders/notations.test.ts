import { describe, expect, it } from 'vitest';
import { standardCompare, standardGrader } from '../../../src/reward/graders/standard.js';

/** How data sets and models spell answers beyond what their mathematics asks for; a row has the spellings of one and the same. */
const alike: Record<string, readonly (readonly string[])[]> = {
  units: [
    [
      '5',
      '5 m^2',
      '5\\text{ m}^2',
      '5 m',
      '5 V',
      '5\\,\\Omega',
      '5 \\mathrm{~kg} / \\mathrm{m}^{3}',
      '5\\ \\mu m',
      '5 m²',
      '5\\text{ m²}',
      '5 sq. ft',
    ],
    ['9.8', '9.8 m/s^2', '9.8 \\frac{m}{s^2}', '9.8\\,\\mathrm{m}\\cdot\\mathrm{s}^{-2}', '9.8\\, m\\, s^{-2}'],
    ['3\\times 10^8', '3*10^8 m/s', '3 x 10^8', '3.00\\cdot 10^8\\,\\mathrm{m\\,s^{-1}}'],
    ['5\\text{ m}^2', '5 m^2', '5\\text{ square meters}', '5 sq m', '5平方米'],
    ['5', '5 miles per hour', '5 years old', '5 km/h'],
    ['-40^\\circ\\text{C}', '-40^{\\circ}\\mathrm{C}', '-40 ^\\circ C'],
  ],
  intervals: [
    ['(1,2)', ']1,2[', '\\left]1,2\\right[', '1<x<2', 'x\\in ]1;2['],
    ['(-1,1]', ']-1,1]', '-1<x\\le 1'],
    ['[0,\\infty)', '[0,\\infty[', '0\\le x<\\infty'],
    ['[a,b]', 'a\\le x\\le b', 'x\\in[a,b]', 'b\\ge x\\ge a'],
    ['(a,\\infty)', 'x>a', 'a<x'],
    ['(-\\infty,a)\\cup[b,\\infty)', 'x<a\\text{ or }x\\ge b'],
    ['(-\\infty,2)\\cup(3,\\infty)', '(-oo,2) U (3,oo)', 'x<2或x>3', '{x|x<2或x>3}'],
  ],
  choices: [
    ['B', 'B) 42', 'B. 42', 'B: 42', '\\text{B. }42', 'Option B', '\\textbf{(B)}', '**B**', '(\\mathrm{B})'],
    ['ACD', 'A, C, D', 'A、C、D', '\\text{A, C and D}', '(A)(C)(D)', '\\{A, C, D\\}'],
    ['①②④', '①、②、④', '④②①'],
    ['27', '\\textbf{(D) }27', '(D) 27'],
  ],
  names: [
    ['(2,-1)', 'P(2,-1)', 'A(2,-1)', 'y=-1, x=2', '\\left\\{\\begin{array}{l}x=2\\\\y=-1\\end{array}\\right.'],
    ['y=2x+3', 'f(x)=2x+3', 'y(x)=2x+3', '2x+3=y'],
    ['\\mathbb{R}', 'R', '\\mathbf{R}', 'all real numbers'],
    ['k\\pi+\\frac{\\pi}{4},k\\in Z', '\\frac{\\pi}{4}+k\\pi(k\\in\\mathbb{Z})', 'k\\pi+\\frac{\\pi}{4}'],
    ['f(x)=0', 'f(x)\\equiv 0'],
    ['x^2-1', '(x-1)(x+1)=x^2-1'],
    ['b', 'P(b)=b'],
    ['1,-2', '\\{1\\}\\cup\\{-2\\}'],
    ['x=2\\text{ or }x=-3', 'x_1=2,x_2=-3', '\\{2,-3\\}'],
    ['\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}', '[[1,2],[3,4]]', '\\begin{pmatrix}1&2\\cr3&4\\end{pmatrix}'],
  ],
  numbers: [
    ['60^\\circ', '60^o', '60^{\\text{o}}', '60度'],
    ['12\\frac12\\%', '12.5\\%', '0.125'],
    ['\\frac{4}{11}', '0.363636\\ldots', '0.\\dot3\\dot6', '0.\\overline{36}'],
    ['1:2:3', '2:4:6', '1\\text{:}2\\text{:}3'],
    ['3:4', '3 to 4', '3\\text{ to }4', '\\frac34'],
    ['2.5\\text{ million}', '2,500,000', '2.5 million'],
    ['5', 'five', '\\text{five}', '5个'],
    ['n\\equiv 1\\pmod 3', 'n\\equiv 1\\ (\\text{mod }3)', 'n\\equiv 4\\pmod 3', 'n\\equiv 1 \\mod 3'],
    ['3, -1', '3或-1', '3\\text{ 或 }-1', 'x=3或x=-1'],
    ['\\sqrt{1-x^2}', '\\cos(\\arcsin x)'],
    ['\\int_0^1 f(x)\\,dx', '\\int_{0}^{1}f(x)\\mathrm{d}x'],
    ['\\text{ellipse}', 'an ellipse'],
  ],
};

describe.each(Object.entries(alike))('%s', (_, rows) => {
  it.each(rows.map((row) => [row[0]!, row.slice(1)] as const))('%s, spelled otherwise', (gold, others) => {
    const missed = others.filter((other) => !standardCompare(gold, other).equal || !standardCompare(other, gold).equal);
    expect(missed).toEqual([]);
  });
});

it.each([
  ['5m', '5'],
  ['5 m', '5x'],
  ['5 m^2', '5 m'],
  ['5 m', '5\\text{ cm}'],
  ['5\\text{ cm}^2', '5 cm^3'],
  ['3m^2', '3'],
  ['[a,b]', 'a<x<b'],
  ['[a,\\infty)', 'x\\le a'],
  [']1,2]', '[1,2]'],
  ['B', 'C) 42'],
  ['ACD', 'A, C'],
  ['(A, B)', '(B, A)'],
  ['x=-1,y=2', '(2,-1)'],
  ['1,-2', '(1,-2,1)'],
  ['B', "B'"],
  ['\\emptyset', '\\{\\emptyset\\}'],
  ['4x', 'y^2=4x'],
  ['1:2:3', '1:3:2'],
  ['1:2:3', '\\frac16'],
  ['2.5\\text{ million}', '2.5'],
  ['n\\equiv 1\\pmod 3', 'n\\equiv 1\\pmod 4'],
  ['k\\pi, k\\in\\mathbb{Z}', '2k\\pi, k\\in\\mathbb{Z}'],
  ['5=x', 'x'],
  ['x^2=5', '5'],
  ['A6_{16}', 'A6_{15}'],
  ['2^{-2000}\\pi', '2^{-2001}\\pi'],
  ['\\sqrt2+10^{-170}', '\\sqrt2'],
  ['e^{-e^{10}}', 'e^{-e^{11}}'],
  ['\\arcsin(x)^{1000}', '\\arcsin(x)^{1001}'],
  ['\\sqrt{x}^{10^{12}}', '\\sqrt{x}^{10^{13}}'],
])('%s is not %s, either way round', (gold, answer) => {
  expect(standardCompare(gold, answer).equal).toBe(false);
  expect(standardCompare(answer, gold).equal).toBe(false);
});

describe('what a response says', () => {
  it.each([
    ['42', '<answer>42</answer>', true],
    ['42', '<think>Maybe \\boxed{10}? No.</think> The answer is 42.', true],
    ['42', '#### 42', true],
    ['42', 'She earns \\$42.', true],
    ['42', '答案是42。', true],
    ['42', '故答案为：42.', true],
    ['42', 'Let me think. 42 is even, so the final answer is \\boxed{}', false],
    ['3', 'The ratio is 3:4.', false],
    ['B', '故选：B', true],
    ['B', 'The correct option is B.', true],
    ['B', 'The correct choice is (B) 42.', true],
    ['B', 'Hence, option (B) is correct.', true],
    ['B', 'Option B is wrong, so the answer is C.', false],
  ])('%s: %s', (gold, response, equal) => {
    expect(standardGrader.grade(gold, response).equal).toBe(equal);
  });
});
