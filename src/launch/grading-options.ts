/** Options of the verbs that grade without a model: verify, audit, serve-rm. */
import type { OptionValues } from '../option.js';
import { optionGroup } from '../option-group.js';
import { graderPattern } from '../ppo/reward-options.js';

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
  inputKey: rows.text('prompt', 'field of the question'),
  labelKey: rows.text('answer', 'field of the reference answer'),
} as const;

export const verifyOptions = {
  gold: rows.text('', 'one reference answer, with --pred'),
  pred: rows.text('', 'one answer to compare with it'),
  input: files.text('', 'rows {gold, pred} to compare, .json or .jsonl; - = JSON lines from stdin'),
  output: files.text('', 'where {equal, reason, ms} of each row goes, with its ids, .jsonl; default, and -: stdout'),
  goldKey: rows.text('gold', 'field of the reference answer in --input'),
  predKey: rows.text('pred', 'field of the answer in --input'),
  predKind: rows.choice(
    'auto',
    ['auto', 'answer', 'response'],
    'an answer is compared as it is, in a response the grader looks for one; auto = by its box and its words',
  ),
  grader: grading.text('standard', 'what compares an answer with the gold one', graderPattern, 'the name of a grader'),
  ...workersOption,
} as const;
export type VerifyOptions = OptionValues<typeof verifyOptions>;

export const auditOptions = {
  prompts: files.text('', 'needed: questions with answers, .json or .jsonl'),
  ...promptKeys,
  output: files.text('', 'where a line for every answer goes, .jsonl'),
  grader: grading.text('all', 'graders, with commas between, or all', /^[a-z][a-z0-9,-]*$/, 'names of graders, or all'),
  ...workersOption,
} as const;
export type AuditOptions = OptionValues<typeof auditOptions>;

export const serveRmOptions = {
  prompts: files.texts(
    'questions with answers, .json or .jsonl, once for each file; of equal questions the last one counts',
  ),
  ...promptKeys,
  grader: grading.text('limr', 'what compares an answer with the gold one', graderPattern, 'the name of a grader'),
  template: grading.choice(
    'qwen',
    ['qwen', 'deepseek', 'plain'],
    'how prompt and response are found in a text; plain = by the "prompts" of the request',
  ),
  ...workersOption,
  host: service.text('127.0.0.1', 'address to listen on; 0.0.0.0 lets other machines in'),
  port: service.integer(5000, { max: 65_535 }, 'port to listen on; 0 = any free one'),
  accessLog: service.boolean(false, 'a line on stderr for every request'),
  maxBody: limits.text('64MB', 'bytes of a request, at most'),
  maxHeld: limits.text('256MB', 'bytes of all requests under way, at most; more are refused by 503'),
  maxRequests: limits.integer(2048, { min: 1 }, 'requests under way, at most; more are refused by 503'),
  requestTimeoutMs: limits.integer(60_000, { min: 100 }, 'milliseconds in which a request must have arrived'),
} as const;
export type ServeRmOptions = OptionValues<typeof serveRmOptions>;
