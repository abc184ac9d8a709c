/** `reason` is a word of the grader's own closed set; it says why, to be counted and matched on. */
export interface Verdict {
  readonly equal: boolean;
  readonly reason: string;
}

/**
 * Whether a final answer equals the gold answer: both are answers already, such as the contents of a box. A comparator is a
 * pure function of bounded time that does not throw, and when in doubt it answers "not equal".
 */
export type Comparator = (gold: string, answer: string) => Verdict;

/** A verdict on an answer, and the answer that was found. */
export interface Grade extends Verdict {
  /** What the text was taken to answer, as it stands there; null when no answer was found. */
  readonly answer: string | null;
}

/** A policy of grading. Pure, deterministic, bounded in time, and never throws. */
export interface Grader {
  readonly name: string;
  readonly compare: Comparator;
  /** Whether a text (a whole response, or a bare answer) ends in the gold answer; finds the answer as the policy does. */
  grade(gold: string, text: string): Grade;
}
