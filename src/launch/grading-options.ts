/** Options of the verbs that grade without a model: verify, audit, serve-rm. */
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { graderPattern } from '../ppo/reward-options.js';
import { graderNames } from '../reward/grader-names.js';

const files = optionGroup('Files');
const rows = optionGroup('Rows');
const grading = optionGroup('Grading');
const service = optionGroup('Service');
const limits = optionGroup('Limits');

const workersOption = {
  rewardWorkers: grading.integer(null, { max: 256 }, 'threads that grade; 0 = the main one; null = the CPUs'),
  rewardTimeoutMs: grading.integer(
    30_000,
    { min: 100 },
    'milliseconds that one answer may take before its worker is replaced; the second time is an error',
  ),
} as const;

const promptKeys = {
  inputKey: rows.text('field', 'prompt', 'field of the question'),
  labelKey: rows.text('field', 'answer', 'field of the reference answer'),
} as const;

/** The options of `verify`: names, types, defaults, ranges; `withDefaults` completes them. */
export const verifyOptions = {
  gold: rows.text('answer', '', 'one reference answer, with --pred'),
  pred: rows.text('answer', '', 'one answer to compare with it'),
  input: files.text('file.jsonl', '', 'rows {gold, pred} to compare, .json or .jsonl; - = JSON lines from stdin'),
  output: files.text(
    'file.jsonl',
    '',
    'where {equal, reason, ms} of each row goes, with its ids; - is stdout; default: stdout',
  ),
  goldKey: rows.text('field', 'gold', 'field of the reference answer in --input'),
  predKey: rows.text('field', 'pred', 'field of the answer in --input'),
  predKind: rows.choice(
    'auto',
    ['auto', 'answer', 'response'],
    'an answer is compared as it is, in a response the grader looks for one; auto = by its box and its words',
  ),
  grader: grading.text(
    'grader',
    'standard',
    'what compares an answer with the gold one',
    graderPattern,
    'the name of a grader',
    { words: graderNames },
  ),
  ...workersOption,
} as const;
/** The options of `limr-engine verify`, complete; see its --help. */
export type VerifyOptions = OptionValues<typeof verifyOptions>;

/** The options of `audit`: names, types, defaults, ranges; `withDefaults` completes them. */
export const auditOptions = {
  prompts: files.text('file|dir|owner/name', '', 'needed: questions with answers, .json or .jsonl'),
  ...promptKeys,
  output: files.text('file.jsonl', '', 'where a line for every answer goes, .jsonl'),
  grader: grading.text(
    'grader',
    'all',
    'graders, with commas between, or all',
    /^[a-z][a-z0-9,-]*$/,
    'names of graders, or all',
    { words: ['all', ...graderNames] },
  ),
  ...workersOption,
} as const;
/** The options of `limr-engine audit`, complete; see its --help. */
export type AuditOptions = OptionValues<typeof auditOptions>;

/** The options of `serve-rm`: names, types, defaults, ranges; `withDefaults` completes them. */
export const serveRmOptions = {
  prompts: files.texts(
    'file|dir|owner/name',
    'questions with answers, .json or .jsonl, once for each file; of equal questions the last one counts',
  ),
  ...promptKeys,
  grader: grading.text(
    'grader',
    'limr',
    'what compares an answer with the gold one',
    graderPattern,
    'the name of a grader',
    { words: graderNames },
  ),
  template: grading.choice(
    'qwen',
    ['qwen', 'deepseek', 'plain'],
    'how prompt and response are found in a text; plain = by the "prompts" of the request',
  ),
  ...workersOption,
  host: service.text('address', '127.0.0.1', 'address to listen on; 0.0.0.0 lets other machines in'),
  port: service.integer(5000, { max: 65_535 }, 'port to listen on; 0 = any free one'),
  accessLog: service.boolean(false, 'a line on stderr for every request'),
  maxBody: limits.text('size', '64MB', 'bytes of a request, at most'),
  maxHeld: limits.text('size', '256MB', 'bytes of all requests under way, at most; more are refused by 503'),
  maxRequests: limits.integer(2048, { min: 1 }, 'requests under way, at most; more are refused by 503'),
  requestTimeoutMs: limits.integer(60_000, { min: 100 }, 'milliseconds in which a request must have arrived'),
} as const;
/** The options of `limr-engine serve-rm`, complete; see its --help. */
export type ServeRmOptions = OptionValues<typeof serveRmOptions>;
