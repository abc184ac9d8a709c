import { describe, expect, it } from 'vitest';
import { exactEqual } from '../../src/reward/index.js';
import { sharedFile } from '../shared.js';
import { bestOfThreeMs, jsonLines, Source } from './support.js';

describe('exactEqual', () => {
  it.each([
    ['5', ' 5\n', 'identical'],
    ['5', '5.0', 'same_value'],
    ['5', '+005', 'same_value'],
    ['-5', '\u22125', 'same_value'],
    ['5', '--5', 'same_value'],
    ['5', '-(-5)', 'same_value'],
    ['0', '-0.0', 'same_value'],
    ['0.5', '.50', 'same_value'],
    ['\\frac{1}{2}', '0.5', 'same_value'],
    ['\\frac12', '\\dfrac{2}{4}', 'same_value'],
    ['\\frac 92', '4.5', 'same_value'],
    ['-\\frac{3}{4}', '\\frac{-3}{4}', 'same_value'],
    ['-\\frac{3}{4}', '\\frac{3}{-4}', 'same_value'],
    ['3/4', '-3/-4', 'same_value'],
    ['3/4', '\\frac{\\frac{3}{2}}{2}', 'same_value'],
    ['1\\frac{1}{2}', '3/2', 'same_value'],
    ['-1\\frac{1}{2}', '-1.5', 'same_value'],
    ['1 1/2', '1.5', 'same_value'],
    ['1234567', '1,234,567', 'same_value'],
    ['9,\\!000,\\!000', '9000000', 'same_value'],
    ['10{,}000', '10\\,000.0', 'same_value'],
    ['\\dfrac{1}{29,\\!322,\\!216}', '1/29322216', 'same_value'],
    ['\\frac{1,000}{3}', '1000/3', 'same_value'],
    ['\\$306,\\!956.63', '$306,956.63$', 'same_value'],
    ['32 \\%', '0.32', 'same_value'],
    ['18\\%', '18%', 'same_value'],
    ['$\\text{12}$', '12', 'same_value'],
    ['\\boxed{7}', '$$7$$', 'same_value'],
    ['\\(7\\)', '\\[ 7 \\]', 'same_value'],
    ['\\left(-7\\right)', '-7', 'same_value'],
    ['\\text{odd}', 'odd', 'same_text'],
    ['(5,7)', '\\left( 5,\\, 7 \\right)', 'same_text'],
    ['2\\sqrt{3}', '2 \\sqrt{3}', 'same_text'],
    ['\\dfrac{\\pi}{2}', '\\frac{\\pi}{2}', 'same_text'],
    ['4, 0, -4', '4,0,-4', 'same_text'],
    ['\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}', '\\begin{pmatrix}1\\\\2\\end{pmatrix}', 'same_text'],
    ['(2, 100)', '(2,100)', 'same_text'],
  ])('%j = %j: %s', (gold, answer, reason) => {
    expect(exactEqual(gold, answer)).toEqual({ equal: true, reason });
    expect(exactEqual(answer, gold)).toEqual({ equal: true, reason });
  });

  it.each([
    ['5', '6', 'other_value'],
    ['5', '-5', 'other_value'],
    ['1/3', '0.333333333333', 'other_value'],
    ['50%', '50', 'other_value'],
    ['1\\frac{1}{2}', '1/2', 'other_value'],
    ['1 1/2', '11/2', 'other_value'],
    ['1,234', '1.234', 'other_value'],
    ['1e3', '1000', 'other_kind'],
    ['12', '1 2', 'other_kind'],
    ['1.5', '1. 5', 'other_kind'],
    ['1234', '1, 234', 'other_kind'],
    ['1,234', '(1,234)', 'other_kind'],
    ['1234', '\\{1,234\\}', 'other_kind'],
    ['1234', '{1,234}', 'other_kind'],
    ['123', '0,123', 'other_kind'],
    ['1234', '1,2,3,4', 'other_kind'],
    ['1234567', '1,23,4567', 'other_kind'],
    ['3', '2\\frac{2}{2}', 'other_kind'], // neither clearly a mixed number nor clearly a product
    ['2', '\\sqrt{4}', 'other_kind'],
    ['1', '1/0', 'other_kind'],
    ['2', '2x', 'other_kind'],
    ['x 1 2', 'x 12', 'other_text'],
    ['\\pi r', '\\pir', 'other_text'],
    ['x, 1, 234', 'x, 1,234', 'other_text'],
    ['(0,1)', '(0,1]', 'other_text'],
    ['a', 'A', 'other_text'],
    ['', '', 'empty'],
    ['5', ' ', 'empty'],
    ['', '5', 'empty'],
  ])('%j is not %j: %s', (gold, answer, reason) => {
    expect(exactEqual(gold, answer)).toEqual({ equal: false, reason });
    expect(exactEqual(answer, gold)).toEqual({ equal: false, reason });
  });

  it('decides any two spellings of random rationals exactly', () => {
    const source = new Source(21);
    const value = () => ({ n: source.integer(-30, 30), d: source.integer(1, 12) });
    let equal = 0;
    for (let i = 0; i < 20_000; i += 1) {
      const x = value();
      const y = source.uniform() < 0.4 ? { n: x.n * 3, d: x.d * 3 } : value();
      const want = x.n * y.d === y.n * x.d;
      const [gold, answer] = [spelling(source, x.n, x.d), spelling(source, y.n, y.d)];
      equal += Number(want);
      expect(exactEqual(gold, answer).equal, `${gold} and ${answer}`).toBe(want);
    }
    expect(equal).toBeGreaterThan(6000);
  });

  it('survives hostile answers within bounds', () => {
    const hostile = [
      '10^999999999',
      '1e999999999',
      '9'.repeat(1_000_000),
      `0.${'0'.repeat(15_000)}1`,
      '-'.repeat(1_000_000),
      '{'.repeat(20_000),
      `${'{'.repeat(2000)}1${'}'.repeat(2000)}`,
      `${'('.repeat(2000)}1${')'.repeat(2000)}`,
      '\\frac'.repeat(4000),
      `${'\\frac{1}{'.repeat(400)}1${'}'.repeat(400)}`,
      `${'\\text{'.repeat(3000)}1${'}'.repeat(3000)}`,
      '1,000'.repeat(4000),
      `1${',000'.repeat(1000)}x`,
      `1${' '.repeat(19_000)}x`,
      '$'.repeat(20_000),
      '\\,'.repeat(10_000),
      '\u0000\ud800😀\uffff'.repeat(1000),
    ];
    for (const text of hostile) {
      const what = text.slice(0, 20);
      const ms = bestOfThreeMs(() => {
        for (const gold of ['5', '\\frac{1}{3}', 'x', '$', '\\boxed{']) exactEqual(gold, text);
        expect(exactEqual(text, text), what).toEqual({ equal: true, reason: 'identical' });
        expect(exactEqual(text, `${text}1`).equal, what).toBe(false);
      });
      expect(ms, what).toBeLessThan(50);
    }
  });

  const pairs = sharedFile('verifier/pairs.jsonl');
  it.skipIf(pairs === undefined)('calls no pair equal that is not', () => {
    const rows = jsonLines<{ rule: string; x: string; y: string; expected: 0 | 1 }>(pairs!);
    const wrong = rows.filter(({ x, y, expected }) => expected === 0 && exactEqual(x, y).equal);
    expect(wrong).toEqual([]);
    expect(rows.filter((row) => row.expected === 0).length).toBeGreaterThan(500);
  });
});

