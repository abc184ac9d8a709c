import { trainRunOptions } from '../../launch/options.js';
import { trainOptions } from '../../ppo/config.js';
import { hubHooks } from '../download-bar.js';
import { summaries } from '../summaries.js';
import type { Verb } from '../verb.js';

export const trainTable = { ...trainRunOptions, ...trainOptions } as const;

export const recipeNotes =
  "--recipe is a set of defaults: limr is the paper's (1,024 prompts x 8 samples a rollout, temperature 1.2, PPO with a critic), nano is it scaled down to limr-nano and two cores. The defaults below are those without a recipe.";

export const trainVerb: Verb = {
  name: 'train',
  summary: summaries.train,
  options: trainTable,
  about: [
    'Samples answers, grades them, updates the policy, and evaluates before and after. Without options it trains limr-nano on its own prompts, some minutes on two cores. It refuses, with a table, what does not fit into memory.',
    recipeNotes,
    'The run folder gets run.json (configuration, seed, commit), metrics.jsonl (a line a rollout), timings.jsonl, samples/ and checkpoints/. The newest checkpoint is a model folder. SIGINT saves one and ends; --resume goes on from it, to the same bytes.',
  ],
  examples: [
    ['The embedded model on its own prompts', 'limr-engine train'],
    ['Two rollouts into a folder of their own', 'limr-engine train --rollouts 2 --output runs/short'],
    ['Go on with them, up to four', 'limr-engine train --resume --output runs/short --rollouts 4'],
    [
      "A model of the hub by the paper's recipe, on a GPU",
      'limr-engine train --model Qwen/Qwen2.5-Math-7B --prompts limr.json --recipe limr --device cuda',
    ],
    [
      'GRPO instead of PPO with a critic, and scores of the prompts by LIM',
      'limr-engine train --advantage-estimator group_norm --lim --output runs/grpo',
    ],
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
