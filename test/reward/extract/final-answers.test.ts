import { describe, expect, it } from 'vitest';
import { finalAnswers } from '../../../src/reward/extract/index.js';
import { bestOfThreeMs } from '../support.js';

const first = (text: string) => [...finalAnswers(text)][0]?.text;

describe('the first of the final answers', () => {
  it.each([
    ['so $\\boxed{4}$.', '4'],
    ['\\boxed{3} is wrong; it is \\boxed{4}, since that is even and no other number of this kind can be.', '4'],
    ['\\boxed{3} and \\boxed{4}', '3, 4'],
    ['\\boxed{3}, or \\boxed{3}', '3'],
    ['\\boxed{\\frac{1}{2}}', '\\frac{1}{2}'],
    ['\\boxed{\\{1,2\\}}', '\\{1,2\\}'],
    ['\\fbox{7}', '7'],
    ['\\boxed 5', '5'],
    ['\\boxed{} and nothing', undefined],
    ['The final answer is: $\\boxed{4}$. I hope it is correct.', '4'],
    ['### Final Answer\n\n$\\frac{3}{4}$', '\\frac{3}{4}'],
    ['**Answer:** 12', '12'],
    ['Therefore, the answer is **12**.', '12'],
    ['Answer: B', 'B'],
    ['The answer is 3.14.', '3.14'],
    ['The answer is $x = 2$ or $x = 3$, as we wanted.', 'x = 2, x = 3'],
    ['The answer to the question is \\(7\\).', '7'],
    ['The answer is 5 because $2 + 3 = 5$.', '5'],
    ['The answer is \\boxed{\\frac{1}{2', '\\frac{1}{2'],
    ['We get $1 + 1 = 2$ here, then $2 + 3 = 5$', '2 + 3 = 5'],
    ['$x = \\boxed{1}$ and $y = \\boxed{2}$', '1, 2'],
    ['There are 17 of them', '17'],
    ['I do not know', undefined],
    ['', undefined],
  ])('%j', (text, answer) => {
    expect(first(text)).toBe(answer);
  });

  it('is certain when it was boxed', () => {
    expect([...finalAnswers('5 \\boxed{\\zzz}')][0]).toEqual({ text: '\\zzz', certain: true });
    expect([...finalAnswers('the answer is 5')][0]).toEqual({ text: '5', certain: false });
  });
});

it.each(['\\boxed{', '\\boxed{1}', 'answer is ', 'answer is $1$, ', '$', '\\( ', '1,', 'The answer is $x$ and '])(
  'reads 20,000 characters of %j in time',
  (piece) => {
    const text = piece.repeat(Math.ceil(20_000 / piece.length));
    expect(bestOfThreeMs(() => [...finalAnswers(text)].slice(0, 5))).toBeLessThan(400);
  },
);
