/**
 * LIMR's rule-based reward (openrlhf/cli/serve_rm.py, mode "rule"): +1 for the right answer, -0.5 for a wrong one in good
 * form, -1 for anything else. The checks run in this order and the first hit decides:
 *
 *   unfinished      the response has no end marker (template qwen), or did not stop by itself (plain)
 *   no_box          no `\boxed`
 *   too_many_boxes  five or more of them
 *   garbled         more than 30% of the code points are outside ASCII and mathematical operators
 *   repetition      a block of five or more characters of one line, five times in a row
 *   no_answer       no box that the regular expression accepts
 *   unknown_prompt  the prompt that the text contains has no gold answer
 *   equal, different, comparison_failed    the comparator's word; a comparator that throws says "not equal", as LIMR's does
 */
import { boxedAnswers, countBoxed } from './boxed.js';
import { garbledShare } from './garbled.js';
import type { Comparator } from './graders/grader.js';
import { pythonStrip } from './python-text.js';
import { hasRepetition } from './repetition.js';
import type { Reward, RewardResult, RewardSample } from './reward.js';
import { type Dialogue, splitDeepseek, splitQwen, type TemplateName } from './template.js';

/** What a response is rejected for, in the order of the checks. */
export const rejectReasons = [
  'unfinished',
  'no_box',
  'too_many_boxes',
  'garbled',
  'repetition',
  'no_answer',
  'unknown_prompt',
] as const;
export type RejectReason = (typeof rejectReasons)[number];

export type LimrReason = RejectReason | 'equal' | 'different' | 'comparison_failed';

/** Rewards of the three outcomes. */
export interface LimrScores {
  readonly correct: number;
  readonly wrong: number;
  readonly malformed: number;
}

export const limrScores: LimrScores = { correct: 1, wrong: -0.5, malformed: -1 };

const maxBoxes = 4;
const maxGarbledShare = 0.3;

/** The gold answer of a prompt (stripped), undefined when there is none. */
export type AnswerLookup = (prompt: string) => string | undefined;

/** What the checks find: a reason to reject, or a pair to compare. */
export type LimrCheck =
  | { readonly reject: RejectReason; readonly answer: string | null }
  | { readonly reject: null; readonly gold: string; readonly answer: string };

/** LIMR's checks, all but the comparison. Linear in the response's length but for a logarithm. */
export function checkDialogue({ prompt, response, finished }: Dialogue, lookup: AnswerLookup): LimrCheck {
  if (!finished) return { reject: 'unfinished', answer: null };
  const boxes = countBoxed(response);
  if (boxes === 0) return { reject: 'no_box', answer: null };
  if (boxes > maxBoxes) return { reject: 'too_many_boxes', answer: null };
  if (garbledShare(response) > maxGarbledShare) return { reject: 'garbled', answer: null };
  if (hasRepetition(response)) return { reject: 'repetition', answer: null };
  const answer = boxedAnswers(response).at(-1);
  if (answer === undefined) return { reject: 'no_answer', answer: null };
  const gold = lookup(prompt);
  return gold === undefined ? { reject: 'unknown_prompt', answer } : { reject: null, gold, answer };
}

/** LIMR's table of answers: prompts stripped as Python does, later rows win. */
export function answerTable(rows: Iterable<{ readonly prompt: string; readonly answer: string }>): AnswerLookup {
  const answers = new Map<string, string>();
  for (const { prompt, answer } of rows) answers.set(pythonStrip(prompt), answer);
  return (prompt) => answers.get(prompt);
}

/** What the rule looks at. */
export type RuleSample = Pick<RewardSample, 'prompt' | 'response' | 'fullText' | 'answer' | 'stopReason'>;

/**
 * The checks on a sample of a rollout. The gold answer is the sample's own: with a template, a text whose prompt is not the
 * sample's has none, unless `lookup` (LIMR's table) knows that prompt.
 */
export function checkSample(sample: RuleSample, template: TemplateName, lookup?: AnswerLookup): LimrCheck {
  if (template === 'plain') {
    const finished = sample.stopReason === 'eos' || sample.stopReason === 'stop';
    const dialogue = { prompt: sample.prompt, response: pythonStrip(sample.response), finished };
    return checkDialogue(dialogue, () => sample.answer);
  }
  const dialogue = template === 'qwen' ? splitQwen(sample.fullText) : splitDeepseek(sample.fullText);
  const own = pythonStrip(sample.prompt);
  return checkDialogue(dialogue, lookup ?? ((prompt) => (prompt === own ? sample.answer : undefined)));
}

/** The result of checked text: compares where there is something to compare. */
export function gradeCheck(
  check: LimrCheck,
  comparator: Comparator,
  scores: LimrScores = limrScores,
): RewardResult<LimrReason> {
  if (check.reject !== null) return malformedResult(check.reject, check.answer, scores);
  const { equal, reason, detail } = compare(comparator, check.gold, check.answer);
  const reward = equal ? scores.correct : scores.wrong;
  return { reward, correct: equal, wellFormed: true, reason, answer: check.answer, detail };
}

export function malformedResult(
  reason: RejectReason,
  answer: string | null,
  scores: LimrScores,
): RewardResult<RejectReason> {
  return { reward: scores.malformed, correct: false, wellFormed: false, reason, answer, detail: '' };
}

function compare(
  comparator: Comparator,
  gold: string,
  answer: string,
): { equal: boolean; reason: LimrReason; detail: string } {
  try {
    const { equal, reason } = comparator(gold, answer);
    return { equal, reason: equal ? 'equal' : 'different', detail: reason };
  } catch (error) {
    return {
      equal: false,
      reason: 'comparison_failed',
      detail: error instanceof Error ? error.message : String(error),
    };
  }
}

export interface LimrRuleOptions {
  /** For the reward's name. */
  readonly grader: string;
  readonly comparator: Comparator;
  readonly template: TemplateName;
  readonly scores?: LimrScores;
  /** LIMR's table of answers; without it a sample's own prompt is the only one known. */
  readonly lookup?: AnswerLookup;
}

/** LIMR's rule reward over samples of a rollout. */
export function limrRuleReward({ grader, comparator, template, scores, lookup }: LimrRuleOptions): Reward<LimrReason> {
  return {
    name: `limr-rule/${template}/${grader}`,
    score: (samples) => samples.map((sample) => gradeCheck(checkSample(sample, template, lookup), comparator, scores)),
  };
}
