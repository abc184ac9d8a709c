import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../../src/reward/graders/math-verify/evaluate.js';
import { parseExpression, parseNumber } from '../../../../src/reward/graders/math-verify/expression.js';
import { equalRounded, equalValues, rational } from '../../../../src/reward/graders/math-verify/sympy-number.js';

function value(text: string) {
  const parsed = parseExpression(text);
  return parsed.ok ? evaluate(parsed.tree) : parsed.reason;
}

describe('parseExpression', () => {
  it.each<[string, bigint, bigint]>([
    ['1 + 2*3', 7n, 1n],
    ['2^-1', 1n, 2n],
    ['-2**2', -4n, 1n],
    ['2^3^2', 512n, 1n],
    ['1/2/3', 1n, 6n],
    ['7//2', 3n, 1n],
    ['-7//2', -4n, 1n],
    ['(1 +\n2)', 3n, 1n],
    ['--5', 5n, 1n],
    ['(4/9)^(3/2)', 8n, 27n],
    ['00', 0n, 1n],
  ])('%j is %s/%s', (text, n, d) => {
    const result = value(text);
    expect(typeof result === 'string' ? result : equalValues(result, rational(n, d)) && result.kind).toBe('rational');
  });

  it.each([
    ['2(3)', 'call'],
    ['(2)(3)', 'call'],
    ['1 2', 'syntax'],
    ['2 ×3', 'unknown_character'],
    ['6÷2', 'unknown_character'],
    ['007', 'leading_zeros'],
    ['1 +', 'syntax'],
    ['(1', 'syntax'],
    ['()', 'syntax'],
    ['2***3', 'syntax'],
    ['1+\r2', 'unknown_character'],
    ['٣+1', 'unknown_character'],
    ['5//0', 'zero_division'],
    [`${'1+'.repeat(500)}1`, 'too_deep'],
    [`${'('.repeat(200)}1${')'.repeat(200)}`, 'too_deep'],
    ['-'.repeat(100_000), 'too_deep'],
    ['1'.repeat(4_301), 'too_long'],
  ])('%j does not parse: %s', (text, reason) => {
    expect(parseExpression(text)).toEqual({ ok: false, reason });
  });

  it('says whether decimals take part', () => {
    expect(parseExpression('1/3 + 2')).toMatchObject({ ok: true, exact: true });
    expect(parseExpression('1/3 + 2.')).toMatchObject({ ok: true, exact: false });
  });

  it.each([
    ['1/0', 'undefined'],
    ['0^-1', 'undefined'],
    ['2^(1/2)', 'irrational'],
    ['(-8)^(1/3)', 'irrational'],
    ['9^9^9^9', 'too_big'],
    ['9^99999', 'too_big'],
  ])('%s has no value: %s', (text, reason) => {
    expect(value(text)).toBe(reason);
  });
});

describe('parseNumber', () => {
  it('keeps decimals', () => {
    expect(parseNumber('1.50', true)).toEqual({
      ok: true,
      tree: { op: 'decimal', text: '1.50' },
      percent: true,
      exact: false,
    });
    expect(parseNumber('12', false)).toEqual({
      ok: true,
      tree: { op: 'integer', value: 12n },
      percent: false,
      exact: true,
    });
    expect(parseNumber('-007', false)).toEqual({ ok: false, reason: 'leading_zeros' });
  });
});

describe('numbers of sympy', () => {
  const equal = (x: string, y: string) => {
    const [a, b] = [value(x), value(y)];
    if (typeof a === 'string' || typeof b === 'string') throw new Error(`${x} or ${y} is no number`);
    return equalRounded(a, b, 6);
  };

  // Python: parse(x)[0].doit().round(6) == parse(y)[0].doit().round(6)
  it.each<[string, string, boolean]>([
    ['1/3', '0.333333', true],
    ['1/3', '0.33333333', true],
    ['1/3', '0.33333', false],
    ['5.1', '5.1000001', true],
    ['5', '5.0', false],
    ['5', '5.0000001', false],
    ['0.1234565', '0.123456', true], // ties to even
    ['0.1234575', '0.123458', true],
    ['3.000000000000000004', '3.000000490000', false], // precisions of 19 and 15 digits
    ['0.0000004', '0.0', true],
    ['123456789.1234564', '123456789.123456', true],
    ['0.0000007', '0.000001', true],
    ['-0.0000007', '-0.000001', false], // a quirk of its precision
  ])('%s rounds like %s: %s', (x, y, alike) => {
    expect(equal(x, y)).toBe(alike);
  });
});
