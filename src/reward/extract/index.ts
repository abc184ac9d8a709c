/** Where a text may hold its answer: as Math-Verify looks for it, and as `standard` does. Nothing is parsed here. */
export {
  type Candidate,
  candidateKey,
  type ExpressionCandidate,
  type LatexCandidate,
  type LatexPart,
  type NumberCandidate,
} from './candidate.js';
export { type FinalAnswer, finalAnswers } from './final-answers.js';
export { mathVerifyCandidates } from './math-verify.js';
