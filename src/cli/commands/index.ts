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

/** Headings of --help. */
export const chapters: readonly { readonly title: string; readonly verbs: readonly (Verb | VerbGroup)[] }[] = [
  { title: 'Train', verbs: [trainVerb, sftVerb, planVerb] },
  { title: 'Look at a run', verbs: [reportVerb, selectVerb] },
  { title: 'Use a model', verbs: [generateVerb, scoreVerb, evalVerb, modelVerbs] },
  { title: 'Grade answers', verbs: [verifyVerb, auditVerb, serveRmVerb] },
  { title: 'This machine', verbs: [benchVerb, doctorVerb, completionVerb] },
];

export const verbs: readonly (Verb | VerbGroup)[] = chapters.flatMap((chapter) => chapter.verbs);
