/** What the reward server's workers do: LIMR's rule on the full text of a conversation. */
import { graderOf } from '../reward/create-reward.js';
import { answerTable, checkDialogue, gradeCheck } from '../reward/limr-rule.js';
import type { Task } from '../reward/pool-task.js';
import { pythonStrip } from '../reward/python-text.js';
import { type Dialogue, splitDeepseek, splitQwen, type TemplateName } from '../reward/template.js';

/** One text of a request. */
export interface Query {
  /** Prompt and response, as the model saw and wrote them. */
  readonly text: string;
  /** The prompt at its beginning, which template `plain` needs to know. */
  readonly prompt?: string;
  /** The gold answer, instead of the table's. */
  readonly label?: string;
}

export interface GradeOptions {
  readonly grader: string;
  readonly template: TemplateName;
  /** LIMR's table; later rows win. */
  readonly answers: readonly { readonly prompt: string; readonly answer: string }[];
}

export interface QueryGrade {
  readonly reward: number;
  readonly reason: string;
}

export const task: Task<GradeOptions, Query, QueryGrade> = {
  url: import.meta.url,
  create({ grader, template, answers }) {
    const comparator = graderOf(grader).compare;
    const table = answerTable(answers);
    return (query) => {
      const { label } = query;
      const check = checkDialogue(splitQuery(query, template), label === undefined ? table : () => label);
      const { reward, reason } = gradeCheck(check, comparator);
      return { reward, reason };
    };
  },
};

function splitQuery({ text, prompt = '' }: Query, template: TemplateName): Dialogue {
  switch (template) {
    case 'qwen':
      return splitQwen(text);
    case 'deepseek':
      return splitDeepseek(text);
    case 'plain': {
      // Nothing in a plain text says whether it came to its end, so it counts as finished.
      const response = text.startsWith(prompt) ? text.slice(prompt.length) : text;
      return { prompt: pythonStrip(prompt), response: pythonStrip(response), finished: true };
    }
  }
}
