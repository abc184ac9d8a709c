import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Candidate, mathVerifyCandidates } from '../../../src/reward/extract/index.js';
import { bestOfThreeMs, Source } from '../support.js';

/** Made by scripts/golden/math_verify_extract.py: texts with Math-Verify's candidates, offsets in code points. */
type Row = readonly [text: string, candidates: readonly unknown[]];

const rows = JSON.parse(
  readFileSync(new URL('../../golden/math-verify-extract.json', import.meta.url), 'utf8'),
) as readonly Row[];

/** A candidate as the golden file writes it. */
function described(text: string, candidate: Candidate): unknown {
  const points = (offset: number) => Array.from(text.slice(0, offset)).length;
  const span = [points(candidate.start), points(candidate.end)];
  switch (candidate.kind) {
    case 'latex':
      return ['latex', ...span, candidate.parts.map((part) => [part.text, part.percent, part.boxed])];
    case 'expression':
      return ['expression', ...span, candidate.text];
    case 'number':
      return ['number', ...span, candidate.text, candidate.percent];
  }
}

describe('mathVerifyCandidates', () => {
  it('finds what Math-Verify finds, in its order', () => {
    expect(rows.length).toBeGreaterThan(300);
    for (const [text, candidates] of rows) {
      expect(
        [...mathVerifyCandidates(text)].map((candidate) => described(text, candidate)),
        JSON.stringify(text),
      ).toEqual(candidates);
    }
  });

  it.each<[string, string, readonly unknown[]]>([
    [
      'a sentence that hopes, before a box',
      '\\boxed{1} The final answer is 2. I hope so',
      ['number', 14, 39, '2', false],
    ],
    ['the box, before what is announced', 'answer: 3 $\\boxed{4}$', ['latex', 10, 21, [['\\boxed{4}', false, 'all']]]],
    ['announced with a colon, before without', 'the answer 5, answer: 6', ['number', 14, 23, '6', false]],
    ['what follows an equals sign', 'answer: x = 3 = 7 m', ['number', 0, 17, '7', false]],
    ['a shorter number, where = must not follow', 'answer: 12 = x', ['number', 0, 9, '1', false]],
    ['percent', 'so $28$ percent', ['latex', 3, 15, [['28', true, 'all']]]],
    [
      'a chain',
      '$1$, $2$ and $3$',
      [
        'latex',
        0,
        16,
        [
          ['1', false, 'all'],
          ['2', false, 'all'],
          ['3', false, 'all'],
        ],
      ],
    ],
    ['no chain behind ", and"', '$1$, and $2$', ['latex', 9, 12, [['2', false, 'all']]]],
    ['code points, not UTF-16 units', `answer${'😀'.repeat(50)} 7`, ['number', 0, 58, '7', false]],
  ])('prefers %s', (_, text, first) => {
    const [candidate] = mathVerifyCandidates(text);
    expect(described(text, candidate!)).toEqual(first);
  });

  it('has nothing to say about nothing', () => {
    for (const text of ['', ' ', 'words', '$', '\\boxed{}', '\\(', '$$'])
      expect([...mathVerifyCandidates(text)]).toEqual([]);
  });

  const pieces = [
    '\\( ', '\\[ ', '$', '$ ', '$$', '$1$ and ', '\\boxed{', '\\boxed{1}', '}', ' [', ' [a] ', '\\frac{1', '\\frac{1}{2},', 'answer ', 'answer: 1 = ',
    'answer: (1', 'final answer ', 'final answer is 1', 'final answer is \\( ', ' is', '1', '1,', '12,345,', '1 ', '1.', '-', '1+', '((1', '1)', '= ',
    ' ', '\n', '**', '1 percent ', '😀',
  ]; // biome-ignore format: a table

  it('takes linear time on hostile texts', { timeout: 120_000 }, () => {
    const source = new Source(3);
    const consume = (text: string) => bestOfThreeMs(() => [...mathVerifyCandidates(text)].length);
    const slowest = { ms: 0, pieces: '' };
    for (const piece of pieces) {
      const other = source.pick(pieces);
      for (const unit of [piece, piece + other]) {
        const ms = consume(unit.repeat(Math.ceil(20_000 / unit.length)));
        if (ms > slowest.ms) Object.assign(slowest, { ms, pieces: unit });
      }
    }
    expect(slowest.ms, slowest.pieces).toBeLessThan(100); // about 15 on an idle machine
    for (const unit of ['\\( ', 'answer: 1 = ', '1,', '$']) {
      const text = unit.repeat(1_000_000 / unit.length);
      expect(
        bestOfThreeMs(() => mathVerifyCandidates(text).next()),
        unit,
      ).toBeLessThan(2_000);
    }
  });
});
