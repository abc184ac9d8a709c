/** What a base model can do on the held-out prompts, by level: pass@1 sampled, pass@k, greedy, and the share with a box. */
import { type EvaluationSummary, type Outcome, summarize } from '../../src/eval/accuracy.js';
import { checkDialogue, createGrader } from '../../src/reward/index.js';
import type { PromptRecord } from './generate.js';
import { levels } from './problem.js';

/** One response, as the verb `generate` writes it. */
export interface Completion {
  /** Row of the prompt, and number of the sample among its samples. */
  readonly prompt: number;
  readonly sample: number;
  readonly text: string;
  readonly tokens: readonly number[];
  readonly stop: string;
}

/** The prompts of a level, or all of them. */
export interface Accuracy {
  readonly level: string;
  readonly sampled: EvaluationSummary;
  readonly greedy: EvaluationSummary;
}

/** Well-formed: it ended by itself and has a box, so that LIMR's rule compares the answer. */
export function grade(record: PromptRecord, { text, tokens, stop }: Completion): Outcome {
  const check = checkDialogue({ prompt: record.prompt, response: text, finished: stop === 'eos' }, () => record.answer);
  const correct = check.reject === null && createGrader('standard').compare(check.gold, check.answer).equal;
  return { wellFormed: check.reject === null, correct, length: tokens.length, truncated: stop === 'length' };
}

/**
 * @param sampled [prompt][sample], the same number of samples for every prompt
 * @param greedy one sample a prompt
 * @returns a row for each level that has prompts, then one for all
 */
export function accuracies(
  records: readonly PromptRecord[],
  sampled: readonly (readonly Outcome[])[],
  greedy: readonly (readonly Outcome[])[],
): Accuracy[] {
  const row = (level: string, has: (record: PromptRecord) => boolean): Accuracy => {
    const of = (outcomes: readonly (readonly Outcome[])[]) => summarize(outcomes.filter((_, i) => has(records[i]!)));
    return { level, sampled: of(sampled), greedy: of(greedy) };
  };
  const present = levels.filter((level) => records.some((record) => record.level === level));
  return [...present.map((level) => row(`${level}`, (record) => record.level === level)), row('all', () => true)];
}

/** The rows as a Markdown table, in percent. */
export function accuracyTable(rows: readonly Accuracy[], k: number): string {
  const percent = (share: number): string => (Number.isNaN(share) ? '-' : (100 * share).toFixed(1));
  const head = ['level', 'prompts', 'pass@1, sampled', `pass@${k}`, 'greedy', 'well-formed', 'pass@1 of well-formed'];
  const body = rows.map(({ level, sampled, greedy }) => [
    level,
    `${sampled.numPrompts}`,
    ...[
      sampled.accuracy,
      sampled.passAtK[k] ?? Number.NaN,
      greedy.accuracy,
      sampled.wellFormed,
      sampled.accuracyWellFormed,
    ].map(percent),
  ]);
  return [head, head.map(() => '---:'), ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
