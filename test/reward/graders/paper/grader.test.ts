import { describe, expect, it } from 'vitest';
import { equalReasons, paperGrader, unequalReasons } from '../../../../src/reward/graders/paper/index.js';
import { sharedFile } from '../../../shared.js';
import { jsonLines } from '../../support.js';
import { leastMs, million } from './support.js';

describe('paperGrader', () => {
  const grader = paperGrader();

  it('is called paper', () => expect(grader.name).toBe('paper'));

  it.each([
    ['\\frac{1}{2}', 'so \\boxed{0.5}', '0.5', 'symbolic'],
    ['\\left( 3, \\frac{\\pi}{2} \\right)', '\\boxed{(3,\\dfrac{\\pi}{2})}', '(3,\\dfrac{\\pi}{2})', 'identical'],
    ['5', 'first \\boxed{4}, no, \\boxed{500 \\text{ cm}}', '500 \\text{ cm}', 'numeric'],
    ['5', '\\boxed{6}', '6', 'other_number'],
    ['5', 'it is 5', null, 'empty'],
    ['5', '\\boxed{}', '', 'empty'],
    ['', 'no box', null, 'identical'],
    ['x \\le 5', '\\boxed{x<5}', 'x<5', 'symbolic'],
    ['5', '\\boxed{x=5}', 'x=5', 'right_side'],
    ['y=2x+1', '\\boxed{y-2x=1}', 'y-2x=1', 'equation'],
    ['\\text{east}', '\\boxed{seat}', 'seat', 'symbolic'],
    ['\\sqrt[3]{2}', '\\boxed{2^{\\frac{1}{3}}}', '2^{\\frac{1}{3}}', 'different'],
  ])('%j, %j: %j, %s', (gold, text, answer, reason) => {
    const equal = (equalReasons as readonly string[]).includes(reason);
    expect(grader.grade(gold, text)).toEqual({ equal, reason, answer });
    if (answer !== null) expect(grader.compare(gold, answer)).toEqual({ equal, reason });
  });

  const golds = sharedFile('data/benchmarks/math500.jsonl');
  it.skipIf(golds === undefined)('gives every gold of MATH500 to its own copy, in whatever box', () => {
    const answers = jsonLines<{ answer: string }>(golds!).map(({ answer }) => String(answer));
    const refused = answers.filter((answer) => !grader.grade(answer, `Thus \\boxed{${answer}}.`).equal);
    expect(refused).toEqual([]);
    expect(answers.length).toBe(500);
  });

  const vectors = sharedFile('verifier/eval_equal.jsonl');
  it.skipIf(vectors === undefined)('decides as LIMR does, and the rest by a rule it names', () => {
    type Row = { pred: string; gold: string; result: boolean | 'symbolic'; rule: string };
    const rows = jsonLines<Row>(vectors!);
    const words = new Set<string>([...equalReasons, ...unequalReasons]);
    let accepted = 0;
    for (const { pred, gold, result, rule } of rows) {
      const { equal, reason } = grader.compare(gold, pred);
      if (result !== 'symbolic') expect(equal, `${pred} for ${gold} (${rule})`).toBe(result);
      else accepted += Number(equal);
      expect(words.has(reason)).toBe(true);
    }
    expect(accepted).toBe(404); // of 1,149, as many as with sympy 1.14 itself
  });

  it('takes bounded time', () => {
    const hostile = [
      million('\\frac{1}{2}+'),
      `(${million('\\frac{2}{4},')})`,
      `(${million('\\sqrt{2},')})`,
      million('\\boxed{'),
      million('{(['),
      million('x='),
      `x=${million('1+')}1`,
      `${million('2^{')}`,
      `\\begin{pmatrix}${million('x&2\\\\')}\\end{pmatrix}`,
      `[${million('x^2,')}]`,
    ];
    for (const text of hostile) {
      for (const gold of ['\\frac{1}{2}', text.replaceAll('2', '3')]) {
        const ms = leastMs(() => grader.grade(gold, `\\boxed{${text}}`), 1000);
        expect(ms, `${text.slice(0, 30)} for ${gold.slice(0, 30)}`).toBeLessThan(1000);
      }
    }
  });
});
