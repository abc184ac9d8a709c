/** Options of `eval`. Null and "" follow the benchmark, which follows the paper. */
import { boxedSystemPrompt } from '../dataset/asking.js';
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { graderNames } from '../reward/grader-names.js';
import { askingOptions, samplerOptions } from '../shared-options.js';
import { machineOptions } from './options.js';

/** Nucleus and generated tokens of all of the paper's evaluations. */
const paperTopP = 0.95;
export const paperMaxTokens = 3072;

const files = optionGroup('Files');
const texts = optionGroup('Questions');
const sampling = optionGroup('Sampling');
const grading = optionGroup('Grading');

/** The options of `eval`: names, types, defaults, ranges; `withDefaults` completes them. */
export const evalOptions = {
  model: files.text(
    'dir|owner/name',
    '',
    'model folder in Hugging Face layout, or owner/name on the hub; default: the embedded limr-nano',
  ),
  benchmarks: files.text(
    'benchmark[=file],...',
    '',
    "aime24, amc23, math500, gsm8k, minerva, olympiadbench, or name=path, with commas between; default: limr-nano's held-out prompts with limr-nano",
  ),
  data: files.text('dir', '', 'folder with <name>.jsonl, .json, .parquet or .arrow of each benchmark'),
  output: files.text(
    'file.jsonl',
    '',
    'where a line for every question goes, with its samples and their grades, .jsonl',
  ),
  resume: files.boolean(false, 'go on with the evaluation of --output that was interrupted'),
  compare: files.text(
    'a.jsonl,b.jsonl',
    '',
    'two outputs, with a comma between: a paired test of their accuracies, without a model',
  ),

  limit: texts.integer(null, { min: 1 }, 'questions of each benchmark, at most, the first ones'),
  inputKey: texts.text('field', '', 'field of the question; default: the first of question, problem, prompt, input'),
  labelKey: texts.text(
    'field',
    '',
    'field of the reference answer; default: the first of answer, final_answer.0, gold, label',
  ),
  ...askingOptions,
  systemPrompt: texts.text(
    'message',
    boxedSystemPrompt,
    'system message of the chat template, where the data have none; none when empty',
  ),
  promptMaxLen: texts.integer(null, { min: 1 }, 'question tokens, at most; null = what the context leaves'),
  promptTruncation: texts.choice(
    'error',
    ['error', 'drop'],
    'what becomes of a longer question: error refuses the benchmark, drop leaves the question out and says so',
  ),

  nSamplesPerPrompt: sampling.integer(null, { min: 1 }, 'samples a question; null = 4 for aime24 and amc23, else 1'),
  temperature: sampling.number(null, {}, 'sampling temperature; 0 = greedy; null = 0.4 for aime24 and amc23, else 0'),
  generateMaxLen: sampling.integer(
    null,
    { min: 1 },
    `generated tokens a sample, at most; null = ${paperMaxTokens}, or what the context leaves`,
  ),
  minTokens: sampling.integer(0, {}, 'tokens before which no end-of-text token is sampled'),
  ...samplerOptions,
  topP: sampling.number(paperTopP, { max: 1, exclusiveMin: true }, 'nucleus of this probability; 1 = off'),
  seed: sampling.integer(42, { max: 0xffffffff }, 'seed of the draws'),

  grader: grading.text(
    'grader,...',
    'standard,paper',
    'graders, with commas between; the first is the headline',
    /^[a-z][a-z0-9,-]*$/,
    'names of graders',
    { words: graderNames },
  ),
  rewardWorkers: grading.integer(
    null,
    { max: 256 },
    'threads that grade beside sampling; 0 = the main thread; null = one for every four CPUs, at least one',
  ),
  rewardTimeoutMs: grading.integer(
    30_000,
    { min: 100 },
    'milliseconds that grading one question may take before its worker is replaced; the second time is an error',
  ),
  ...machineOptions,
} as const;
/** The options of `limr-engine eval`, complete; see its --help. */
export type EvalOptions = OptionValues<typeof evalOptions>;
