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
    ['The answer is $\\boxed{\\frac{1}{2}$, as we saw.', '\\frac{1}{2}'],
    ['There are 5. The answer is \\boxed{\\frac{1}{2', undefined],
    ['There are 5. The answer is $\\boxed{12', undefined],
    ['We get $1 + 1 = 2$ here, then $2 + 3 = 5$', '2 + 3 = 5'],
    ['$x = \\boxed{1}$ and $y = \\boxed{2}$', '1, 2'],
    ['There are 17 of them', '17'],
    ['### Final Answer\n\n$\\boxed{\\dfrac{3}{4}}$', '\\dfrac{3}{4}'],
    ['Final Answer: The final answer is $(2, 3]$. I hope it is correct.', '(2, 3]'],
    ['So the total is 72 of 80.\n#### 72', '72'],
    ['**Final Answer**\n\n12', '12'],
    ['Therefore, there are **24** ways.', '24'],
    ['The answer is yes.', '\\text{yes}'],
    ['My final answer is correct.', undefined],
    ['The correct answer is **B) 42**.', 'B) 42'],
    ['The answer is 12 square meters.', '12 square meters'],
    ['The answer is therefore $7$.', '7'],
    ['The answer is:\n\n$$\n\\frac{a+b}{2}\n$$', '\\frac{a+b}{2}'],
    ['The answer is 1,234,567.', '1,234,567'],
    ['The answer is \\frac{1}{2}.', '\\frac{1}{2}'],
    ['The answer is the same as before: $x=4$.', 'x=4'],
    ['The answers are 1 and 2.', '1 and 2'],
    ['The answer is 12. Let me check it in 2 ways.', '12'],
    ['**Answer**: $\\{1, 2\\}$', '\\{1, 2\\}'],
    ['The percentage is $\\boxed{28}\\%$.', '28\\%'],
    ['$\\boxed{5$ and then $\\boxed{6}$', '6'],
    ['$\\boxed{5$ and then }', '5'],
    ['\\boxed{x = \\boxed{9}}', 'x = {9}'],
    ['\\boxed{1, 2}\n\n\\boxed{3}', '3'],
    ['It is \\boxed{\\ }. So the answer is 5.', '5'],
    ['Final Answer: \\boxed{A}\n\nOption A is right since 3 > 2.', 'A'],
    ['The value is 16\\sqrt{3}.', undefined],
    ['1. First we add.\n2. Then we stop.', undefined],
    ['It is 12.\nStep 2. Done', '12'],
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

it('reads a million characters in time', () => {
  const texts = [
    '\\boxed{'.repeat(70_000) + '}'.repeat(70_000),
    'The answer is '.repeat(70_000),
    '\\boxed{1} '.repeat(90_000),
  ];
  for (const text of texts) expect(bestOfThreeMs(() => finalAnswers(text).next())).toBeLessThan(2_000);
});

it.each(['\\boxed{', '\\boxed{1}', 'answer is ', 'answer is $1$, ', '$', '\\( ', '1,', 'The answer is $x$ and '])(
  'reads 20,000 characters of %j in time',
  (piece) => {
    const text = piece.repeat(Math.ceil(20_000 / piece.length));
    expect(bestOfThreeMs(() => [...finalAnswers(text)].slice(0, 5))).toBeLessThan(400);
  },
);
