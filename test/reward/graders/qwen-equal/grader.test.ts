import { describe, expect, it } from 'vitest';
import { equalReasons } from '../../../../src/reward/graders/paper/index.js';
import { qwenEqualGrader } from '../../../../src/reward/graders/qwen-equal/index.js';
import { leastMs, million } from '../paper/support.js';

describe('qwenEqualGrader', () => {
  const grader = qwenEqualGrader();

  it('is called qwen-equal', () => expect(grader.name).toBe('qwen-equal'));

  it.each([
    ['\\frac{1}{2}', '\\boxed{0.5}', '0.5', 'symbolic'],
    ['2\\pi', '\\boxed{6.2832}', '6.2832', 'other_number'], // 23.1415926
    ['2 \\cdot \\pi', '\\boxed{6.2832}', '6.2832', 'symbolic'], // \pi is a number, as it is not to the paper's grader
    ['\\pi', '\\boxed{3.1415926}', '3.1415926', 'identical'],
    ['e', '\\boxed{2.7183}', '2.7183', 'numeric'],
    ['1000', '\\boxed{1e3}', '1e3', 'other_number'], // 12.718283
    ['even', '\\boxed{Even}', 'Even', 'different'], // the small e alone is replaced
    ['seven', '\\boxed{seven}', 'seven', 'identical'],
    ['B', '\\boxed{B}', 'B', 'identical'],
    ['(B)', '\\boxed{B}', 'B', 'letter'],
    ['B', '\\boxed{(B)}', '(B)', 'brackets'],
    ['90', '\\boxed{90^\\circ}', '90^\\circ', 'different'], // nothing is normalised
    ['50\\%', '\\boxed{0.5}', '0.5', 'numeric'],
    ['[1,\\frac{1}{4}]', '\\boxed{[1.0, 0.25]}', '[1.0, 0.25]', 'list'],
    ['((1),2)', '\\boxed{[1.0,2]}', '[1.0,2]', 'elements'],
    ['[1,2]', '\\boxed{\\{1.0,2\\}}', '\\{1.0,2\\}', 'different'],
    ['(1,2)', '\\boxed{1,2.0}', '1,2.0', 'list'],
    ['1,2', '\\boxed{(1,2.0)}', '(1,2.0)', 'different'],
    [
      '\\begin{pmatrix}1\\\\2\\end{pmatrix}',
      '\\boxed{\\begin{pmatrix}1.0\\\\2\\end{pmatrix}}',
      '\\begin{pmatrix}1.0\\\\2\\end{pmatrix}',
      'different', // \begin has an e
    ],
    ['\\frac{3000}{2}', '\\boxed{1.5E3}', '1.5E3', 'value'],
    ['5', 'none', null, 'different'],
    ['', 'none', null, 'identical'],
    ['', '\\boxed{5}', '5', 'empty'],
  ])('%j, %j: %j, %s', (gold, text, answer, reason) => {
    const equal = (equalReasons as readonly string[]).includes(reason);
    expect(grader.grade(gold, text)).toEqual({ equal, reason, answer });
    expect(grader.compare(gold, answer ?? '')).toEqual({ equal, reason });
  });

  it('takes bounded time', () => {
    for (const text of [
      million('e'),
      `(${million('e,')})`,
      `[${million('1,[')}]`,
      `(${million('\\pi,')})`,
      million('[('),
    ]) {
      for (const gold of [text.replaceAll(',', ',0'), `[${text}]`]) {
        const ms = leastMs(() => grader.compare(gold, text), 1000);
        expect(ms, `${text.slice(0, 30)} for ${gold.slice(0, 30)}`).toBeLessThan(1000);
      }
    }
  });
});
