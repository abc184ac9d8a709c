/** Options that say which files, which machine and which texts: what a verb has beside the numbers of its algorithm. */
import { boxedSystemPrompt } from '../dataset/asking.js';
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { askingOptions, samplerOptions } from '../shared-options.js';

const files = optionGroup('Files');
const machine = optionGroup('Machine', { free: true });
const texts = optionGroup('Prompts');
const sampling = optionGroup('Sampling');

export const machineOptions = {
  device: machine.text(
    'cpu|cuda|cuda:i',
    'cpu',
    'what computes: the CPU, or a GPU, counted from 0',
    /^(cpu|cuda(:\d+)?)$/,
    'cpu, cuda or cuda:<i>',
    { words: ['cpu', 'cuda'] },
  ),
  threads: machine.integer(null, { min: 1, max: 1024 }, 'compute threads; null = the CPUs that the process may use'),
  memory: machine.text(
    'size',
    '',
    "memory that may be used, such as 8GB; default: the machine's, or the cgroup's limit",
  ),
  deviceMemory: machine.text('size', '', 'GPU memory that may be used, such as 80GB; default: what is free'),
} as const;

const modelOption = {
  model: files.text(
    'dir|owner/name',
    '',
    'model folder in Hugging Face layout, or owner/name on the hub; default: the embedded limr-nano',
  ),
} as const;

/** Of `train` and `plan`, beside the table of src/ppo/config.ts. */
export const trainRunOptions = {
  ...modelOption,
  prompts: files.text(
    'file|dir|owner/name',
    '',
    "training prompts: .json, .jsonl, .parquet, .arrow, a folder as datasets saves it, or owner/name[:split] on the hub; default: limr-nano's own",
  ),
  evalPrompts: files.texts(
    'file|dir|owner/name',
    "held-out prompts to evaluate on, once for each file; default: limr-nano's own with limr-nano",
  ),
  output: files.text(
    'dir',
    '',
    'folder of the run; default: runs/<model>-<n>, a fresh one, or the newest one with --resume',
  ),
  resume: files.boolean(false, 'go on with the run in --output from its newest checkpoint'),
  resumeWithChanges: files.boolean(false, 'go on with it although the configuration differs'),
  recipe: files.choice(
    'auto',
    ['auto', 'none', 'limr', 'nano'],
    'named set of defaults; auto = nano for limr-nano, else none',
  ),
  tensorboard: files.text(
    'dir',
    '',
    'also write what TensorBoard reads: into --output when no folder is given, else into a folder of this run below that one',
    /^/,
    'a folder, or on',
    { preset: 'on' },
  ),
  perf: machine.boolean(false, 'measure where time and memory go, phase by phase, and print it at the end'),
  wandb: files.boolean(false, 'not supported: the error says how to send a finished run to Weights & Biases'),
  compat: files.choice('none', ['none', 'limr'], "limr = also what LIMR's code did and its paper did not mean"),

  inputKey: texts.text('field', 'prompt', 'field of the question, a text or chat messages; dots lead into objects'),
  labelKey: texts.text('field', 'answer', 'field of the reference answer; dots lead into objects'),
  ...askingOptions,
  systemPrompt: texts.text(
    'message',
    boxedSystemPrompt,
    'system message of the chat template, where the data have none; none when empty',
  ),

  ...machineOptions,
} as const;
/** Files, prompts and machine of `train` and `plan`; the rest is `TrainConfig`. */
export type TrainRunOptions = OptionValues<typeof trainRunOptions>;

/** Of `plan` alone. */
export const planOptions = {
  calibrate: machine.boolean(true, 'measure this machine for a second or two, to estimate the time'),
} as const;

/** The options of `sft`: names, types, defaults, ranges; `withDefaults` completes them. */
export const sftRunOptions = {
  ...modelOption,
  data: files.text('file.jsonl', '', 'needed: examples, .json or .jsonl rows {prompt, response}, {text} or {tokens}'),
  output: files.text('dir', '', 'needed: folder for the trained model; must not exist'),
  ...machineOptions,
} as const;
/** Files and machine of `sft`; the rest is `SftConfig`. */
export type SftRunOptions = OptionValues<typeof sftRunOptions>;

/** The options of `generate`: names, types, defaults, ranges; `withDefaults` completes them. */
export const generateOptions = {
  ...modelOption,
  prompt: texts.text('prompt', '', 'the prompt to complete'),
  input: files.text('file.jsonl', '', 'rows {prompt} or {tokens} to complete, .json or .jsonl'),
  inputKey: texts.text('field', 'prompt', 'field of the prompt in --input'),
  output: files.text('file.jsonl', '', 'where the completions of --input go, .jsonl'),
  ...askingOptions,
  nSamplesPerPrompt: sampling.integer(1, { min: 1 }, 'samples a prompt'),
  generateMaxLen: sampling.integer(
    null,
    { min: 1 },
    'generated tokens a sample, at most; null = what the context leaves',
  ),
  minTokens: sampling.integer(0, {}, 'tokens before which no end-of-text token is sampled'),
  temperature: sampling.number(0, {}, 'sampling temperature; 0 = greedy'),
  ...samplerOptions,
  seed: sampling.integer(42, { max: 0xffffffff }, 'seed of the draws'),
  ...machineOptions,
} as const;
/** The options of `limr-engine generate`, complete; see its --help. */
export type GenerateOptions = OptionValues<typeof generateOptions>;

/** The options of `score`: names, types, defaults, ranges; `withDefaults` completes them. */
export const scoreOptions = {
  ...modelOption,
  input: files.text('file.jsonl', '', 'needed: rows {tokens} or {text}, .json or .jsonl'),
  output: files.text('file.jsonl', '', 'where the scores go, .jsonl; default: stdout'),
  logits: files.text('file.safetensors', '', 'also write all logits, f32, to this .safetensors file; for small inputs'),
  temperature: sampling.number(1, { exclusiveMin: true }, 'temperature of log-probs and entropy'),
  scoreMaxTokens: sampling.integer(4096, { min: 2 }, 'packed tokens a pass, at most'),
  ...machineOptions,
} as const;
/** The options of `limr-engine score`, complete; see its --help. */
export type ScoreRunOptions = OptionValues<typeof scoreOptions>;

/** The options of `model create`: names, types, defaults, ranges; `withDefaults` completes them. */
export const modelCreateOptions = {
  config: files.text('file.json', '', "needed: the model's config.json"),
  output: files.text('dir', '', 'needed: folder for the model; must not exist'),
  tokenizer: files.text(
    'dir',
    '',
    'folder whose tokenizer files are copied; default: the one of --config, if it has any',
  ),
  seed: sampling.integer(42, { max: 0xffffffff }, 'seed of the weights'),
  ...machineOptions,
} as const;
/** The options of `limr-engine model create`, complete; see its --help. */
export type ModelCreateOptions = OptionValues<typeof modelCreateOptions>;

export const modelInfoOptions = { ...modelOption } as const;
