/** Options of `select`. */
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { askingOptions } from '../shared-options.js';
import { machineOptions } from './options.js';

const files = optionGroup('Files');
const rows = optionGroup('Rows');
const measure = optionGroup('Measuring');
const choice = optionGroup('Choosing');
const show = optionGroup('Showing');
const embedding = optionGroup('Diversity');

export const selectionMethods = ['lim', 'linear', 'random', 'pass-rate', 'uncertainty', 'diversity'] as const;
/** One of `selectionMethods`. */
export type SelectionMethod = (typeof selectionMethods)[number];

/** The options of `select`: names, types, defaults, ranges; `withDefaults` completes them. */
export const selectOptions = {
  samples: files.text(
    'dir',
    '',
    "samples to measure: a run folder, its samples folder, or the folder of LIMR's step files",
  ),
  scores: files.text(
    'file.json',
    '',
    "scores in place of samples, rows {prompt or id, score} as in LIMR's scores.json",
  ),
  prompts: files.text(
    'file|dir|owner/name',
    '',
    'needed: the prompts to select from: .json, .jsonl, .parquet, .arrow, or a folder of them',
  ),
  output: files.text('file.jsonl', '', 'where the selected rows of --prompts go, in their order, .json or .jsonl'),
  scoresOutput: files.text(
    'file.json',
    '',
    "where {id, prompt, score} of all scored prompts goes, in the form of LIMR's scores.json",
  ),

  inputKey: rows.text('field', 'prompt', 'field of the question in --prompts'),
  labelKey: rows.text('field', 'answer', 'field of the reference answer in --prompts'),
  key: rows.choice(
    'auto',
    ['auto', 'id', 'prompt'],
    "by what samples and scores name a prompt; auto = by id where they have one, else by the prompt's text",
  ),

  method: choice.choice('lim', selectionMethods, 'what selects; lim = alignment with the average learning curve'),
  threshold: choice.number(
    null,
    { min: -Number.MAX_VALUE },
    'keep scores of at least this; null = 0.6 for lim, 0.7 for linear, where there is no --count',
  ),
  count: choice.integer(null, { min: 1 }, 'keep the best ones, this many, in place of a threshold'),
  round: choice.integer(
    2,
    { max: 15 },
    'decimals that scores are rounded to before the threshold (the published ones: 2); 15 = as good as not at all',
  ),
  minPassRate: choice.number(0.2, { max: 1 }, 'pass rate that --method pass-rate keeps, at least'),
  maxPassRate: choice.number(0.8, { max: 1 }, 'pass rate that --method pass-rate keeps, at most'),
  seed: choice.integer(42, { max: 0xffffffff }, 'seed of --method random'),

  signal: measure.choice(
    'reward',
    ['reward', 'accuracy'],
    "what a trajectory holds: the paper's mean reward, or its code's share of correct samples",
  ),
  missing: measure.choice(
    'limr',
    ['limr', 'strict', 'interpolate'],
    'prompts that an epoch left out: limr = filled from the next epoch as the original does, strict = dropped, interpolate = filled between neighbours',
  ),
  stepsPerEpoch: measure.integer(
    null,
    { min: 1 },
    'steps of an epoch; null = as the samples say, else found from which prompts come again',
  ),
  epochs: measure.integer(null, { min: 1 }, 'epochs that count, the first ones; null = all whole ones'),

  embeddings: embedding.text(
    'file.jsonl',
    '',
    'rows {id or prompt, embedding: [numbers]}, .json or .jsonl, in place of --model',
  ),
  model: embedding.text(
    'dir|owner/name',
    '',
    'model folder, or owner/name on the hub, whose hidden states embed the prompts; default: the embedded limr-nano',
  ),
  ...askingOptions,
  ...machineOptions,

  plot: show.text(
    'file.svg',
    '',
    'where a picture goes: trajectories, scores, overlap of methods, .svg',
    /^$|\.svg$/,
    'an .svg file',
  ),
  explain: show.text('id', '', 'id of a prompt whose score is explained, epoch by epoch'),
} as const;
/** The options of `limr-engine select`, complete; see its --help. */
export type SelectOptions = OptionValues<typeof selectOptions>;
