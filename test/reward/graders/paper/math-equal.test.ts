import { describe, expect, it } from 'vitest';
import {
  equalReasons,
  mathEqual,
  type Symbolic,
  unequalReasons,
} from '../../../../src/reward/graders/paper/math-equal.js';
import { sharedFile } from '../../../shared.js';
import { jsonLines, Source } from '../../support.js';
import { leastMs, million } from './support.js';

/** Knows no algebra: what is equal is so by the rules alone. */
const none: Symbolic = { symbolicEqual: () => false, numericValue: () => null };

/** Calls texts equal that have the same value as JavaScript expressions of digits, signs and parentheses. */
const arithmetic: Symbolic = {
  symbolicEqual: (a, b) => arithmeticValue(a) !== null && arithmeticValue(a) === arithmeticValue(b),
  numericValue: (text) => arithmeticValue(text),
};

function arithmeticValue(text: string): number | null {
  if (!/^[\d+\-*/().\s]+$/.test(text)) return null;
  try {
    return Number(new Function(`return (${text})`)());
  } catch {
    return null;
  }
}

describe('mathEqual', () => {
  const vectors = sharedFile('verifier/eval_equal.jsonl');
  it.skipIf(vectors === undefined)('decides as the evaluation code of LIMR does wherever that needs no algebra', () => {
    type Row = { pred_norm: string; gold_norm: string; result: boolean | 'symbolic' };
    const rows = jsonLines<Row>(vectors!);
    const decided = rows.filter(({ result }) => result !== 'symbolic');
    expect(decided.filter((row) => mathEqual(row.pred_norm, row.gold_norm, none).equal !== row.result)).toEqual([]);
    expect(decided.length).toBeGreaterThan(800);
    const left = rows.filter(({ result }) => result === 'symbolic');
    expect(left.filter((row) => mathEqual(row.pred_norm, row.gold_norm, none).reason !== 'different')).toEqual([]);
  });

  it.each([
    [' Even\n', 'even', 'identical'],
    ['', ' ', 'identical'],
    ['(a) is B, not C.', 'C', 'letter'],
    ['b', 'B', 'identical'],
    ['\\text{(d)}', 'D', 'letter'],
    ['A1, B_, E', 'E', 'letter'],
    ['10001', '10000', 'numeric'],
    ['5', '500', 'numeric'],
    ['500', '5', 'numeric'],
    ['5\\%', '0.05', 'numeric'],
    ['1,2', '12', 'numeric'],
    ['1_2', '12', 'numeric'],
    [' 1e2\u00a0', '100', 'numeric'],
    ['\u0661\u0662', '12', 'numeric'],
    ['Infinity', 'inf', 'numeric'],
    ['(0,1]', '[0,1]', 'elements'],
    ['[0,1]', '(0,1]', 'elements'],
    ['(0,1)', '0,1', 'brackets'],
    ['(0,1)', '0,1]', 'brackets'],
    ['\\{1\\}', '\\1\\', 'brackets'],
    ['(1,2)', '[1.0,200)', 'elements'],
    ['((1),2)', '(1,02)', 'elements'],
    ['(3,))', '[3.0,)x', 'elements'],
    ['(3\n)', '[3.0\n]', 'different'],
    ['\\begin{bmatrix}1&2\\\\3\\end{bmatrix}', '\\begin{pmatrix} 1.0 & 2\\\\ \\\\03\\end{pmatrix}', 'matrix'],
    ['\\begin{pmatrix}1.0\\end{pmatrix}', '\\begin{bmatrix}1\\end{bmatrix}', 'different'],
    ['\\begin{pmatrix}1\\2\\end{pmatrix}', 'x={{1,2}}', 'brackets'],
    ['1+x=2', '1=x', 'different'],
    ['x=5', '5.0', 'right_side'],
    ['5.0', '\u{1d465} = 5', 'right_side'],
    ['abc=5', '5.0', 'different'],
    ['x=y=5', '5.0', 'different'],
  ])('%j for %j: %s', (prediction, reference, reason) => {
    expect(mathEqual(prediction, reference, none).reason).toBe(reason);
  });

  it('asks for algebra last, and for equations as left minus right', () => {
    const asked: string[] = [];
    const ask: Symbolic = {
      symbolicEqual: (a, b) => asked.push(`${a} ? ${b}`) < 0,
      numericValue: (text) => (asked.push(text) < 0 ? 0 : null),
    };
    expect(mathEqual(' x = 1+1 ', '2=y', ask)).toEqual({ equal: false, reason: 'different' });
    expect(asked).toEqual(['x - (1+1) ? 2 - (y)', '-(x - (1+1)) ? 2 - (y)', 'x = 1+1 ? 2=y', 'x = 1+1']);
  });

  it.each([
    ['1+1', '2', 'symbolic'],
    ['1+2', '2', 'different'],
    ['5=2+4', '2=1', 'equation'],
    ['5=2+4', '1=2', 'equation'],
    ['5=2+4', '1=3', 'different'],
    ['(1+1,4)', '(2,8/2)', 'elements'],
    ['x=1+1', '2', 'right_side'],
    ['1/3', '0.333', 'different'],
  ])('with arithmetic, %j for %j: %s', (prediction, reference, reason) => {
    expect(mathEqual(prediction, reference, arithmetic).reason).toBe(reason);
  });

  it('compares values within 1e-8 when the expressions differ', () => {
    const values: Symbolic = {
      symbolicEqual: () => false,
      numericValue: (text) => (text === 'zero' ? 0 : arithmeticValue(text)),
    };
    expect(mathEqual('1/(10*10*10*10*10*10*10*10*10)', 'zero', values)).toEqual({ equal: true, reason: 'value' });
    expect(mathEqual('1/(10*10*10*10*10)', 'zero', values)).toEqual({ equal: false, reason: 'different' });
  });

  it('says only the words it promises, on anything', () => {
    const source = new Source(5);
    const alphabet = [
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      ',',
      '1',
      '2',
      '0.5',
      '%',
      '=',
      'x',
      'A',
      ' ',
      '\n',
      '&',
      '\\\\',
      'inf',
    ];
    const words = new Set<string>([...equalReasons, ...unequalReasons]);
    for (let i = 0; i < 20_000; i += 1) {
      const x = source.text(alphabet, source.integer(0, 9));
      const y = source.text(alphabet, source.integer(0, 9));
      const verdict = mathEqual(x, y, arithmetic);
      expect(words.has(verdict.reason), `${x} for ${y}`).toBe(true);
      expect((equalReasons as readonly string[]).includes(verdict.reason)).toBe(verdict.equal);
    }
  });

  it('takes bounded time', () => {
    const hostile = [
      [`(${million('1,')}1)`, `(${million('1,')}2)`],
      [`(${million('x,')}1)`, `(${million('y,')}1)`],
      [`(${million('1+1,')}1)`, `(${million('2,  ')}1)`],
      [million('(') + million(')'), `${million('(')}1${million(')')}`],
      [`${million('((')}1${million('))')}`, `${million('[[')}2${million(']]')}`],
      [`\\begin{pmatrix}${million('1&2\\\\')}\\end{pmatrix}`, `\\begin{pmatrix}${million('1&2\\\\')}3\\end{pmatrix}`],
      [`\\begin{pmatrix}${million('\\\\')}\\end{pmatrix}`, million('{1,2}\n')],
      [million('='), million('==')],
      [million(' '), 'x'],
      [million('9'), million('0')],
      [million('9').concat('x'), million('1_1')],
      [million('A '), 'B'],
      [million('\u0661'), million('\u0662').concat('x')],
      [million('{'), million('}x')],
    ] as const;
    for (const [x, y] of hostile) {
      for (const [prediction, reference] of [
        [x, y],
        [y, x],
      ] as const) {
        const ms = leastMs(() => mathEqual(prediction, reference, arithmetic), 1000);
        expect(ms, `${prediction.slice(0, 20)} for ${reference.slice(0, 20)}`).toBeLessThan(1000);
      }
    }
  });
});
