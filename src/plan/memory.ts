/** Memory of a training run: what each model keeps, and the workspace that all phases take turns in. */
import type { NativePlan, NativePlanRequest } from '../native.js';
import { kebabCase } from '../option.js';
import { evalMaxLen, type TrainConfig, tokenBudgets } from '../ppo/config.js';
import { type ModelRole, modelRoles } from '../ppo/models.js';

/** Native `plan`, or a stand-in. */
export type PlanModel = (request: NativePlanRequest) => NativePlan;

export interface PlannedModel {
  readonly role: ModelRole;
  readonly numParameters: number;
  readonly weightBytes: number;
  readonly gradientBytes: number;
  readonly optimizerBytes: number;
}

/** Bytes of the workspace in each phase; they share one arena, so its size is the largest. */
export interface PlannedWorkspace {
  readonly generateBytes: number;
  readonly scoreBytes: number;
  readonly trainBytes: number;
}

export interface MemoryPlan {
  readonly models: readonly PlannedModel[];
  readonly workspace: PlannedWorkspace;
  readonly weightBytes: number;
  readonly gradientBytes: number;
  readonly optimizerBytes: number;
  readonly workspaceBytes: number;
  readonly totalBytes: number;
}

/** Tokens of the longest sequence that sampling can make. */
export function contextLength(config: TrainConfig): number {
  return config.promptMaxLen + Math.max(config.generateMaxLen, evalMaxLen(config));
}

/**
 * @param dir model folder; only its config.json is read
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED of the model folder
 */
export function planMemory(config: TrainConfig, dir: string, threads: number, planModel: PlanModel): MemoryPlan {
  const plans = modelRoles(config).map((role) => [role, planModel(request(config, dir, threads, role))] as const);
  const models = plans.map(([role, { numParameters, weightBytes, gradientBytes, optimizerBytes }]) => {
    return { role, numParameters, weightBytes, gradientBytes, optimizerBytes };
  });
  const most = (bytes: (plan: NativePlan) => number) => Math.max(...plans.map(([, plan]) => bytes(plan)));
  const sum = (bytes: (model: PlannedModel) => number) => models.reduce((total, model) => total + bytes(model), 0);
  const workspace = {
    generateBytes: most((plan) => plan.generateBytes),
    scoreBytes: most((plan) => plan.scoreBytes),
    trainBytes: most((plan) => plan.trainBytes),
  };
  const weightBytes = sum((model) => model.weightBytes);
  const gradientBytes = sum((model) => model.gradientBytes);
  const optimizerBytes = sum((model) => model.optimizerBytes);
  const workspaceBytes = Math.max(...Object.values(workspace));
  const totalBytes = weightBytes + gradientBytes + optimizerBytes + workspaceBytes;
  return { models, workspace, weightBytes, gradientBytes, optimizerBytes, workspaceBytes, totalBytes };
}

function request(config: TrainConfig, dir: string, threads: number, role: ModelRole): NativePlanRequest {
  const budgets = tokenBudgets(config);
  const trainable = role !== 'reference';
  const samples = role === 'actor';
  return {
    dir,
    head: role === 'critic' ? 'value' : 'lm',
    trainable,
    activationCheckpointing: config.gradientCheckpointing,
    trainTokens: trainable ? budgets.train : 0,
    scoreTokens: samples ? 0 : budgets.score, // old log-probs of the actor come from sampling
    maxSequences: config.microTrainBatchSize,
    maxBatch: samples ? config.maxBatch : 0,
    prefillChunk: config.prefillChunk,
    contextLength: contextLength(config),
    kvCacheBytes: samples ? config.kvCacheBytes : 0,
    threads,
  };
}

/** A configuration that fits, and what was changed for it. */
export interface FittingSetting {
  readonly config: TrainConfig;
  readonly memory: MemoryPlan;
  readonly flags: readonly string[];
}

/**
 * The nearest configuration that fits: it gives up speed alone, never a number that training depends on. Each step relieves
 * the phase that needs most, until the limit holds.
 * @returns undefined when models and optimizer alone exceed the limit, or no such step is left
 */
export function nearestFit(
  config: TrainConfig,
  limitBytes: number,
  plan: (config: TrainConfig) => MemoryPlan,
): FittingSetting | undefined {
  let current = config;
  let memory = plan(current);
  while (memory.totalBytes > limitBytes) {
    const next = relieve(current, memory.workspace);
    if (next === undefined) return undefined;
    current = next;
    memory = plan(current);
  }
  return { config: current, memory, flags: changedFlags(config, current) };
}

function relieve(config: TrainConfig, workspace: PlannedWorkspace): TrainConfig | undefined {
  const longest = config.promptMaxLen + config.generateMaxLen;
  const budgets = tokenBudgets(config);
  const halfOf = (value: number, least: number) => Math.max(least, Math.floor(value / 2));
  const { generateBytes, scoreBytes, trainBytes } = workspace;
  if (trainBytes >= Math.max(scoreBytes, generateBytes)) {
    if (!config.gradientCheckpointing) return { ...config, gradientCheckpointing: true };
    if (budgets.train <= longest) return undefined;
    // The scoring budget follows the training budget unless it was set; it stays what it was.
    return { ...config, microTrainMaxTokens: halfOf(budgets.train, longest), microRolloutMaxTokens: budgets.score };
  }
  if (scoreBytes >= generateBytes) {
    if (budgets.score <= longest) return undefined;
    return { ...config, microRolloutMaxTokens: halfOf(budgets.score, longest) };
  }
  if (config.maxBatch > 1) return { ...config, maxBatch: halfOf(config.maxBatch, 1), kvCacheBytes: 0 };
  return config.prefillChunk > 64 ? { ...config, prefillChunk: halfOf(config.prefillChunk, 64) } : undefined;
}

function changedFlags(before: TrainConfig, after: TrainConfig): string[] {
  const names = Object.keys(after) as (keyof TrainConfig)[];
  return names.filter((name) => after[name] !== before[name]).map((name) => `--${kebabCase(name)} ${after[name]}`);
}
