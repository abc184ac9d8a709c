import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canonical, evaluate, formatRational } from '../../scripts/make-nano/expression.js';
import { dataFiles, nanoPromptSets, nanoSeed } from '../../scripts/make-nano/files.js';
import { corpusProblem, families, promptText, responseText, styles } from '../../scripts/make-nano/generate.js';
import { levels } from '../../scripts/make-nano/problem.js';
import { Random } from '../../scripts/make-nano/random.js';
import { numTokens } from '../../scripts/make-nano/tokenizer.js';

const sets = nanoPromptSets(nanoSeed);
const corpus = Array.from({ length: 40_000 }, (_, i) => corpusProblem(nanoSeed, i, sets.heldoutKeys));

/** Every order of the operands that a reader would call the same problem, made by hand from the text. */
function commuted(question: string): string[] {
  const call = /^(gcd|mean)\((.*)\)$/.exec(question);
  if (call) return permutations((call[2] ?? '').split(',')).map((args) => `${call[1]}(${args.join(',')})`);
  const [, body = '', tail = ''] = /^(.*?)( mod .*| div .*)?$/.exec(question) ?? [];
  if (/^\d+([+*]\d+)+$/.test(body) && new Set(body.match(/[+*]/g)).size === 1) {
    const operator = body.includes('+') ? '+' : '*';
    return permutations(body.split(operator)).map((terms) => terms.join(operator) + tail);
  }
  if (/^[\d/]+\+[\d/]+$/.test(body)) return permutations(body.split('+')).map((terms) => terms.join('+'));
  const sides = question.split('=');
  if (sides.length === 2 && !question.includes(',')) return [question, `${sides[1]}=${sides[0]}`];
  return [question];
}

function permutations(list: readonly string[]): string[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((head, i) => permutations(list.filter((_, j) => j !== i)).map((rest) => [head, ...rest]));
}

const questionOf = (prompt: string): string => prompt.slice('Q: '.length, -'\nA:'.length);

describe('expression language', () => {
  it.each([
    ['3+4*5', '23'],
    ['2*3+4*(5-7)', '-2'],
    ['1/2+1/3', '5/6'],
    ['253 mod 7', '1'],
    ['253 div 7', '36'],
    ['3^4 mod 7', '4'],
    ['gcd(84,36)', '12'],
    ['mean(12,15,18)', '15'],
    ['3x+5=26', '7'],
    ['4(x-3)=2x+8', '10'],
    ['x=-3, 2x^2-5x+4', '37'],
  ])('%s is %s', (question, answer) => expect(formatRational(evaluate(question))).toBe(answer));

  it('gives one form to all orders of operands, and different forms to different problems', () => {
    const same = [
      ['12+34', '34+12'],
      ['2*3+4*5', '5*4+3*2'],
      ['gcd(84,36)', 'gcd(36,84)'],
      ['mean(1,2,3)', 'mean(3,1,2)'],
      ['3x+5=26', '26=5+3x'],
      ['23*45 mod 7', '45*23 mod 7'],
      ['1/2+1/3', '1/3+1/2'],
      ['9-(4-2)', '9+2-4'],
    ] as const;
    for (const [a, b] of same) expect(canonical(a)).toBe(canonical(b));
    const different = ['12-34', '34-12', '12*34', '12+34', '12/34', '34/12', '12 mod 34', '12+34 mod 5', '1234'];
    expect(new Set(different.map(canonical)).size).toBe(different.length);
  });

  it.each(['3+', '3 4', '2y', '(3', '3=4=5', 'gcd(3', '', '1.5'])('rejects "%s"', (text) => {
    expect(() => canonical(text)).toThrow(SyntaxError);
  });

  it.each(['3/0', 'x+1', '2x=2x+1', '1/2 mod 3'])('says that "%s" has no answer', (text) => {
    expect(() => evaluate(text)).toThrow(RangeError);
  });
});

