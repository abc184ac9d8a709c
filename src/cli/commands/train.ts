import { trainRunOptions } from '../../launch/options.js';
import { trainOptions } from '../../ppo/config.js';
import { hubHooks } from '../download-bar.js';
import type { Verb } from '../verb.js';

export const trainTable = { ...trainRunOptions, ...trainOptions } as const;

export const recipeNotes = `Recipes change defaults: limr is the paper's (1,024 prompts x 8 samples, T 1.2, PPO with a critic), nano is it scaled down to
limr-nano and two cores. A flag beats its LIMR_* variable, which beats the --config file, the recipe, the default.`;

export const trainVerb: Verb = {
  name: 'train',
  summary: 'reinforcement learning; without arguments, limr-nano on its own prompts, some minutes on two cores',
  options: trainTable,
  notes: recipeNotes,
  examples: [
    'train',
    'train --rollouts 2 --output runs/short',
    'train --resume --output runs/short --rollouts 4',
    'train --model DIR --prompts math.json --eval-prompts heldout.jsonl --recipe limr',
  ],
  async run(given, { terminal, signal }) {
    const { embeddedModel } = await import('../../launch/embedded.js');
    const { chooseMachine } = await import('../../launch/machine.js');
    const { launchTraining } = await import('../../launch/train.js');
    const { resolveTrainSettings } = await import('../../launch/train-settings.js');
    const { readMetrics, reportTraining } = await import('../train-report.js');
    const { TrainProgress } = await import('../train-progress.js');
    const settings = await resolveTrainSettings(given);
    const machine = chooseMachine(settings.run);
    const progress = new TrainProgress(terminal);
    const model = settings.model === embeddedModel ? 'limr-nano' : settings.model;
    terminal.say(`${model} -> ${settings.output}, recipe ${settings.recipe}`);
    const result = await launchTraining(settings, machine, {
      signal,
      ...hubHooks(terminal),
      observe: (event) => progress.observe(event),
      remark: (text) => terminal.say(text, 'warn'),
    });
    progress.end();
    return reportTraining(result, await readMetrics(result.output));
  },
};
