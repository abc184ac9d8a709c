/** Which settings a run has: what the user gave, what a resumed run recorded, a recipe, the defaults. */
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ConfigLayer, completeOptions, layerValues, mergeLayers, valueLayer } from '../config.js';
import { LimrError } from '../errors.js';
import { exists } from '../files.js';
import type { HubHooks } from '../hub/index.js';
import { resolveTrainConfig, type TrainConfig, type TrainOverrides, trainOptions } from '../ppo/config.js';
import { compatOverlays, recipes } from '../ppo/recipes.js';
import { readRecord } from '../run/record.js';
import { dataPath, embeddedEvalPrompts, embeddedModel, embeddedPrompts, modelFolder, modelName } from './embedded.js';
import { type TrainRunOptions, trainRunOptions } from './options.js';

/** Everything that decides a run, resolved. */
export interface TrainSettings {
  readonly run: TrainRunOptions;
  readonly config: TrainConfig;
  /** Folder of the model, or its name on the hub. */
  readonly model: string;
  /** "" = not known; only `plan` may go on without. */
  readonly prompts: string;
  readonly evalPrompts: readonly string[];
  /** Folder of the run. */
  readonly output: string;
  /** The recipe in force. */
  readonly recipe: 'none' | 'limr' | 'nano';
}

/** Options of a run that decide where it stands and how it is resumed: never taken from its record. */
const ownToCall = new Set(['output', 'resume', 'resumeWithChanges', 'device', 'threads', 'memory', 'deviceMemory']);

/**
 * Everything that a training run can be told, complete and checked: layers over the recipe over the defaults.
 * @param given what flags, environment and file say
 * @throws {LimrError} LIMR_USAGE for a value that is not valid, or a run to resume that is not there
 */
export async function resolveTrainSettings(given: ConfigLayer): Promise<TrainSettings> {
  const asked = completeOptions(trainRunOptions, given);
  const isResumed = asked.resume || asked.resumeWithChanges;
  const output = asked.output !== '' ? asked.output : await defaultOutput(asked, isResumed);
  const layer = isResumed ? mergeLayers(given, await recordedLayer(output)) : given;
  const run = completeOptions(trainRunOptions, layer);
  const model = run.model === '' ? embeddedModel : run.model;
  const isEmbedded = resolve(model) === embeddedModel;
  const recipe = run.recipe === 'auto' ? (isEmbedded ? 'nano' : 'none') : run.recipe;
  const overrides: TrainOverrides = {
    ...(recipe === 'none' ? {} : recipes[recipe]),
    ...(run.compat === 'none' ? {} : compatOverlays[run.compat]),
  };
  const chosen = Object.entries(layerValues(layer)).filter(([name]) => Object.hasOwn(trainOptions, name));
  return {
    run,
    config: resolveTrainConfig({ ...overrides, ...Object.fromEntries(chosen) }),
    model,
    prompts: run.prompts === '' && isEmbedded ? embeddedPrompts : run.prompts,
    evalPrompts:
      run.evalPrompts.length === 0 && isEmbedded && run.prompts === '' ? [embeddedEvalPrompts] : run.evalPrompts,
    output,
    recipe,
  };
}

/**
 * `resolveTrainSettings` for programs: options by their names, such as `{ model: 'models/a', rollouts: 3 }`.
 * @throws {LimrError} LIMR_USAGE for a name or value that is not valid, or a run to resume that is not there
 */
export async function trainSettings(given: TrainOverrides & Partial<TrainRunOptions>): Promise<TrainSettings> {
  return resolveTrainSettings(valueLayer({ ...trainRunOptions, ...trainOptions }, given));
}

/** The same settings with paths for names of the hub, whose files are in the cache then. @throws {LimrError} as `fetchSnapshot` */
export async function localSettings(settings: TrainSettings, hooks: HubHooks = {}): Promise<TrainSettings> {
  const evalPrompts: string[] = [];
  for (const data of settings.evalPrompts) evalPrompts.push(await dataPath(data, hooks));
  return {
    ...settings,
    model: await modelFolder(settings.model, hooks),
    prompts: await dataPath(settings.prompts, hooks),
    evalPrompts,
  };
}

/** What a run recorded, as a layer under what the user gives now: `--resume` alone goes on with the same settings. */
async function recordedLayer(output: string): Promise<ConfigLayer> {
  const record = (await exists(output)) ? await readRecord(output) : null;
  if (record === null) {
    throw new LimrError('LIMR_USAGE', `${output} holds no run to resume`, 'Check --output, or leave --resume out.');
  }
  const from = join(output, 'run.json');
  const options = record.about.options;
  const recorded = Object.entries({
    ...record.config,
    ...(typeof options === 'object' && options !== null && !Array.isArray(options) ? options : {}),
  });
  const known = recorded.filter(
    ([name]) => (Object.hasOwn(trainOptions, name) || Object.hasOwn(trainRunOptions, name)) && !ownToCall.has(name),
  );
  return new Map(known.map(([name, value]) => [name, { value, from }]));
}

/** A fresh runs/<model>-<n>, or the newest one to resume. */
async function defaultOutput(run: TrainRunOptions, isResumed: boolean): Promise<string> {
  const name = modelName(run.model);
  const names = (await exists('runs')) ? await readdir('runs') : [];
  const numbers = names.flatMap((entry) => {
    const number = entry.startsWith(`${name}-`) ? Number(entry.slice(name.length + 1)) : Number.NaN;
    return Number.isInteger(number) ? [number] : [];
  });
  const newest = Math.max(0, ...numbers);
  if (isResumed && newest === 0) {
    throw new LimrError('LIMR_USAGE', `there is no runs/${name}-<n> to resume`, 'Name the run by --output.');
  }
  return join('runs', `${name}-${isResumed ? newest : newest + 1}`);
}
