/** Grading of all samples of one question by several graders, as a task of the worker pool. */
import { graderOf } from '../reward/create-reward.js';
import type { Grade } from '../reward/graders/grader.js';
import type { Task } from '../reward/pool-task.js';
import { majorityVote } from './majority.js';

export interface QuestionItem {
  readonly gold: string;
  readonly responses: readonly string[];
}

/** What one grader says of a question. */
export interface QuestionGrades {
  /** One a response. */
  readonly grades: readonly Grade[];
  /** 1 when the answer of most responses is right, see `majorityVote`. */
  readonly majority: number;
}

/** One a grader, in their order. */
export type QuestionResult = readonly QuestionGrades[];

export const task: Task<{ readonly graders: readonly string[] }, QuestionItem, QuestionResult> = {
  url: import.meta.url,
  create({ graders }) {
    const all = graders.map(graderOf);
    return ({ gold, responses }) =>
      all.map((grader) => {
        const grades = responses.map((response) => grader.grade(gold, response));
        const ballots = grades.map(({ answer, equal }) => ({ answer, correct: equal }));
        return { grades, majority: majorityVote(ballots, (first, answer) => grader.compare(first, answer).equal) };
      });
  },
};
