/**
 * The data of limr-nano, all of it a function of one seed: held-out prompts, training prompts, and the corpus of solved
 * problems that the base model is made from. No held-out problem, in any order of its operands, is in the other two.
 */
import { divisors, equations, fractions, polynomials } from './algebra.js';
import { addition, division, means, modulars, multiplication, order, remainders, subtraction } from './arithmetic.js';
import { canonical, evaluate, formatRational } from './expression.js';
import { type Draft, type Family, type Level, levels } from './problem.js';
import { type Purpose, Random } from './random.js';

export const families: readonly Family[] = [
  addition,
  subtraction,
  multiplication,
  division,
  remainders,
  means,
  order,
  modulars,
  divisors,
  equations,
  fractions,
  polynomials,
];

export interface Problem extends Draft {
  readonly source: string;
  readonly level: Level;
}

/** A line of train.jsonl and heldout.jsonl: LIMR's fields, and the level. */
export interface PromptRecord {
  readonly id: string;
  readonly prompt: string;
  readonly answer: string;
  readonly source: string;
  readonly level: Level;
}

export interface CorpusRecord {
  readonly prompt: string;
  readonly response: string;
}

/** How a solution is written down. Only `worked` and `direct` end in a box, which is what the reward looks for. */
export const styles = ['worked', 'direct', 'prose'] as const;
export type Style = (typeof styles)[number];

/**
 * The share of each style, in the order of `styles`. As on the web, some sources show their work and others give the
 * answer; over all levels the corpus holds about 35% worked, 45% direct, 20% prose. What a source rarely shows is what
 * reinforcement learning has to bring out.
 */
const showsWork = [0.45, 0.3, 0.25];
const givesAnswer = [0.27, 0.57, 0.16];
const styleShares: Readonly<Record<string, readonly number[]>> = {
  addition: givesAnswer,
  subtraction: givesAnswer,
  multiplication: givesAnswer,
  division: showsWork,
  remainder: givesAnswer,
  mean: showsWork,
  order: givesAnswer,
  modular: givesAnswer,
  gcd: showsWork,
  linear: showsWork,
  fraction: showsWork,
  evaluate: givesAnswer,
};

export const promptText = (question: string): string => `Q: ${question}\nA:`;

export function responseText(problem: Draft, style: Style): string {
  switch (style) {
    case 'worked':
      return `${problem.steps.join('\n')}\n\\boxed{${problem.answer}}`;
    case 'direct':
      return `\\boxed{${problem.answer}}`;
    case 'prose':
      return `${problem.steps.join(', ')}. Answer: ${problem.answer}`;
  }
}

/** @throws {RangeError} when a family's answer is not the exact value of its question: a defect of the family */
function drawFrom(family: Family, level: Level, random: Random): Problem {
  const draw = family.draw[level];
  if (draw === undefined) throw new RangeError(`${family.source} has no level ${level}`);
  const problem = { ...draw(random), source: family.source, level };
  const exact = formatRational(evaluate(problem.question));
  if (exact !== problem.answer) throw new RangeError(`"${problem.question}" is ${exact}, not ${problem.answer}`);
  return problem;
}

const familiesAt = (level: Level): readonly Family[] => families.filter((family) => family.draw[level] !== undefined);

/** `perLevel` different problems of each level, the families of a level in turn, none of them in `taken`, which grows. */
function promptSet(seed: number, purpose: Purpose, perLevel: number, taken: Set<string>): PromptRecord[] {
  const records: PromptRecord[] = [];
  for (const level of levels) {
    let index = level * 2 ** 24;
    const offered = familiesAt(level);
    for (let n = 0; n < perLevel; ) {
      const family = offered[n % offered.length];
      if (family === undefined) throw new RangeError(`no family has level ${level}`);
      const problem = drawFrom(family, level, new Random(seed, purpose, index++));
      const key = canonical(problem.question);
      if (taken.has(key)) continue;
      taken.add(key);
      n++;
      const { question, answer, source } = problem;
      const id = `${purpose}-${level}-${`${n}`.padStart(3, '0')}`;
      records.push({ id, prompt: promptText(question), answer, source, level });
    }
  }
  return records;
}

export interface PromptSets {
  readonly heldout: readonly PromptRecord[];
  readonly train: readonly PromptRecord[];
  /** Canonical forms of the held-out questions: what the corpus leaves out. */
  readonly heldoutKeys: ReadonlySet<string>;
}

export function promptSets(seed: number, heldoutPerLevel: number, trainPerLevel: number): PromptSets {
  const taken = new Set<string>();
  const heldout = promptSet(seed, 'heldout', heldoutPerLevel, taken);
  const heldoutKeys = new Set(taken);
  return { heldout, train: promptSet(seed, 'train', trainPerLevel, taken), heldoutKeys };
}

/** Share of the corpus at each level: harder problems take more examples to learn. */
const levelShares = [1, 1, 1.2, 1.4, 1.4];

/** Example `index` of the corpus; a pure function of its arguments. */
export function corpusProblem(
  seed: number,
  index: number,
  heldoutKeys: ReadonlySet<string>,
): Problem & { style: Style } {
  const random = new Random(seed, 'corpus', index);
  for (;;) {
    const level = levels[random.weighted(levelShares)] ?? 1;
    const family = random.pick(familiesAt(level));
    const problem = drawFrom(family, level, random);
    const style = styles[random.weighted(styleShares[family.source] ?? [])] ?? 'worked';
    if (!heldoutKeys.has(canonical(problem.question))) return { ...problem, style };
  }
}

export function corpusRecord(seed: number, index: number, heldoutKeys: ReadonlySet<string>): CorpusRecord {
  const problem = corpusProblem(seed, index, heldoutKeys);
  return { prompt: promptText(problem.question), response: responseText(problem, problem.style) };
}
