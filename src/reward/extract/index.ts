import type { Candidate } from './candidate.js';
import { mathVerifyCandidates } from './math-verify.js';

export type { Candidate, ExpressionCandidate, LatexCandidate, LatexPart, NumberCandidate } from './candidate.js';
export { type FinalAnswer, finalAnswers } from './final-answers.js';

export interface ExtractOptions {
  readonly policy: 'math-verify';
}

export function answerCandidates(text: string, options: ExtractOptions): Iterable<Candidate> {
  void options;
  return mathVerifyCandidates(text);
}
