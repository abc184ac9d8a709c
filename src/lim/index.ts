/** Learning Impact Measurement and its rivals; docs/lim.md. */
export { averageTrajectory, limScores } from './alignment.js';
export { highestScores, roundHalfEven, scoresAtLeast, scoresWithin } from './choose.js';
export { type EpochOptions, type Epochs, findEpochs, trajectoriesOf } from './epochs.js';
export { type ExplainedEpoch, explainScore } from './explain.js';
export { GroupCollector, type RewardedSample, type Signal, type StepGroups } from './groups.js';
export { type KCenter, kCenter } from './k-center.js';
export { linearScores } from './linear.js';
export {
  type CourseOptions,
  type Courses,
  coursesOf,
  type TrajectoryMethod,
  trajectoryMethods,
  trajectoryScores,
} from './methods.js';
export { type CompleteTrajectories, completeTrajectories, type MissingPolicy, missingPolicies } from './missing.js';
export { type Overlap, overlapOf } from './overlap.js';
export { type SelectionPicture, selectionPicture } from './plot/selection-picture.js';
export { randomPriorities } from './random-priority.js';
export { type MeasuredRun, type ReadRunOptions, readRun } from './read-run.js';
export { readScores, type ScoredPrompt } from './scores-file.js';
export { bandCloseness, meanOverSeen } from './seen-mean.js';
export type { PromptKey } from './step-files.js';
export { Trajectories } from './trajectories.js';
