import { describe, expect, it } from 'vitest';
import { auditAnswers, type GradePairs, selfRemark, summarizeAudit } from '../../src/audit/audit.js';
import { respell } from '../../src/audit/respell.js';
import type { Comparator } from '../../src/reward/graders/grader.js';

/** Graders by name: `same` is equality of text, `no-dfrac` cannot read \dfrac at all, `never` says no. */
const graders: Readonly<Record<string, Comparator>> = {
  same: (gold, answer) => ({ equal: gold === answer, reason: gold === answer ? 'same' : 'other' }),
  'no-dfrac': (gold, answer) =>
    gold.includes('\\dfrac') ? { equal: false, reason: 'unparsed' } : { equal: gold === answer, reason: 'compared' },
  never: () => ({ equal: false, reason: 'no' }),
};

const calls: string[] = [];
const grade: GradePairs = async ({ gold, texts }, name) => {
  calls.push(name);
  return Object.values(graders).map((compare) =>
    texts.map(({ text, isResponse }) => {
      const answer = isResponse ? (/\\boxed\{(.*)\}\$\.$/.exec(text)?.[1] ?? '') : text;
      return { ...compare(gold, answer), answer };
    }),
  );
};

const prompts = ['5', '\\dfrac{1}{2}', '5', ''].map((answer, row) => ({ row, id: `q${row}`, answer }));

describe('auditAnswers', () => {
  it('tries every answer against itself, boxed in a response, and respelled, once for all equal ones', async () => {
    calls.length = 0;
    const progress: number[] = [];
    const audited = await auditAnswers(prompts, Object.keys(graders), grade, (done, total) =>
      progress.push(done, total),
    );
    expect(calls.sort()).toEqual(['the answer of row 0', 'the answer of row 1', 'the answer of row 3']);
    expect(progress).toEqual([1, 3, 2, 3, 3, 3]);
    expect(audited.map(({ row, id, answer, category }) => [row, id, answer, category])).toEqual([
      [0, 'q0', '5', 'integer'],
      [1, 'q1', '\\dfrac{1}{2}', 'fraction'],
      [2, 'q2', '5', 'integer'],
      [3, 'q3', '', 'empty'],
    ]);
    const names = respell('5').map(({ name }) => name);
    expect(audited[0]!.graders.same).toEqual({
      verbatim: true,
      reason: 'same',
      response: true,
      respellings: names.length,
      refused: names,
      never: false,
    });
    expect(audited[1]!.graders['no-dfrac']).toMatchObject({
      verbatim: false,
      reason: 'unparsed',
      response: false,
      never: true,
    });
  });

  it('counts by category and by respelling, and lists what can never be right', async () => {
    const audited = await auditAnswers(prompts, Object.keys(graders), grade);
    const summary = summarizeAudit(audited, 'no-dfrac');
    expect(summary).toMatchObject({
      grader: 'no-dfrac',
      answers: 4,
      never: 1,
      neverRight: [{ row: 1, id: 'q1', answer: '\\dfrac{1}{2}', category: 'fraction', reason: 'unparsed' }],
    });
    expect(
      summary.categories.map(({ category, answers, never, verbatim }) => [category, answers, never, verbatim]),
    ).toEqual([
      ['all', 4, 1, 3],
      ['integer', 2, 0, 2],
      ['fraction', 1, 1, 0],
      ['empty', 1, 0, 1],
    ]);
    expect(summary.categories[3]).toMatchObject({ respellings: 0, accepted: 0 });
    const boxed = summary.respellings.find(({ respelling }) => respelling === 'boxed');
    expect(boxed).toEqual({ respelling: 'boxed', tried: 3, accepted: 0 });
    expect(summarizeAudit(audited, 'never').never).toBe(4);
  });
});

describe('selfRemark', () => {
  const grader = (name: string) => ({ name, compare: graders[name]! });

  it('is silent when every answer equals itself', () => {
    expect(selfRemark('p.json', ['1', '2'], grader('same'))).toBeUndefined();
  });

  it('says how many do not, and which is the first', () => {
    expect(selfRemark('p.json', ['1', '\\dfrac12', '3', '\\dfrac12'], grader('no-dfrac'))).toBe(
      'p.json: under grader no-dfrac, 2 of 4 answers (50.0%) are not equal even to themselves, so no response to them can be right ' +
        '(first: row 1, "\\\\dfrac12": unparsed); limr-engine audit lists them',
    );
  });
});
