import { completeOptions } from '../../config.js';
import type { Explanation, SelectResult } from '../../launch/select.js';
import { type SelectOptions, selectOptions } from '../../launch/select-options.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const selectVerb: Verb = {
  name: 'select',
  summary: summaries.select,
  options: selectOptions,
  about: [
    "LIM scores a prompt by how well the course of its rewards over the epochs follows the average course (arXiv:2502.11886, section 2.2): 1 is the average itself. Prompts with a score of at least --threshold are kept, in the order of --prompts. Its rivals (--method) score by a line's slope, by pass rate, by uncertainty, by distance in embedding space, or not at all.",
    'Rewards come from a run (--samples), or scores from a file (--scores). docs/lim.md has the equation of every method, and what the original does with epochs that left a prompt out.',
  ],
  examples: [
    ['By the samples of a run', 'limr-engine select --samples runs/nano-1 --prompts math.json --output limr.json'],
    [
      "By LIMR's published scores",
      'limr-engine select --scores scores.json --prompts math.8k.json --threshold 0.6 --output limr.json',
    ],
    [
      "As the authors' code does, from their step files",
      'limr-engine select --samples output/math.8k --prompts math.8k.json --signal accuracy --steps-per-epoch 8 --epochs 21 --round 15',
    ],
    [
      'A picture, and why one prompt has its score',
      'limr-engine select --samples runs/nano-1 --prompts math.json --plot lim.svg --explain train-1-001',
    ],
    [
      'A random choice of the same size',
      'limr-engine select --method random --count 1389 --prompts math.8k.json --output random.json',
    ],
  ],
  async run(given, { terminal, signal }) {
    const { launchSelect } = await import('../../launch/select.js');
    const options = completeOptions(selectOptions, given);
    const bar = terminal.progress(options.method === 'diversity' ? 'embedding' : 'reading samples', 0);
    const result = await launchSelect(options, {
      signal,
      ...hubHooks(terminal),
      onProgress: (done, total) => bar.update(done, '', total),
      remark: (text) => terminal.say(text, 'warn'),
    });
    bar.end();
    return { json: result, lines: linesOf(result, options) };
  },
};

function linesOf(result: SelectResult, options: SelectOptions): string[] {
  const { method, selected, prompts, scored, rule, run, explained } = result;
  const written = [options.output, options.scoresOutput, options.plot].filter((file) => file !== '');
  return [
    `${method}: ${selected} of ${prompts} prompts, ${rule}`,
    ...(scored === prompts ? [] : [`  ${scored} have a score, ${prompts - scored} have none`]),
    ...(run === undefined ? [] : runLines(run)),
    ...(explained === undefined ? [] : ['', ...explanationLines(explained)]),
    ...written,
  ];
}

function runLines(run: NonNullable<SelectResult['run']>): string[] {
  const { epochs, stepsPerEpoch, steps, unusedSteps, samples, kept, filled, average } = run;
  const length = stepsPerEpoch === null ? '' : ` of ${stepsPerEpoch} steps`;
  const unused = unusedSteps === 0 ? '' : `, ${unusedSteps} unused`;
  const course = average?.map((value) => value.toFixed(2)).join(' ');
  return [
    `  ${epochs} epochs${length}: ${steps} steps${unused}, ${samples} samples`,
    ...(kept === undefined ? [] : [`  ${kept} complete trajectories, ${filled} missing epochs filled`]),
    ...(course === undefined ? [] : [`  average by epoch: ${course}`]),
  ];
}

function explanationLines({ id, prompt, score, rank, selected, epochs }: Explanation): string[] {
  const fixed = (value: number | null) => (value === null ? '-' : value.toFixed(4)).padStart(9);
  const head = score === null ? 'no score' : `score ${score.toFixed(4)}, rank ${rank}`;
  return [
    `${id}: ${head}, ${selected ? 'selected' : 'not selected'}`,
    `  ${JSON.stringify(prompt.length > 100 ? `${prompt.slice(0, 100)}...` : prompt)}`,
    ...(epochs === undefined ? [] : ['  epoch      seen      used   average      loss']),
    ...(epochs ?? []).map(
      ({ epoch, seen, used, mean, loss }) =>
        `  ${String(epoch).padStart(5)} ${[seen, used, mean, loss].map(fixed).join(' ')}`,
    ),
  ];
}
