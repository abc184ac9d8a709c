/** What a training run will take, before a weight is loaded: memory, batches, learning rates, disk. */
import { formatBytes } from '../bytes.js';
import { LimrError } from '../errors.js';
import type { TrainConfig } from '../ppo/config.js';
import { type PlannedSubset, plannedSubset } from '../ppo/lim-plan.js';
import { modelRoles } from '../ppo/models.js';
import { lrFactor, scheduleOf, stepsPerRollout } from '../ppo/schedule.js';
import {
  type FittingSetting,
  type MemoryPlan,
  nearestFit,
  type PlanDevice,
  type PlanModel,
  planMemory,
} from './memory.js';

export interface BatchPlan {
  readonly samplesPerRollout: number;
  /** Sampled tokens of a rollout, at most. */
  readonly tokensPerRollout: number;
  readonly optimizerStepsPerRollout: number;
  readonly optimizerSteps: number;
  /** Rollouts that see every prompt once; undefined when the prompts are not known. */
  readonly rolloutsPerEpoch: number | undefined;
  /** Where LIM drops prompts and may keep any number of them: at least so many. */
  readonly epochs: number | undefined;
  /** Where LIM drops prompts, and an epoch has fewer rollouts. Their size, and so the optimizer steps, stay what they were. */
  readonly subset: (PlannedSubset & { readonly rolloutsPerEpoch: number }) | undefined;
}

export interface LearningRatePoint {
  /** Optimizer step, from 1, and the rollout that it belongs to. */
  readonly step: number;
  readonly rollout: number;
  readonly actor: number;
  readonly critic: number | undefined;
}

export interface DiskPlan {
  readonly checkpointBytes: number;
  /** With the one that is written before the oldest is deleted. */
  readonly mostCheckpoints: number;
  readonly totalBytes: number;
}

/** What a training run takes: memory, batches, learning rates, disk. */
export interface TrainingPlan {
  readonly memory: MemoryPlan;
  readonly limitBytes: number;
  /** On a GPU: of host memory. */
  readonly hostLimitBytes: number | undefined;
  readonly fits: boolean;
  /** When it does not fit: what would, if anything does. */
  readonly nearest: FittingSetting | undefined;
  readonly batches: BatchPlan;
  readonly learningRates: readonly LearningRatePoint[];
  readonly disk: DiskPlan;
}

export interface TrainingPlanInput {
  readonly config: TrainConfig;
  readonly dir: string;
  readonly threads: number;
  /** Bytes that the run may take, where its models are. */
  readonly limitBytes: number;
  /** On a GPU: bytes of host memory that it may take beside them. */
  readonly gpuHostBytes?: number;
  readonly numPrompts: number | undefined;
  readonly planModel: PlanModel;
}

/**
 * Plans a run from its configuration and the model's config.json; loads no weights.
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED of config.json
 */
export function planTraining(input: TrainingPlanInput): TrainingPlan {
  const { config, dir, threads, limitBytes, gpuHostBytes, planModel } = input;
  const device: PlanDevice =
    gpuHostBytes === undefined ? { kind: 'cpu' } : { kind: 'cuda', limitBytes, hostBytes: gpuHostBytes };
  const plan = (candidate: TrainConfig) => planMemory(candidate, dir, threads, planModel, device);
  const memory = plan(config);
  const fits = memory.totalBytes <= limitBytes && memory.hostBytes <= (gpuHostBytes ?? 0);
  return {
    memory,
    limitBytes,
    hostLimitBytes: gpuHostBytes,
    fits,
    nearest: fits || memory.hostBytes > (gpuHostBytes ?? 0) ? undefined : nearestFit(config, limitBytes, plan),
    batches: planBatches(config, input.numPrompts),
    learningRates: planLearningRates(config),
    disk: planDisk(config, memory),
  };
}

function planBatches(config: TrainConfig, numPrompts: number | undefined): BatchPlan {
  const { rollouts, rolloutBatchSize, nSamplesPerPrompt, dropLast } = config;
  const rolloutsFor = (prompts: number) => {
    const exact = prompts / rolloutBatchSize;
    return dropLast ? Math.floor(exact) : exact;
  };
  const rolloutsPerEpoch = numPrompts === undefined ? undefined : rolloutsFor(numPrompts);
  const planned = numPrompts === undefined ? undefined : plannedSubset(config, numPrompts);
  const subset = planned === undefined ? undefined : { ...planned, rolloutsPerEpoch: rolloutsFor(planned.prompts) };
  return {
    samplesPerRollout: rolloutBatchSize * nSamplesPerPrompt,
    tokensPerRollout: rolloutBatchSize * nSamplesPerPrompt * config.generateMaxLen,
    optimizerStepsPerRollout: stepsPerRollout(config),
    optimizerSteps: rollouts * stepsPerRollout(config),
    rolloutsPerEpoch,
    epochs: rolloutsPerEpoch === undefined ? undefined : epochsOf(rollouts, rolloutsPerEpoch, subset),
    subset,
  };
}

