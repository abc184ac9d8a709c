/** All verbs, in the order of --help. What they need to run is imported when they run. */
import type { Verb, VerbGroup } from '../verb.js';
import { auditVerb } from './audit.js';
import { benchVerb } from './bench.js';
import { completionVerb } from './completion.js';
import { doctorVerb } from './doctor.js';
import { evalVerb } from './eval.js';
import { generateVerb } from './generate.js';
import { modelVerbs } from './model.js';
import { planVerb } from './plan.js';
import { reportVerb } from './report.js';
import { scoreVerb } from './score.js';
import { selectVerb } from './select.js';
import { serveRmVerb } from './serve-rm.js';
import { sftVerb } from './sft.js';
import { trainVerb } from './train.js';
import { verifyVerb } from './verify.js';

export const verbs: readonly (Verb | VerbGroup)[] = [
  trainVerb,
  sftVerb,
  evalVerb,
  generateVerb,
  scoreVerb,
  selectVerb,
  reportVerb,
  verifyVerb,
  auditVerb,
  serveRmVerb,
  planVerb,
  benchVerb,
  modelVerbs,
  doctorVerb,
  completionVerb,
];
