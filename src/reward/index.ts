/** Rewards: from a finished response to the number that training sees. */
export { boxedAnswers, countBoxed, lastBoxedAnswer } from './boxed.js';
export { comparatorOf, createReward, type GraderName, graderNames, type RewardOptions } from './create-reward.js';
export { type Comparator, type ExactReason, exactEqual } from './equal.js';
export { garbledShare } from './garbled.js';
export {
  type AnswerLookup,
  answerTable,
  checkDialogue,
  checkSample,
  gradeCheck,
  type LimrCheck,
  type LimrReason,
  type LimrRuleOptions,
  type LimrScores,
  limrRuleReward,
  limrScores,
  type RejectReason,
  rejectReasons,
} from './limr-rule.js';
export { type RandomOptions, type RandomReason, randomReward } from './random.js';
export { equalRationals, parseRational, type Rational } from './rational.js';
export { hasRepetition } from './repetition.js';
export { type Reward, type RewardResult, type RewardSample, scoreSamples } from './reward.js';
export { type Dialogue, splitDeepseek, splitQwen, type TemplateName, templateNames } from './template.js';
