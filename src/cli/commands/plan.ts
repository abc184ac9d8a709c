import { formatBytes } from '../../bytes.js';
import type { TrainingPlan } from '../../plan/training.js';
import type { Verb } from '../verb.js';
import { recipeNotes, trainTable } from './train.js';

export const planVerb: Verb = {
  name: 'plan',
  summary: 'memory, batch arithmetic, learning rates and disk of a training run; loads no weights',
  options: trainTable,
  notes: recipeNotes,
  examples: ['plan', 'plan --model DIR --prompts math.json --recipe limr --memory 80GB --json'],
  async run(given) {
    const { chooseMachine } = await import('../../launch/machine.js');
    const { planRun } = await import('../../launch/train.js');
    const { resolveTrainSettings } = await import('../../launch/train-settings.js');
    const { memoryTable, refuseUnfit } = await import('../../plan/training.js');
    const settings = await resolveTrainSettings(given);
    const plan = await planRun(settings, chooseMachine(settings.run));
    refuseUnfit(plan);
    return { json: plan, lines: ['memory', ...memoryTable(plan), '', ...describe(plan)] };
  },
};

function describe({ batches, learningRates, disk }: TrainingPlan): string[] {
  const rate = (value: number) => value.toExponential(2);
  const epochs =
    batches.epochs === undefined || batches.rolloutsPerEpoch === undefined
      ? []
      : [`  ${batches.rolloutsPerEpoch.toFixed(2)} rollouts an epoch, ${batches.epochs.toFixed(2)} epochs`];
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
