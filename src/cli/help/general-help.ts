/** `limr-engine --help`: the verbs, and what is true of all of them. */
import { chapters } from '../chapters.js';
import { summaries } from '../summaries.js';
import type { Example } from '../verb.js';
import { examples, exitCodes, type HelpStyle, page } from './verb-help.js';
import { definitions, wrap } from './wrap.js';

const verbColumn = 14;

const firstSteps: readonly Example[] = [
  [
    'Train the embedded model for three rollouts, and look at what it did',
    'limr-engine train --rollouts 3 && limr-engine report',
  ],
  ['Ask a model', "limr-engine generate --prompt $'Q: 12 + 30 = ?\\nA:'"],
  [
    "What training Qwen2.5-Math-7B by the paper's recipe takes",
    'limr-engine plan --model Qwen/Qwen2.5-Math-7B --prompts math.json --recipe limr',
  ],
  ['Everything about one verb', 'limr-engine help train'],
];

export function generalHelp(style: HelpStyle): string {
  const { width, heading } = style;
  return page([
    [`${heading('Usage:')} limr-engine <verb> [options]`],
    wrap(
      'Samples, verifies, scores, trains, measures learning impact (LIM), selects and evaluates, by the recipe of LIMR (arXiv:2502.11886): one process, one copy of the weights.',
      width,
    ),
    ...chapters.map(({ title, verbs }) => [
      heading(`${title}:`),
      ...definitions(
        Object.keys(verbs).map((name) => [name, summaries[name as keyof typeof summaries]] as const),
        width,
        verbColumn,
      ),
    ]),
    [
      heading('Help:'),
      ...definitions(
        [
          ['help <verb>', 'everything about one verb, as <verb> --help'],
          ['--version, -V', 'the version'],
        ],
        width,
        18,
      ),
    ],
    wrap(
      'Results go to stdout: a readable summary, or with --json one JSON object. Progress and errors go to stderr; an error says in "fix:" how to mend it.',
      width,
    ),
    wrap(
      'Every option is a flag (--eps-clip 0.1), a variable (LIMR_EPS_CLIP=0.1) and a key of the YAML file of --config (eps_clip: 0.1). A flag beats the variable, which beats the file, the recipe, the default. In --help, <n> is a whole number and <x> any number; where a default is in words, "auto" asks for it. A switch --x is also --no-x.',
      width,
    ),
    exitCodes(style),
    examples(firstSteps, style),
  ]);
}
