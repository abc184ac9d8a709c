/** From settings to a running training loop: machine, plan, model, prompts, reward. */
import { availableParallelism, hostname } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { selfRemark } from '../audit/audit.js';
import { type TokenizedPrompt, tokenizePrompts } from '../dataset/asking.js';
import { type PromptSet, promptSetRemarks, readPrompts } from '../dataset/prompts.js';
import type { Engine } from '../engine/engine.js';
import { checkModelFolder, companionPaths, readEosTokenIds, readVocabSize, unusedTokenIds } from '../engine/folder.js';
import type { EngineModel } from '../engine/port.js';
import { LimrError } from '../errors.js';
import { freeBytes } from '../files.js';
import { dataName, type HubHooks } from '../hub/index.js';
import type { JsonObject } from '../json.js';
import { PerfMeter, type PerfReport } from '../perf/meter.js';
import type { MemoryPlan, Placement } from '../plan/memory.js';
import { planTraining, refuseFullDisk, refuseUnfit, type TrainingPlan } from '../plan/training.js';
import type { TrainConfig } from '../ppo/config.js';
import type { Observer } from '../ppo/events.js';
import { checkLearningImpact } from '../ppo/lim-plan.js';
import type { ModelRole } from '../ppo/models.js';
import { type TrainResult, train } from '../ppo/train.js';
import { graderOf } from '../reward/create-reward.js';
import { Checkpoints } from '../run/checkpoints.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import { readShape } from './calibrate.js';
import { commit } from './commit.js';
import { lastingName } from './embedded.js';
import { dataFingerprint, modelFingerprint } from './fingerprint.js';
import { type ChosenMachine, withEngine } from './machine.js';
import { type OpenRewards, openRewards } from './rewards.js';
import { localSettings, type TrainSettings } from './train-settings.js';