function epochsOf(rollouts: number, rolloutsPerEpoch: number, subset: BatchPlan['subset']): number | undefined {
  if (rolloutsPerEpoch === 0) return undefined;
  const before = subset === undefined ? rollouts : Math.min(rollouts, subset.rollout - 1);
  const after = rollouts - before;
  return before / rolloutsPerEpoch + (after === 0 ? 0 : after / subset!.rolloutsPerEpoch);
}

/** First step, end of warm-up, quarters of the run, last step. */
function planLearningRates(config: TrainConfig): LearningRatePoint[] {
  const perRollout = stepsPerRollout(config);
  const total = config.rollouts * perRollout;
  const schedule = scheduleOf(config);
  const wanted = [0, config.lrWarmupSteps - 1, total / 4, total / 2, (3 * total) / 4, total - 1].map(Math.floor);
  const steps = [...new Set(wanted.filter((step) => step >= 0 && step < total))].sort((a, b) => a - b);
  const hasCritic = modelRoles(config).includes('critic');
  return steps.map((step) => {
    const factor = lrFactor(schedule, step);
    return {
      step: step + 1,
      rollout: Math.floor(step / perRollout) + 1,
      actor: config.actorLearningRate * factor,
      critic: hasCritic ? config.criticLearningRate * factor : undefined,
    };
  });
}

function planDisk(config: TrainConfig, { models, placement }: MemoryPlan): DiskPlan {
  const trained = models.filter(({ role }) => role !== 'reference');
  const optimizer = (model: (typeof trained)[number]) =>
    model.optimizerBytes + (placement === 'turns' ? model.hostBytes - model.weightBytes : model.hostBytes);
  const checkpointBytes = trained.reduce((sum, model) => sum + 2 * model.numParameters + optimizer(model), 0);
  const isOften = config.saveSteps > 0 && config.saveSteps < config.rollouts;
  const mostCheckpoints = isOften ? config.maxCkptNum + 1 : 1;
  return { checkpointBytes, mostCheckpoints, totalBytes: checkpointBytes * mostCheckpoints };
}

const placementNotes = {
  resident: '',
  streamed: '  (optimizer state in host memory, streamed through the GPU)',
  turns: '  (one model on the GPU at a time; the others and optimizer state in host memory)',
} as const;

/** Lines of a table about the memory of a plan. */
export function memoryTable({
  memory,
  limitBytes,
  hostLimitBytes,
}: Pick<TrainingPlan, 'memory' | 'limitBytes'> & { readonly hostLimitBytes?: number | undefined }): string[] {
  const { workspace } = memory;
  const row = (name: string, bytes: number, note = '') =>
    `  ${name.padEnd(12)}${formatBytes(bytes).padStart(9)}${note}`;
  const phases = `  (generate ${formatBytes(workspace.generateBytes)}, score ${formatBytes(workspace.scoreBytes)}, train ${formatBytes(workspace.trainBytes)})`;
  const roles = memory.models.map(({ role, weightBytes }) => `${role} ${formatBytes(weightBytes)}`).join(', ');
  return [
    row('weights', memory.weightBytes, `  (${roles})`),
    row('gradients', memory.gradientBytes),
    row('optimizer', memory.optimizerBytes),
    row('workspace', memory.workspaceBytes, phases),
    ...(memory.overheadBytes === 0 ? [] : [row('libraries', memory.overheadBytes, '  (of the GPU; an estimate)')]),
    row('total', memory.totalBytes, placementNotes[memory.placement]),
    row('limit', limitBytes),
    ...(hostLimitBytes === undefined
      ? []
      : [row('host', memory.hostBytes, '  (pinned)'), row('host limit', hostLimitBytes)]),
  ];
}

/**
 * Refuses a run that does not fit.
 * @throws {LimrError} LIMR_MEMORY with the table and the nearest setting that fits, unless the plan fits
 */
export function refuseUnfit(plan: TrainingPlan): void {
  if (plan.fits) return;
  const { memory, nearest } = plan;
  const fixed = memory.totalBytes - memory.workspaceBytes;
  const hint =
    memory.hostBytes > (plan.hostLimitBytes ?? 0)
      ? 'Take a machine with more memory, or a larger GPU; --optimizer-moments 8bit keeps the moments in 2 bytes a parameter instead of 8.'
      : nearest !== undefined
        ? `${nearest.flags.join(' ')} fits in ${formatBytes(nearest.memory.totalBytes)}.`
        : fixed > plan.limitBytes
          ? `Weights, gradients and optimizer alone need ${formatBytes(fixed)}: take a smaller model or a larger machine.`
          : 'Shorten --prompt-max-len and --generate-max-len, or take a larger machine.';
  throw new LimrError('LIMR_MEMORY', ['the run does not fit in memory', ...memoryTable(plan)].join('\n'), hint);
}

/** @throws {LimrError} LIMR_IO when the checkpoints would not fit on the disk */
export function refuseFullDisk(disk: DiskPlan, freeBytes: number, folder: string): void {
  if (disk.totalBytes <= freeBytes) return;
  throw new LimrError(
    'LIMR_IO',
    `${disk.mostCheckpoints} checkpoints of ${formatBytes(disk.checkpointBytes)} do not fit into the ${formatBytes(freeBytes)} that are free at ${folder}`,
    'Free some space, lower --max-ckpt-num, or choose an --output on another disk.',
  );
}
