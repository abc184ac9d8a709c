/** The reward as a service. */
export { type GradeOptions, type Query, type QueryGrade, task as gradeTask } from './grade-task.js';
export { RewardServer, type RewardServerOptions, type ServerCounts } from './server.js';
