/** Pairs of a gold and a prediction (bench/peers/math_verify/generate.py writes files of them) and Math-Verify's verdicts on them (run.py). */
import { readFileSync } from 'node:fs';
import type { Grader, Verdict } from '../../src/reward/graders/grader.js';

export interface Pair {
  readonly id: string;
  /** `group/name`; " reversed" where gold and prediction changed places. */
  readonly class: string;
  readonly gold: string;
  readonly pred: string;
  /** The truth, null where it is a matter of policy or nobody can tell. */
  readonly same: boolean | null;
  /** An answer, against the text of a whole response. */
  readonly bare: boolean;
}

export interface PeerVerdict {
  readonly id: string;
  /** null: it hung, or its process died. */
  readonly verdict: boolean | null;
  /** What each side parsed to, in sympy's words. */
  readonly gold: readonly string[];
  readonly pred: readonly string[];
  readonly ms: number;
  readonly timeouts: readonly string[];
  /** Counts the pairs of one process. */
  readonly order: number;
}

const rows = (file: string) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));

export const readPairs = (file: string) => rows(file) as Pair[];

/** Verdicts by the id of their pair. */
export const readVerdicts = (file: string) => new Map((rows(file) as PeerVerdict[]).map((row) => [row.id, row]));

/** What a grader is timed on: the whole way from two strings to a verdict. */
export function judge(grader: Grader, pair: Pair): Verdict {
  return pair.bare ? grader.compare(pair.gold, pair.pred) : grader.grade(pair.gold, pair.pred);
}

const respelled: readonly (readonly [gold: string, right: string, wrong: string])[] = [
  ['1320', '1{,}320', '1,230'],
  ['\\frac{3}{8}', '0.375', '\\frac{8}{3}'],
  ['\\frac{7}{4}', '1\\tfrac34', '\\frac{7}{5}'],
  ['2\\sqrt{3}', '\\sqrt{12}', '3\\sqrt{2}'],
  ['\\frac{\\sqrt{2}}{2}', '\\frac{1}{\\sqrt2}', '\\frac{\\sqrt{2}}{4}'],
  ['12\\pi', '12π', '12'],
  ['x^2-5x+6', '(x-2)(x-3)', '(x+2)(x-3)'],
  ['3-4i', '-4i+3', '3+4i'],
  ['(2,5)', '\\left(2,\\,5\\right)', '(5,2)'],
  ['[-1,4)', 'x\\in\\left[-1,4\\right)', '[-1,4]'],
  ['(-\\infty,0)\\cup(0,\\infty)', '(0,∞)∪(-∞,0)', '(-\\infty,\\infty)'],
  ['-2, 1, 5', '\\{5, 1, -2\\}', '-2, 1'],
  [
    '\\begin{pmatrix} 1/2 \\\\ 3 \\end{pmatrix}',
    '\\begin{bmatrix} 0.5 \\\\ 3 \\end{bmatrix}',
    '\\begin{pmatrix} 3 \\\\ 1/2 \\end{pmatrix}',
  ],
  ['y=2x+3', '2x - y + 3 = 0', 'y=3x+2'],
  ['40\\%', '0.4', '4\\%'],
  ['65^\\circ', '65', '56^\\circ'],
  ['\\text{even}', 'even', '\\text{odd}'],
  ['18\\text{ cm}^2', '18', '81\\text{ cm}^2'],
];

const steps = [
  'Let $x = 7$, so that $x^2 = 49$ and $\\frac{x}{2} = 3.5$.',
  'By symmetry both cases are alike.',
  '\\[\n\\sum_{k=1}^{9} k = \\frac{9 \\cdot 10}{2} = 45\n\\]',
  'There are 12 ways to choose, of which $5$ are excluded.',
];

/** A small set of our own, for a run without files: answers respelled and mistaken, alone and at the end of a solution. */
export function builtInPairs(): Pair[] {
  const pairs: Pair[] = [];
  const add = (kind: string, gold: string, pred: string, same: boolean, bare: boolean) =>
    pairs.push({ id: `b${pairs.length}`, class: `built-in/${kind}`, gold, pred, same, bare });
  for (const [gold, right, wrong] of respelled) {
    const cases = [
      ['verbatim', gold, true],
      ['respelled', right, true],
      ['wrong', wrong, false],
    ] as const;
    for (const [kind, answer, same] of cases) {
      add(kind, gold, answer, same, true);
      const text = Array.from({ length: 12 }, (_, k) => steps[(k + gold.length) % steps.length]).join('\n');
      add(`${kind} text`, gold, `${text}\nThe answer is $\\boxed{${answer}}$.`, same, false);
    }
  }
  return pairs;
}