/** One of the ways to write n/d, d > 0. */
function spelling(source: Source, n: number, d: number): string {
  const minus = n < 0 ? source.pick(['-', '- ', '\u2212', '---', '-+']) : source.pick(['', '', '+', '--']);
  const a = Math.abs(n);
  const ways = [
    `${minus}${a}/${d}`,
    `${minus}\\frac{${a}}{${d}}`,
    `${minus}\\dfrac{ ${a} }{ ${d} }`,
    `\\tfrac{${minus}${a}}{${d}}`,
    `\\frac{${n}00}{${d}00}`,
    `${n * 1000}/${d * 1000}`,
    `\\frac{${n / 2}}{${d / 2}}`,
  ];
  if (a < 10 && d < 10) ways.push(`${minus}\\frac${a}${d}`, `${minus}\\frac ${a}${d}`);
  if (Number.isInteger((a * 1000) / d)) ways.push(`${minus}${(a / d).toFixed(source.integer(3, 6))}`);
  if (Number.isInteger((a * 1000) / d))
    ways.push(`${minus}${((a * 100) / d).toFixed(1)}${source.pick(['%', '\\%', ' \\%'])}`);
  if (a > d && a % d !== 0) {
    ways.push(`${minus}${Math.floor(a / d)}\\frac{${a % d}}{${d}}`, `${minus}${Math.floor(a / d)} ${a % d}/${d}`);
  }
  if (a % d === 0)
    ways.push(`${minus}${a / d}`, `${minus}${a / d}.`, `\\frac{${((n / d) * 1e6).toLocaleString('en')}}{1,000,000}`);
  const way = source.pick(ways);
  const wrappers = ['#', '$#$', ' #', '\\(#\\)', '\\boxed{#}', '\\text{#}'];
  if (!way.endsWith('%')) wrappers.push('(#)', '\\left(#\\right)'); // a percentage is a whole answer, never a part
  return source.pick(wrappers).replace('#', () => way);
}
