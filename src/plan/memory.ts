/** Memory of a training run: what each model keeps, and the workspace that all phases take turns in. */
import type { NativePlan, NativePlanRequest } from '../native.js';
import { kebabCase } from '../option.js';
import { evalMaxLen, type TrainConfig, tokenBudgets } from '../ppo/config.js';
import { type ModelRole, modelRoles } from '../ppo/models.js';

/** Native `plan`, or a stand-in. */
export type PlanModel = (request: NativePlanRequest) => NativePlan;

/** Where a run goes: this machine's memory, or a GPU's beside it. */
export type PlanDevice =
  | { readonly kind: 'cpu' }
  | { readonly kind: 'cuda'; readonly limitBytes: number; readonly hostBytes: number };

/**
 * Where models are. resident: on the device for the whole run. streamed: optimizer state in pinned host memory, streamed through the GPU by
 * each step. turns: so is it, and one model is on the GPU at a time, the others in pinned host memory; gradients only while it trains.
 * Results are the same bits.
 */
export const placements = ['resident', 'streamed', 'turns'] as const;
export type Placement = (typeof placements)[number];

export interface PlannedModel {
  readonly role: ModelRole;
  readonly numParameters: number;
  readonly weightBytes: number;
  readonly gradientBytes: number;
  readonly optimizerBytes: number;
  /** Pinned host memory. */
  readonly hostBytes: number;
}

/** Bytes of the workspace in each phase; they share one arena, so its size is the largest. */
export interface PlannedWorkspace {
  readonly generateBytes: number;
  readonly scoreBytes: number;
  readonly trainBytes: number;
}

/** Bytes of a training run by what they are for, and the most taken at once. */
export interface MemoryPlan {
  readonly models: readonly PlannedModel[];
  readonly workspace: PlannedWorkspace;
  readonly weightBytes: number;
  readonly gradientBytes: number;
  readonly optimizerBytes: number;
  readonly workspaceBytes: number;
  /** What a GPU's libraries take of its memory; 0 on the CPU. */
  readonly overheadBytes: number;
  /** The most that is taken at once, of the memory of the device. */
  readonly totalBytes: number;
  /** Pinned host memory beside it; 0 on the CPU. */
  readonly hostBytes: number;
  readonly placement: Placement;
}

/** Tokens of the longest sequence that sampling can make. */
export function contextLength(config: TrainConfig): number {
  return config.promptMaxLen + Math.max(config.generateMaxLen, evalMaxLen(config));
}

/**
 * On a GPU: in the first placement that fits, else in the smallest.
 * @param dir model folder; only its config.json is read
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED of the model folder
 */
export function planMemory(
  config: TrainConfig,
  dir: string,
  threads: number,
  planModel: PlanModel,
  device: PlanDevice = { kind: 'cpu' },
): MemoryPlan {
  const plan = (placement: Placement) => {
    const roles = modelRoles(config).map((role) => {
      const request = requestOf(config, dir, threads, role, device.kind, placement);
      return { role, plan: planModel(request) };
    });
    return sumUp(roles, placement);
  };
  if (device.kind === 'cpu') return plan('resident');
  const plans = placements.map(plan);
  const fits = (memory: MemoryPlan) => memory.totalBytes <= device.limitBytes && memory.hostBytes <= device.hostBytes;
  return plans.find(fits) ?? plans.at(-1)!;
}

function sumUp(roles: readonly { role: ModelRole; plan: NativePlan }[], placement: Placement): MemoryPlan {
  const takesTurns = placement === 'turns';
  const models = roles.map(({ role, plan }) => {
    const { numParameters, weightBytes, gradientBytes, optimizerBytes, optimizerHostBytes } = plan;
    const hostBytes = optimizerHostBytes + (takesTurns ? weightBytes : 0);
    return { role, numParameters, weightBytes, gradientBytes, optimizerBytes, hostBytes };
  });
  const most = (bytes: (plan: NativePlan) => number) => Math.max(...roles.map(({ plan }) => bytes(plan)));
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
  const atOnce = most(({ weightBytes, gradientBytes, generateBytes, scoreBytes, trainBytes }) =>
    Math.max(weightBytes + generateBytes, weightBytes + scoreBytes, weightBytes + gradientBytes + trainBytes),
  );
  const overheadBytes = most((plan) => plan.overheadBytes);
  const totalBytes =
    overheadBytes + optimizerBytes + (takesTurns ? atOnce : weightBytes + gradientBytes + workspaceBytes);
  const hostBytes = sum((model) => model.hostBytes);
  return {
    models,
    workspace,
    weightBytes,
    gradientBytes,
    optimizerBytes,
    workspaceBytes,
    overheadBytes,
    totalBytes,
    hostBytes,
    placement,
  };
}

function requestOf(
  config: TrainConfig,
  dir: string,
  threads: number,
  role: ModelRole,
  device: 'cpu' | 'cuda',
  placement: Placement,
): NativePlanRequest {
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
    device,
    moments: config.optimizerMoments,
    optimizerOnHost: trainable && placement !== 'resident',
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
