import { formatBytes } from '../../bytes.js';
import { completeOptions } from '../../config.js';
import { planOptions } from '../../launch/options.js';
import { assumedShares, h100, type TimePlan } from '../../plan/time.js';
import type { TrainingPlan } from '../../plan/training.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';
import { recipeNotes, trainTable } from './train.js';

export const planVerb: Verb = {
  name: 'plan',
  summary: summaries.plan,
  options: { ...trainTable, ...planOptions },
  about: [
    'Says, before a weight is loaded: bytes of every part in every phase, and where the optimizer state would be; optimizer steps, epochs and learning rates; bytes of the checkpoints; and seconds a rollout takes at most, from a measurement of this machine that takes a second or two. What does not fit is an error with the nearest setting that does.',
    'It takes the options of `train`.',
    recipeNotes,
  ],
  examples: [
    ['What `train` would do without options', 'limr-engine plan'],
    [
      "The paper's run on a GPU of 80 GB that this machine need not have",
      'limr-engine plan --model Qwen/Qwen2.5-Math-7B --prompts math.json --recipe limr --device cuda --device-memory 80GB --no-calibrate',
    ],
    ['The same as data', 'limr-engine plan --json'],
  ],
  async run(given, { terminal, signal }) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { planRun } = await import('../../launch/train.js');
    const { localSettings, resolveTrainSettings } = await import('../../launch/train-settings.js');
    const { machineSpeed, readShape } = await import('../../launch/calibrate.js');
    const { memoryTable, refuseUnfit } = await import('../../plan/training.js');
    const { planTime } = await import('../../plan/time.js');
    const settings = await localSettings(await resolveTrainSettings(given), { signal, ...hubHooks(terminal) });
    const machine = chooseMachine(settings.run);
    const plan = await planRun(settings, machine);
    refuseUnfit(plan);
    const lines = ['memory', ...memoryTable(plan), '', ...describe(plan)];
    if (!completeOptions(planOptions, given).calibrate) return { json: plan, lines };
    const { config, model } = settings;
    const time = planTime(config, (await readShape(model)).shape, await machineSpeed(model, config, machine));
    return { json: { ...plan, time }, lines: [...lines, '', ...describeTime(time, config.rollouts)] };
  },
};

function describeTime(time: TimePlan, rollouts: number): string[] {
  const { speed, samplingSeconds, scoringSeconds, trainingSeconds, totalSeconds } = time;
  const millions = (speed.numParameters / 1e6).toPrecision(3);
  const phases = [`sampling ${duration(samplingSeconds)}`, `scoring ${duration(scoringSeconds)}`];
  const { flops, bytes } = assumedShares;
  const basis =
    speed.numParameters > 0
      ? `what ${millions} M parameters of this shape did here just now`
      : `no GPU is here to be measured: an ${h100.name} at ${100 * flops}% of its products and ${100 * bytes}% of its bandwidth`;
  return [
    `time (an estimate: ${basis}; every prompt and sample as long as it may be)`,
    `  ${phases.join(', ')}, training ${duration(trainingSeconds)} a rollout`,
    `  at most ${duration(totalSeconds)} for ${rollouts} rollouts, without evaluation, grading and checkpoints`,
  ];
}

/** "45 s", "12 min", "3.4 h", "8.1 days". */
export function duration(seconds: number): string {
  if (seconds < 99.5) return `${seconds.toPrecision(2)} s`;
  if (seconds < 99.5 * 60) return `${(seconds / 60).toFixed(0)} min`;
  return seconds < 99.5 * 3600 ? `${(seconds / 3600).toFixed(1)} h` : `${(seconds / 86400).toFixed(1)} days`;
}

function describe({ batches, learningRates, disk }: TrainingPlan): string[] {
  const rate = (value: number) => value.toExponential(2);
  const isBound = batches.subset !== undefined && !batches.subset.isExact;
  const epochs =
    batches.epochs === undefined || batches.rolloutsPerEpoch === undefined
      ? []
      : [
          `  ${batches.rolloutsPerEpoch.toFixed(2)} rollouts an epoch, ${isBound ? 'at least ' : ''}${batches.epochs.toFixed(2)} epochs`,
          ...subsetLines(batches.subset),
        ];
  return [
    'batches',
    `  ${batches.samplesPerRollout} samples a rollout, at most ${batches.tokensPerRollout} sampled tokens`,
    `  ${batches.optimizerStepsPerRollout} optimizer steps a rollout, ${batches.optimizerSteps} in all`,
    ...epochs,
    '',
    'learning rate (step, rollout: actor, critic)',
    ...learningRates.map(({ step, rollout, actor, critic }) => {
      return `  ${step}, ${rollout}: ${rate(actor)}${critic === undefined ? '' : `, ${rate(critic)}`}`;
    }),
    '',
    'disk',
    `  ${formatBytes(disk.checkpointBytes)} a checkpoint, at most ${disk.mostCheckpoints} at once: ${formatBytes(disk.totalBytes)}`,
  ];
}

/** What --lim-drop changes. */
function subsetLines(subset: TrainingPlan['batches']['subset']): string[] {
  if (subset === undefined) return [];
  const { rollout, prompts, isExact, rolloutsPerEpoch } = subset;
  const most = isExact ? '' : 'at most ';
  return [
    `  from rollout ${rollout} on LIM keeps ${most}${prompts} prompts: ${most}${rolloutsPerEpoch.toFixed(2)} rollouts an epoch`,
  ];
}
