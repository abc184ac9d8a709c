/** The public API of limr-engine; what is not exported here is private. */

export { type ConfigLayer, type GivenOption, withDefaults } from './config.js';
export {
  type AskingStyle,
  askingText,
  askingTokens,
  boxedSystemPrompt,
  type Question,
  type TokenizedPrompt,
  tokenizePrompts,
} from './dataset/asking.js';
export { dataFiles } from './dataset/data-files.js';
export { type Prompt, type PromptKeys, type PromptSet, promptSetRemarks, readPrompts } from './dataset/prompts.js';
export { type DataRecord, readRecords, streamRecords } from './dataset/records.js';
export {
  Engine,
  type EngineOptions,
  type LoadOptions,
  type Machine,
  type Plan,
  type PlanRequest,
} from './engine/engine.js';
export {
  type GenerateRequest,
  type GenerateStats,
  type HiddenStateOptions,
  Model,
  type ModelInfo,
  type Sample,
  type SaveOptions,
  type ScoreOptions,
  type Scores,
  type StepOptions,
} from './engine/model.js';
export type { EngineModel } from './engine/port.js';
export type { SamplingConfig, SamplingOptions } from './engine/sampling.js';
export type { Tokens } from './engine/sequences.js';
export { type DebugEnvironment, readDebugEnvironment } from './env.js';
export { type ErrorCode, errorCodes, exitCode, LimrError } from './errors.js';
export { type EvaluationSummary, type Outcome, passAtK, standardError, summarize } from './eval/accuracy.js';
export { type BenchmarkRun, type QuestionPool, runBenchmark } from './eval/benchmark-run.js';
export { type BenchmarkSummary, type GraderSummary, summarizeBenchmark } from './eval/benchmark-summary.js';
export { type Benchmark, benchmarks, findBenchmarks, readBenchmark } from './eval/benchmarks.js';
export { compareBenchmark, type PairedComparison, signFlipTest } from './eval/compare.js';
export { type EvaluateOptions, type Evaluation, evaluate } from './eval/evaluate.js';
export type { GradedSample, SamplingProgress, TokenDecoder } from './eval/graded-samples.js';
export { type Ballot, majorityVote } from './eval/majority.js';
export type { QuestionRecord, SampleRecord } from './eval/question-record.js';
export {
  type DownloadProgress,
  type HubEnvironment,
  type HubHooks,
  type HubOptions,
  readHubEnvironment,
  resolveDataset,
  resolveModel,
} from './hub/index.js';
export { type AuditHooks, type AuditResult, launchAudit } from './launch/audit.js';
export { calibrate, readShape } from './launch/calibrate.js';
export { embeddedEvalPrompts, embeddedModel, embeddedPrompts } from './launch/embedded.js';
export { type BenchmarkResult, type EvalHooks, type EvalResult, launchEval } from './launch/eval.js';
export { type CompareResult, launchCompare } from './launch/eval-compare.js';
export { type EvalOptions, evalOptions } from './launch/eval-options.js';
export { type Completion, type GenerateHooks, type GenerateResult, launchGenerate } from './launch/generate.js';
export {
  type AuditOptions,
  auditOptions,
  type ServeRmOptions,
  serveRmOptions,
  type VerifyOptions,
  verifyOptions,
} from './launch/grading-options.js';
export { type ChosenMachine, chooseMachine, type MachineOptions, withEngine } from './launch/machine.js';
export { createModel, describeModel, type ModelSummary } from './launch/model.js';
export { importModel } from './launch/model-import.js';
export {
  type GenerateOptions,
  generateOptions,
  type ModelCreateOptions,
  modelCreateOptions,
  type ScoreRunOptions,
  type SftRunOptions,
  scoreOptions,
  sftRunOptions,
  type TrainRunOptions,
  trainRunOptions,
} from './launch/options.js';
export { launchScore, type ScoredRow, type ScoreHooks, type ScoreResult } from './launch/score.js';
export { type Explanation, launchSelect, type SelectHooks, type SelectResult } from './launch/select.js';
export { type SelectionMethod, type SelectOptions, selectOptions } from './launch/select-options.js';
export { launchServeRm, type ServeRmHooks, type ServeRmResult } from './launch/serve-rm.js';
export { launchSft, type SftLaunchHooks, type SftLaunchResult } from './launch/sft.js';
export { type LaunchHooks, type LaunchResult, launchTraining, planRun } from './launch/train.js';
export { localSettings, resolveTrainSettings, type TrainSettings, trainSettings } from './launch/train-settings.js';
export { launchVerify, type VerifiedRow, type VerifyHooks, type VerifyResult } from './launch/verify.js';
export {
  averageTrajectory,
  bandCloseness,
  type CompleteTrajectories,
  type CourseOptions,
  type Courses,
  completeTrajectories,
  coursesOf,
  type EpochOptions,
  type Epochs,
  type ExplainedEpoch,
  explainScore,
  findEpochs,
  GroupCollector,
  highestScores,
  type KCenter,
  kCenter,
  limScores,
  linearScores,
  type MeasuredRun,
  type MissingPolicy,
  meanOverSeen,
  missingPolicies,
  type Overlap,
  overlapOf,
  type PromptKey,
  type ReadRunOptions,
  type RewardedSample,
  randomPriorities,
  readRun,
  readScores,
  roundHalfEven,
  type ScoredPrompt,
  type SelectionPicture,
  type Signal,
  type StepGroups,
  scoresAtLeast,
  scoresWithin,
  selectionPicture,
  Trajectories,
  type TrajectoryMethod,
  trajectoriesOf,
  trajectoryMethods,
  trajectoryScores,
} from './lim/index.js';
export type { NativeLoss, NativeLossTerms, NativeStepResult, StopReason, TensorKind } from './native.js';
export { type MemoryPlan, nearestFit, planMemory } from './plan/memory.js';
export { type MachineSpeed, type ModelShape, planTime, type TimePlan } from './plan/time.js';
export { memoryTable, planTraining, refuseUnfit, type TrainingPlan } from './plan/training.js';
export {
  type AdvantageEstimator,
  resolveTrainConfig,
  type TrainConfig,
  type TrainOverrides,
  trainDefaults,
  trainOptions,
} from './ppo/config.js';
export type { Observer, SamplingPhase, TrainEvent } from './ppo/events.js';
export type { ModelLoader, ModelRole } from './ppo/models.js';
export { type CompatName, compatOverlays, type RecipeName, recipes } from './ppo/recipes.js';
export { type TrainJob, type TrainResult, train } from './ppo/train.js';
export {
  type Comparator,
  type CosineRange,
  combineRewards,
  cosineLengthReward,
  createGrader,
  createReward,
  type Grade,
  type Grader,
  type GraderName,
  graderNames,
  groupLengthRewards,
  hasForm,
  hookReward,
  type LoadedHook,
  loadRewardHook,
  overlongPenalty,
  type PoolOptions,
  pooledRuleReward,
  type RemoteOptions,
  type ResponseForm,
  type Reward,
  type RewardHook,
  type RewardHookCall,
  type RewardHookFactory,
  type RewardHookOptions,
  type RewardHookResult,
  type RewardOptions,
  type RewardResult,
  type RewardSample,
  type RuleOptions,
  remoteReward,
  repeatedShare,
  type ShapingOptions,
  type ShapingTerm,
  scoreSamples,
  shapeReward,
  shapingTerms,
  type WeightedReward,
} from './reward/index.js';
export { type SftConfig, sftOptions } from './sft/config.js';
export { type ExampleSet, type ReadExamplesOptions, readExamples } from './sft/examples.js';
export { finetune, type SftEvent, type SftHooks, type SftModel, type SftResult } from './sft/train.js';
export { type ChatMessage, ChatTemplate } from './tokenizer/chat-template.js';
export type { TokenBytes } from './tokenizer/token-bytes.js';
export { type DecodeOptions, type EncodeOptions, Tokenizer } from './tokenizer/tokenizer.js';
