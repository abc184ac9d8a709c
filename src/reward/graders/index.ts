/** Graders: policies of what counts as the gold answer. One a file or folder; the mathematics is src/reward/maths. */
import { type GraderName, graderNames } from '../grader-names.js';
import type { Grader } from './grader.js';
import { limrGrader } from './limr.js';
import { limrCompatGrader } from './limr-compat.js';
import { equalValues, mathVerifyGrader, readCandidate, type Value } from './math-verify/index.js';
import { paperGrader } from './paper/index.js';
import { sympySymbolic } from './paper/sympy-symbolic.js';
import { qwenEqualGrader } from './qwen-equal/index.js';
import { standardGrader } from './standard.js';

export type { Comparator, Grade, Grader, Verdict } from './grader.js';

const graders = {
  standard: standardGrader,
  'math-verify': mathVerifyGrader,
  limr: limrGrader,
  'limr-compat': limrCompatGrader<Value>({
    read: readCandidate,
    equal: (gold, answer) => equalValues(gold, answer).equal,
  }),
  paper: paperGrader(sympySymbolic),
  'qwen-equal': qwenEqualGrader(sympySymbolic),
} as const satisfies Record<GraderName, Grader>;

export { type GraderName, graderNames };

/** The grader of a name; pure, and safe to share. */
export function createGrader(name: GraderName): Grader {
  return graders[name];
}