describe('problems', () => {
  it('have steps that are true and lead to the answer', () => {
    const wrong: string[] = [];
    for (const { question, steps, answer } of corpus) {
      if (formatRational(evaluate(question)) !== answer) wrong.push(`${question} is not ${answer}`);
      const [n = 0, d = 1] = answer.split('/').map(Number);
      for (const step of steps) {
        const [left, ...rest] = step.split('=').map((side) => sideAt(side, n / d));
        if (!rest.every((value) => Math.abs(value - (left ?? Number.NaN)) < 1e-9)) wrong.push(`${question}: ${step}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('exist in every family and level in hundreds', () => {
    for (const family of families) {
      for (const level of levels) {
        const draw = family.draw[level];
        if (draw === undefined) continue;
        const forms = new Set<string>();
        for (let i = 0; i < 2000; i++) forms.add(canonical(draw(new Random(5, 'corpus', i)).question));
        expect(forms.size, `${family.source} ${level}`).toBeGreaterThan(250);
      }
    }
  });

  it('fit the model: prompts of at most 40 tokens, solutions of at most 80', () => {
    const longest = (texts: readonly string[]): number => texts.map(numTokens).reduce((a, b) => Math.max(a, b));
    expect(longest(corpus.map(({ question }) => promptText(question)))).toBeLessThanOrEqual(40);
    for (const style of styles)
      expect(longest(corpus.map((each) => responseText(each, style)))).toBeLessThanOrEqual(80);
  });

  it('are a function of seed and index alone', () => {
    for (const i of [39_999, 7, 0, 12_345]) {
      expect(corpusProblem(nanoSeed, i, sets.heldoutKeys)).toEqual(corpus[i]);
    }
    expect(corpusProblem(nanoSeed + 1, 7, sets.heldoutKeys)).not.toEqual(corpus[7]);
  });

  it('come in the styles that the model card gives', () => {
    const share = (style: string): number => corpus.filter((each) => each.style === style).length / corpus.length;
    expect(share('worked')).toBeCloseTo(0.35, 1);
    expect(share('direct')).toBeCloseTo(0.45, 1);
    expect(share('prose')).toBeCloseTo(0.2, 1);
  });
});

describe('prompt sets', () => {
  it('hold LIMR fields, unique ids and problems, all levels alike', () => {
    expect(sets.heldout.length).toBeGreaterThanOrEqual(600);
    expect(sets.train.length).toBeGreaterThanOrEqual(2000);
    const all = [...sets.heldout, ...sets.train];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(new Set(all.map(({ prompt }) => canonical(questionOf(prompt)))).size).toBe(all.length);
    for (const set of [sets.heldout, sets.train]) {
      for (const level of levels) expect(set.filter((each) => each.level === level).length).toBe(set.length / 5);
    }
    for (const each of all) expect(Object.keys(each)).toEqual(['id', 'prompt', 'answer', 'source', 'level']);
  });

  it('no held-out question, in any order of its operands, is a training prompt or in the corpus', () => {
    const seen = new Set([
      ...sets.train.map(({ prompt }) => questionOf(prompt)),
      ...corpus.map((each) => each.question),
    ]);
    const seenForms = new Set([...seen].map(canonical));
    for (const { prompt } of sets.heldout) {
      for (const variant of commuted(questionOf(prompt))) expect(seen.has(variant), variant).toBe(false);
      expect(seenForms.has(canonical(questionOf(prompt)))).toBe(false);
    }
    // The same corpus without the exclusion does hold held-out questions, so the check above can fail.
    const unfiltered = Array.from({ length: 40_000 }, (_, i) => corpusProblem(nanoSeed, i, new Set()).question);
    expect(unfiltered.some((question) => sets.heldoutKeys.has(canonical(question)))).toBe(true);
  });

  it('no question is its own answer, and no held-out answer is frequent enough to be guessed', () => {
    for (const { prompt, answer } of sets.heldout) expect(questionOf(prompt)).not.toBe(answer);
    const counts = new Map<string, number>();
    for (const { answer } of sets.heldout) counts.set(answer, (counts.get(answer) ?? 0) + 1);
    expect(Math.max(...counts.values()) / sets.heldout.length).toBeLessThan(0.08);
  });

  it('are the files in the repository, byte for byte, and small', () => {
    let bytes = 0;
    for (const [name, content] of dataFiles(sets)) {
      expect(readFileSync(new URL(`../../models/limr-nano/${name}`, import.meta.url), 'utf8'), name).toBe(content);
      bytes += content.length;
    }
    expect(bytes).toBeLessThan(1_000_000);
  });
});

/** A side of a step in floating point, by JavaScript's own arithmetic: independent of the generator's parser. */
function sideAt(side: string, x: number): number {
  const expression = side.replace(/(\d)(?=[x(])/g, '$1*').replaceAll('x', `(${x})`);
  if (!/^[\d+\-*/(). e]+$/.test(expression)) throw new SyntaxError(expression);
  return new Function(`return ${expression.replaceAll('--', '- -')}`)() as number;
}
