/** Golds against texts, as a task of the worker pool. */
import { graderOf } from './create-reward.js';
import type { Grade } from './graders/grader.js';
import type { Task } from './pool-task.js';

export interface PairsOptions {
  readonly graders: readonly string[];
}

/** A text to be compared with a gold: an answer, or a whole response in which the grader finds one. */
export interface GradedText {
  readonly text: string;
  readonly isResponse: boolean;
}

export interface PairsItem {
  readonly gold: string;
  readonly texts: readonly GradedText[];
}

/** [grader][text] */
export type PairsResult = readonly (readonly Grade[])[];

export const task: Task<PairsOptions, PairsItem, PairsResult> = {
  url: import.meta.url,
  create({ graders }) {
    const all = graders.map(graderOf);
    return ({ gold, texts }) =>
      all.map((grader) =>
        texts.map(({ text, isResponse }) =>
          isResponse ? grader.grade(gold, text) : { ...grader.compare(gold, text), answer: text },
        ),
      );
  },
};
