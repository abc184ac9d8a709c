/** The verbs under the headings of `--help`; a verb is loaded when it is asked for, so that the others cost nothing. */
import type { summaries } from './summaries.js';
import type { Verb, VerbGroup } from './verb.js';

type Name = keyof typeof summaries;
type Loader = () => Promise<Verb | VerbGroup>;

export const chapters: readonly { readonly title: string; readonly verbs: Readonly<Partial<Record<Name, Loader>>> }[] =
  [
    {
      title: 'Train',
      verbs: {
        train: async () => (await import('./commands/train.js')).trainVerb,
        sft: async () => (await import('./commands/sft.js')).sftVerb,
        plan: async () => (await import('./commands/plan.js')).planVerb,
      },
    },
    {
      title: 'Look at a run',
      verbs: {
        report: async () => (await import('./commands/report.js')).reportVerb,
        select: async () => (await import('./commands/select.js')).selectVerb,
      },
    },
    {
      title: 'Use a model',
      verbs: {
        generate: async () => (await import('./commands/generate.js')).generateVerb,
        score: async () => (await import('./commands/score.js')).scoreVerb,
        eval: async () => (await import('./commands/eval.js')).evalVerb,
        model: async () => (await import('./commands/model.js')).modelVerbs,
      },
    },
    {
      title: 'Grade answers',
      verbs: {
        verify: async () => (await import('./commands/verify.js')).verifyVerb,
        audit: async () => (await import('./commands/audit.js')).auditVerb,
        'serve-rm': async () => (await import('./commands/serve-rm.js')).serveRmVerb,
      },
    },
    {
      title: 'This machine',
      verbs: {
        bench: async () => (await import('./commands/bench.js')).benchVerb,
        doctor: async () => (await import('./commands/doctor.js')).doctorVerb,
        completion: async () => (await import('./commands/completion.js')).completionVerb,
      },
    },
  ];

export const loaders: ReadonlyMap<string, Loader> = new Map(chapters.flatMap(({ verbs }) => Object.entries(verbs)));
