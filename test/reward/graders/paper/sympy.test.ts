import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { mathEqual } from '../../../../src/reward/graders/paper/math-equal.js';
import { readSympyLatex } from '../../../../src/reward/graders/paper/sympy-latex.js';
import { sympySymbolic } from '../../../../src/reward/graders/paper/sympy-symbolic.js';
import { Budget } from '../../../../src/reward/maths/budget.js';
import { key } from '../../../../src/reward/maths/key.js';
import { Source } from '../../support.js';
import { leastMs } from './support.js';

/** Recorded from sympy by scripts/golden/paper_equal.py. */
const golden = JSON.parse(readFileSync(new URL('../../../golden/paper-equal.json', import.meta.url), 'utf8')) as {
  equal: [string, string][];
  different: [string, string][];
  values: [string, number][];
};

const symbolicEqual = (a: string, b: string) => sympySymbolic.symbolicEqual(a, b, new Budget());

describe('readSympyLatex', () => {
  it.each([
    ['2x^2+1', '(+ (* (^ x 2) 2) 1)'],
    ['\\frac{1}2', '(* (^ 2 -1) 1)'],
    ['-x^2', '(* (^ x 2) -1)'],
    ['x=2\\le y', null],
    ['x\\neq2', '(!=: x 2)'],
    ['3,-5', '3'],
    ['1,234', '1234'],
    ['1,2345', '(* 1234 5)'],
    ['1 2', '12'],
    ['12_5', '12'],
    ['12.', '1'],
    ['125.', '(* 1 2)'],
    ['5.', null],
    ['.5', null],
    ['007', null],
    ['0.333...', '33/100'],
    ['1.25.5', '(* 11/2 6/5)'],
    ['2x3', '(* 2 3)'],
    ['dog', '(* do g)'],
    ['\\text{no}', '(* (* n o) text)'],
    ['2x(x+1)', '(* (x (+ 1 x)) 2)'],
    ['f(1,234)', '(f 1 234)'],
    ['x\\in(1,2]', '(* in x)'],
    ['x\\in(y,2]', null],
    ['2(1,2)', '2'],
    ['(1,2)', null],
    ['x+(1,2)', 'x'],
    ['x=(1,2)', null],
    ['x+5.', null],
    ['x+(5.)', 'x'],
    ['x^-1', 'x'],
    ['x^23', '(^ x 23)'],
    ['x_12', 'x_{12}'],
    ["f_1'", "f_{1}'"],
    ['\\alpha_1', 'alpha_{1}'],
    ['\\sin x\\cos y', '(* (cos y) (sin x))'],
    ['\\sin 2x\\cdot3', '(sin (* (* 2 x) 3))'],
    ['\\sin(x)y', '(* (sin x) y)'],
    ['\\sin^{-1}x', '(arcsin x)'],
    ['\\sin^2x', '(^ (sin x) 2)'],
    ['\\cot^{-1}x', '(arctan (^ x -1))'],
    ['\\log_28', '(log 8 2)'],
    ['\\log8', '(ln 8)'],
    ['\\lg8', '(log 8 10)'],
    ['\\sqrt[3]{2}', '(^ 2 (^ 3 -1))'],
    ['\\sqrt2', null],
    ['|x|+|y|', '(+ (abs x) (abs y))'],
    ['|x|^{2}', '(^ (abs x) 2)'],
    ['\\lfloor x\\rfloor!', '(factorial (floor x))'],
    ['\\sum_{n=1}^{3}n', '(sum n 1 3 n)'],
    ['\\binom{5}{2}', '(binomial 5 2)'],
    ['\\overline{x}', '(conjugate x)'],
    ['-\\infty', '(* -1 infinity)'],
    ['\\mathit{ab}', 'ab'],
    ['5\\%', null],
    ['x,\\%', 'x'],
    ['5^\\circ', '(^ 5 circ)'],
    ['\\int x dx', null],
    ['', null],
  ])('%j is %s', (text, tree) => {
    const node = readSympyLatex(text);
    expect(node && key(node)).toBe(tree);
  });

  it('reads or refuses anything, in bounded time', () => {
    const source = new Source(9);
    const alphabet = [
      ...'x 1 2 . , ( ) [ ] { } ^ _ | ! + - * / = < d f'.split(' '),
      ...'\\frac \\sqrt \\sin \\log_ \\sum_{n=1}^ \\in \\pi \\{ \\} \\% \\left| \\text \\infty'.split(' '),
    ];
    let read = 0;
    for (let i = 0; i < 20_000; i += 1) if (readSympyLatex(source.text(alphabet, source.integer(1, 12)))) read += 1;
    expect(read).toBeGreaterThan(4000);
    for (const unit of [
      '(',
      '{',
      '|',
      'x(',
      'f(1,',
      '\\sin',
      '\\sin^22',
      'x_',
      'x^',
      '-',
      '1',
      '1.',
      '1,234',
      '\\frac{',
      '|x',
      '(|',
      '\\sum_{n=1}^2',
    ]) {
      for (const text of [
        unit.repeat(3000),
        `${unit.repeat(180)}x${')'.repeat(180)}`,
        `x${unit.repeat(1_000_000 / unit.length)}`,
      ]) {
        expect(
          leastMs(() => readSympyLatex(text), 500),
          JSON.stringify(text.slice(0, 20)),
        ).toBeLessThan(500);
      }
    }
  });
});

describe('sympySymbolic', () => {
  it.each([
    [true, golden.equal],
    [false, golden.different],
  ] as const)('says %s as sympy does', (want, pairs) => {
    const wrong = pairs.filter(([a, b]) => symbolicEqual(a, b) !== want);
    expect(wrong).toEqual([]);
    expect(pairs.length).toBeGreaterThan(80);
  });

  it('gives the values that sympy gives', () => {
    for (const [text, value] of golden.values) {
      const ours = sympySymbolic.numericValue(text, new Budget());
      expect(ours, text).not.toBeNull();
      expect(Math.abs(ours! - value), text).toBeLessThanOrEqual(1e-14 * Math.abs(value));
    }
    expect(golden.values.length).toBeGreaterThan(20);
    for (const text of ['x', '', '\\sqrt{-1}', '1=1', '\\frac{1}{0}', '\\pi', '(1,2)']) {
      expect(sympySymbolic.numericValue(text, new Budget()), text).toBeNull();
    }
  });

  it('gives up on what is too much', () => {
    const many = Array.from({ length: 1500 }, (_, k) => `x^${k % 10}`).join('+');
    const towers = `${'2^{'.repeat(150)}2${'}'.repeat(150)}`;
    for (const [a, b] of [
      [many, `${many}+1`],
      [towers, `${towers}+1`],
      [`${'9'.repeat(3000)}x`, `${'9'.repeat(2999)}x`],
      ['x'.repeat(30_000), 'y'.repeat(30_000)],
    ] as const) {
      const verdict = () => mathEqual(a, b, sympySymbolic);
      expect(leastMs(verdict, 500)).toBeLessThan(500);
      expect(verdict().equal, a.slice(0, 20)).toBe(false);
    }
    const list = (term: string) => `(${`${term},`.repeat(2000)}1)`;
    expect(mathEqual(list('x^2-y^2'), list('(x+y)(x-y)'), sympySymbolic)).toEqual({ equal: false, reason: 'budget' });
    expect(() => sympySymbolic.symbolicEqual('x+1', '1+x', new Budget(20))).toThrow();
  });
});