/** What a caller of `launchTraining` is told. */
export interface LaunchHooks extends HubHooks {
  readonly observe?: Observer;
  /** Sentences for a person: unusual data, where the run is. */
  readonly remark?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** What a training run came to. */
export interface LaunchResult extends TrainResult {
  readonly output: string;
  /** With --perf: where time and memory went, and the memory that was planned. */
  readonly perf?: PerfReport & { readonly planned: MemoryPlan };
}

/**
 * Plans a run without loading a weight.
 * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED of the model folder or the prompts
 */
export async function planRun(settings: TrainSettings, machine: ChosenMachine): Promise<TrainingPlan> {
  await checkModelFolder(settings.model);
  const numPrompts = settings.prompts === '' ? undefined : (await readSet(settings, settings.prompts)).prompts.length;
  if (numPrompts !== undefined) checkLearningImpact(settings.config, numPrompts);
  return planTraining({
    config: settings.config,
    dir: settings.model,
    threads: machine.threads,
    limitBytes: machine.limitBytes,
    ...(machine.device === 'cpu' ? {} : { gpuHostBytes: machine.hostBytes }),
    numPrompts,
    planModel: (request) => machine.addon.plan(request),
  });
}

/**
 * Trains.
 * @throws {LimrError} LIMR_MEMORY when the plan does not fit, before weights load; LIMR_USAGE, LIMR_IO, LIMR_FORMAT of the inputs;
 *   LIMR_ABORTED after `signal`, once a checkpoint is written; what the loop throws
 */
export async function launchTraining(
  settings: TrainSettings,
  machine: ChosenMachine,
  hooks: LaunchHooks = {},
): Promise<LaunchResult> {
  if (settings.prompts === '') {
    throw new LimrError('LIMR_USAGE', 'there are no training prompts', 'Name a file by --prompts.');
  }
  if (settings.run.wandb) throw noWandb(settings);
  const rewards = await openRewards(settings.config, hooks.remark ?? (() => {}));
  try {
    return await launchWith(rewards, await localSettings(settings, hooks), machine, hooks);
  } finally {
    await rewards.close();
  }
}

/** Where TensorBoard's events go; undefined when there are none. */
export function eventsFolder({ run: { tensorboard }, output }: TrainSettings): string | undefined {
  if (tensorboard === '') return undefined;
  return tensorboard === 'on' ? output : join(tensorboard, basename(resolve(output)));
}

/**
 * Weights & Biases' SDK for Node, @wandb/sdk 0.5.1, is a preview: it counts steps from 0 in every process, so that a resumed run writes
 * over its beginning, and prints failed uploads to the console in place of an error. Its Python tool reads TensorBoard's events.
 */
function noWandb(settings: TrainSettings): LimrError {
  const folder = eventsFolder(settings) ?? settings.output;
  return new LimrError(
    'LIMR_UNSUPPORTED',
    'there is no SDK of Weights & Biases for Node that resumes runs and reports failures (@wandb/sdk is a preview that does not)',
    `Train with --tensorboard instead, and upload the events with \`wandb sync ${folder}\`.`,
  );
}

async function launchWith(
  { reward, evalReward }: OpenRewards,
  settings: TrainSettings,
  machine: ChosenMachine,
  hooks: LaunchHooks,
): Promise<LaunchResult> {
  const { run, model: dir, output, config } = settings;
  const plan = await planRun(settings, machine);
  refuseUnfit(plan);
  await checkDisk(plan, output);
  const { epochs = 1 } = plan.batches;
  if (config.lim && epochs < 1) {
    hooks.remark?.(
      `LIM scores prompts when an epoch ends, and ${config.rollouts} rollouts are ${epochs.toFixed(2)} epochs: it has nothing to do`,
    );
  }
  const tokenizer = await Tokenizer.load(dir);
  const events = eventsFolder(settings);

  const evalNames = setNames(settings.evalPrompts);
  const files = [settings.prompts, ...settings.evalPrompts];
  const sets: (readonly TokenizedPrompt[])[] = [];
  for (const [i, file] of files.entries()) {
    const set = await readSet(settings, file);
    for (const remark of [...promptSetRemarks(set), ...gradingRemarks(set, config, i === 0)]) hooks.remark?.(remark);
    sets.push(tokenizePrompts(set, tokenizer, run));
  }
  const [prompts = [], ...heldout] = sets;
  const special = {
    eosTokenIds: await readEosTokenIds(dir),
    bannedTokenIds: unusedTokenIds(tokenizer, await readVocabSize(dir)),
  };
  return withEngine(machine, async (engine) => {
    const meter = run.perf ? await openMeter(engine, dir) : undefined;
    const result = await train({
      config,
      prompts,
      evalSets: heldout.map((prompts, i) => ({ name: evalNames[i]!, prompts })),
      text: tokenizer,
      special,
      reward,
      evalReward,
      load: (role, folder) => loadRole(engine, settings, plan.memory.placement, tokenizer, role, folder),
      modelFiles: await companionPaths(dir),
      run: {
        dir: output,
        resume: run.resumeWithChanges ? 'with-changes' : run.resume ? 'exact' : 'no',
        identity: await identityOf(settings, engine),
        about: await aboutOf(settings, engine),
        ...(events === undefined ? {} : { events }),
      },
      ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
      observe: (event) => {
        meter?.observe(event);
        hooks.observe?.(event);
      },
      ...(meter === undefined ? {} : { measure: () => meter.lap() }),
    });
    const perf = meter === undefined ? {} : { perf: { ...meter.report(), planned: plan.memory } };
    return { ...result, output, ...perf };
  });
}

/** Seconds of each of the machine's measurements. */
const probeSeconds = 0.4;

/** A meter beside what the machine can do; the memory for measuring that is given back before a model is loaded. */
async function openMeter(engine: Engine, dir: string): Promise<PerfMeter> {
  const { shape } = await readShape(dir);
  const probe = await engine.machineProbe();
  const { flops } = await probe.measure(probeSeconds).finally(() => probe.close());
  return new PerfMeter(shape, flops.best);
}

/** Which answers the grader can never call right; nothing where another reward than LIMR's rule decides. */
function gradingRemarks({ file, prompts }: PromptSet, config: TrainConfig, isTraining: boolean): string[] {
  const { reward, remoteRmUrl, grader, evalGrader } = config;
  if (isTraining && (reward !== 'limr-rule' || remoteRmUrl !== '')) return [];
  const answers = prompts.map(({ answer }) => answer);
  const remark = selfRemark(file, answers, graderOf(isTraining || evalGrader === 'same' ? grader : evalGrader));
  return remark === undefined ? [] : [remark];
}

const readSet = ({ run: { inputKey, labelKey } }: TrainSettings, file: string) =>
  readPrompts(file, { inputKey, labelKey });

/** Names of the evaluation sets. @throws {LimrError} LIMR_USAGE when two have the same */
function setNames(files: readonly string[]): string[] {
  const names = files.map(setName);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice === undefined) return names;
  throw new LimrError('LIMR_USAGE', `two evaluation sets are called ${twice}`, 'Give their files different names.');
}

