/** Options of LIM while a run trains, and what contradicts them. docs/lim.md. */
import type { CourseMethod } from '../lim/methods.js';
import type { MissingPolicy } from '../lim/missing.js';
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';

const lim = optionGroup('LIM');

export const limOptions = {
  lim: lim.boolean(false, 'score prompts by their learning impact at the end of each epoch (lim/epoch_<e>.jsonl)'),
  limMethod: lim.choice<CourseMethod>(
    'lim',
    ['lim', 'linear'],
    'what scores; lim = alignment with the average learning curve',
  ),
  limSignal: lim.choice(
    'reward',
    ['reward', 'accuracy'],
    "what a trajectory holds: the paper's mean reward, or its code's share of correct samples",
  ),
  limMissing: lim.choice(
    'limr',
    ['limr', 'strict', 'interpolate'] satisfies readonly MissingPolicy[],
    'prompts that an epoch left out: limr = filled from the next epoch as the original does, strict = without a score, interpolate = filled between neighbours',
  ),
  limThreshold: lim.number(
    null,
    { min: -Number.MAX_VALUE },
    'keep scores of at least this; null = 0.6 for lim, 0.7 for linear, where there is no --lim-count',
  ),
  limCount: lim.integer(null, { min: 1 }, 'keep the best ones, this many, in place of a threshold'),
  limRound: lim.integer(2, { max: 15 }, 'decimals that scores are rounded to before the threshold'),
  limDrop: lim.boolean(false, 'go on with the prompts that are kept alone, from --lim-from-epoch on'),
  limWeight: lim.boolean(
    false,
    "weight the policy's loss of a prompt's samples in proportion to its score, from --lim-from-epoch on",
  ),
  limFromEpoch: lim.integer(
    null,
    { min: 2 },
    'needed with --lim-drop and --lim-weight: the first epoch that they change, by the scores of the epochs before it',
  ),
} as const;

export type LimOptions = OptionValues<typeof limOptions>;

/** Whether it is broken, what to say, and what to do. */
export function limContradictions(
  c: LimOptions & { readonly saveSamples: boolean },
): readonly (readonly [boolean, string, string])[] {
  const acts = c.limDrop || c.limWeight;
  const verb = c.limDrop ? 'limDrop' : 'limWeight';
  const without = [
    ...(acts ? [verb] : []),
    ...(['limFromEpoch', 'limThreshold', 'limCount'] as const).filter((name) => c[name] !== null),
  ];
  return [
    [!c.lim && without.length > 0, `${without[0]} needs the scores of LIM, and lim is off`, 'Add --lim.'],
    [
      c.lim && !c.saveSamples,
      "lim reads a resumed run's scores from its samples, and saveSamples is off",
      'Leave --no-save-samples out.',
    ],
    [
      c.limDrop && c.limWeight,
      'expected either limDrop or limWeight: a dropped prompt has no new score to weight it by',
      'Leave one of --lim-drop and --lim-weight out.',
    ],
    [
      acts && c.limFromEpoch === null,
      `${verb} needs to know from which epoch on`,
      'Set --lim-from-epoch: scores are of the epochs before it.',
    ],
    [
      !acts && c.limFromEpoch !== null,
      `limFromEpoch is ${c.limFromEpoch}, and nothing begins in that epoch`,
      'Add --lim-drop or --lim-weight.',
    ],
    [
      c.limThreshold !== null && c.limCount !== null,
      'expected either limThreshold or limCount',
      'Leave one of --lim-threshold and --lim-count out.',
    ],
    [
      c.limMethod === 'linear' && c.limFromEpoch === 2,
      'limMethod linear fits a line, and one epoch before limFromEpoch 2 is one point',
      'Set --lim-from-epoch to 3 or more.',
    ],
  ];
}
