import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { standardCompare } from '../../../src/reward/graders/standard.js';
import { parseAnswer, standardDialect } from '../../../src/reward/maths/index.js';
import { sharedFile } from '../../shared.js';
import { Source } from '../support.js';

const file = sharedFile('data/limr/math.8k.json');
const golds =
  file === undefined
    ? []
    : [
        ...new Set((JSON.parse(readFileSync(file, 'utf8')) as { answer: string }[]).map(({ answer }) => answer.trim())),
      ].filter((answer) => answer !== '');

/** Spellings that change nothing, where they apply. */
const respellings: Record<string, (answer: string) => string> = {
  'spaces around operators': (answer) => answer.replace(/(?<=[\w)}])\s*([+=])\s*(?=[\w(\\])/g, ' $1 '),
  'a space after commands': (answer) => answer.replace(/\\(frac|sqrt|pi|cdot|cup)(?![a-zA-Z])/g, '\\$1 '),
  'dfrac for frac': (answer) => answer.replace(/\\frac/g, '\\dfrac'),
  'sized brackets': (answer) => (/[()]/.test(answer) && !/\\left/.test(answer) ? sized(answer) : answer),
  'dollars around': (answer) => `$${answer}$`,
  'a full stop': (answer) => `${answer}.`,
  'display style': (answer) => `\\displaystyle ${answer}`,
};

function sized(answer: string): string {
  return answer.replace(/(?<!\\)\(/g, '\\left(').replace(/(?<!\\)\)/g, '\\right)');
}

describe.skipIf(file === undefined)('over the answers of a real data set', () => {
  it('nearly all parse, and each is itself', () => {
    const unparsed = golds.filter((gold) => parseAnswer(gold, standardDialect) === null);
    expect(unparsed.length / golds.length).toBeLessThan(0.01);
    // a space in front, so that the verdict is the parser's and not that of identical texts
    for (const gold of golds) expect(standardCompare(gold, `{} ${gold}`).equal, gold).toBe(true);
  });

  it.each(Object.entries(respellings))('unchanged by %s', (_, respell) => {
    const wrong = golds.filter((gold) => !standardCompare(gold, respell(gold)).equal);
    expect(wrong).toEqual([]);
  });

  it('symmetric, on pairs drawn at random', () => {
    const source = new Source(11);
    for (let k = 0; k < 5_000; k += 1) {
      const [a, b] = [source.pick(golds), source.pick(golds)];
      expect(standardCompare(a, b).equal, `${a} | ${b}`).toBe(standardCompare(b, a).equal);
    }
  });
});
