/** Rewards: from a finished response to the number that training sees. */
export { boxedAnswers, countBoxed, lastBoxedAnswer } from './boxed.js';
export { combineRewards, type ShapingTerm, shapeReward, type WeightedReward } from './combine.js';
export { createReward, graderOf, type RewardOptions } from './create-reward.js';
export { garbledShare } from './garbled.js';
export {
  type Comparator,
  createGrader,
  type Grade,
  type Grader,
  type GraderName,
  graderNames,
  type Verdict,
} from './graders/index.js';
export {
  hookReward,
  type LoadedHook,
  loadRewardHook,
  type RewardHook,
  type RewardHookCall,
  type RewardHookFactory,
  type RewardHookOptions,
  type RewardHookResult,
} from './hook.js';
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
export { type PoolOptions, WorkerPool } from './pool.js';
export type { Task } from './pool-task.js';
export { type RandomOptions, type RandomReason, randomReward } from './random.js';
export { type RemoteOptions, remoteReward } from './remote.js';
export { hasRepetition } from './repetition.js';
export { type Reward, type RewardResult, type RewardSample, sampleName, scoreSamples } from './reward.js';
export { pooledRuleReward, type RuleOptions } from './rule-task.js';
export {
  type CosineRange,
  cosineLengthReward,
  cosineRange,
  groupLengthRewards,
  hasForm,
  overlongPenalty,
  type ResponseForm,
  repeatedShare,
  responseForms,
} from './shaping.js';
export { type ShapingOptions, shapingTerms } from './shaping-terms.js';
export { type Dialogue, splitDeepseek, splitQwen, type TemplateName, templateNames } from './template.js';