/** "data/aime 24.jsonl" -> "aime_24": what metrics call an evaluation set. */
const setName = (file: string): string => dataName(file).replace(/[^\w.-]+/g, '_');

async function loadRole(
  engine: Engine,
  { model, config }: TrainSettings,
  placement: Placement,
  tokenizer: Tokenizer,
  role: ModelRole,
  folder: string | null,
): Promise<EngineModel> {
  const loaded = await engine.load(folder ?? model, {
    head: role === 'critic' ? 'value' : 'lm',
    trainable: role !== 'reference',
    valueHeadSeed: config.seed,
    activationCheckpointing: config.gradientCheckpointing,
    sharePrefixes: config.sharePrompts && role !== 'reference',
    moments: config.optimizerMoments,
    optimizerOnHost: role !== 'reference' && placement !== 'resident',
    takeTurns: placement === 'turns',
    tokenizer,
  });
  return loaded.port();
}

async function checkDisk({ disk }: TrainingPlan, output: string): Promise<void> {
  // The checkpoints of a run that goes on make way for those to come.
  const there = (await new Checkpoints(join(output, 'checkpoints')).steps()).length;
  refuseFullDisk(disk, (await freeBytes(output)) + there * disk.checkpointBytes, output);
}

/** What decides the result beside the configuration; resuming compares it. */
async function identityOf(settings: TrainSettings, engine: Engine): Promise<JsonObject> {
  const { run, model, prompts, evalPrompts } = settings;
  const { version, compiler } = engine.machine();
  const { applyChatTemplate, systemPrompt, inputTemplate, inputKey, labelKey } = run;
  return {
    model: await modelFingerprint(model),
    prompts: await dataFingerprint(prompts),
    evalPrompts: await Promise.all(evalPrompts.map(dataFingerprint)),
    applyChatTemplate,
    systemPrompt,
    inputTemplate,
    inputKey,
    labelKey,
    build: `${version} ${compiler}`,
    isa: engine.isa,
  };
}

/** What does not decide it, and is good to know. `options` is what `--resume` goes on with. */
async function aboutOf(
  { run, model, prompts, evalPrompts, recipe }: TrainSettings,
  engine: Engine,
): Promise<JsonObject> {
  const machine = engine.machine();
  return {
    options: {
      ...run,
      model: run.model === '' ? '' : lastingName(model),
      prompts: run.prompts === '' ? '' : lastingName(prompts),
      evalPrompts: run.evalPrompts.length === 0 ? [] : evalPrompts.map(lastingName),
    },
    recipe,
    modelFolder: resolve(model),
    threads: engine.threads,
    cpus: machine.cpus,
    memoryBytes: machine.memoryBytes,
    availableParallelism: availableParallelism(),
    host: hostname(),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    commit: await commit(),
    started: new Date().toISOString(),
  };
}
