import { describe, expect, it } from 'vitest';
import { createGrader, graderNames } from '../../../src/reward/index.js';
import { hostile } from '../maths/hostile.js';
import { bestOfThreeMs } from '../support.js';

describe.each(graderNames)('%s', (name) => {
  const { compare, grade } = createGrader(name);

  it.each(Object.entries(hostile))('neither throws nor hangs at %s', (_, make) => {
    for (const length of [200, 2_000, 20_000]) {
      const text = make(length);
      for (const work of [
        () => compare('5', text),
        () => compare(text, `${text} `),
        () => compare(`${text} `, text),
        () => grade('x', `so \\boxed{${text}}`),
        () => grade('x', `the answer is $${text}$`),
      ]) {
        expect(bestOfThreeMs(work)).toBeLessThan(400);
      }
    }
  });
});
