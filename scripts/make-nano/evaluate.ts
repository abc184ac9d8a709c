/** What a base model can do on the held-out prompts, by level: pass@1 sampled, pass@k, greedy, and the share with a box. */
import { checkDialogue, exactEqual } from '../../src/reward/index.js';
import type { PromptRecord } from './generate.js';
import { levels } from './problem.js';

/** One response, as the verb `generate` writes it. */
export interface Completion {
  /** Row of the prompt, and number of the sample among its samples. */
  readonly prompt: number;
  readonly sample: number;
  readonly text: string;
  readonly stop: string;
}

export interface Grade {
  /** It ended by itself and has a box, so that LIMR's rule compares the answer. */
  readonly wellFormed: boolean;
  readonly correct: boolean;
}

export interface Accuracy {
  readonly level: string;
  readonly numPrompts: number;
  /** Mean over all samples. */
  readonly sampled: number;
  /** Share of prompts with a correct sample among the k. */
  readonly passAtK: number;
  readonly greedy: number;
  readonly wellFormed: number;
  /** Correct samples among well-formed ones; NaN when there are none. */
  readonly sampledAmongWellFormed: number;
}

export function grade(record: PromptRecord, completion: Completion): Grade {
  const dialogue = { prompt: record.prompt, response: completion.text, finished: completion.stop === 'eos' };
  const check = checkDialogue(dialogue, () => record.answer);
  if (check.reject !== null) return { wellFormed: false, correct: false };
  return { wellFormed: true, correct: exactEqual(check.gold, check.answer).equal };
}

/**
 * @param sampled grades [prompt][sample], the same number k for every prompt
 * @param greedy one grade a prompt
 * @returns a row for each level, then one for all
 */
export function accuracies(
  records: readonly PromptRecord[],
  sampled: readonly (readonly Grade[])[],
  greedy: readonly Grade[],
): Accuracy[] {
  const row = (level: string, chosen: readonly number[]): Accuracy => {
    const grades = chosen.map((i) => sampled[i] ?? []);
    const all = grades.flat();
    const correct = all.filter((each) => each.correct).length;
    const wellFormed = all.filter((each) => each.wellFormed).length;
    return {
      level,
      numPrompts: chosen.length,
      sampled: correct / all.length,
      passAtK: grades.filter((list) => list.some((each) => each.correct)).length / chosen.length,
      greedy: chosen.filter((i) => greedy[i]?.correct).length / chosen.length,
      wellFormed: wellFormed / all.length,
      sampledAmongWellFormed: correct / wellFormed,
    };
  };
  const indices = records.map((_, i) => i);
  return [
    ...levels.map((level) =>
      row(
        `${level}`,
        indices.filter((i) => records[i]?.level === level),
      ),
    ),
    row('all', indices),
  ];
}

/** The rows as a Markdown table, in percent. */
export function accuracyTable(rows: readonly Accuracy[], k: number): string {
  const percent = (share: number): string => (Number.isNaN(share) ? '-' : (100 * share).toFixed(1));
  const head = ['level', 'prompts', 'pass@1, sampled', `pass@${k}`, 'greedy', 'well-formed', 'pass@1 of well-formed'];
  const body = rows.map((row) => [
    row.level,
    `${row.numPrompts}`,
    ...[row.sampled, row.passAtK, row.greedy, row.wellFormed, row.sampledAmongWellFormed].map(percent),
  ]);
  return [head, head.map(() => '---:'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
