/** The models of a run: which there are, how they are loaded, and how a checkpoint holds them. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineModel } from '../engine/port.js';
import type { TrainConfig } from './config.js';

/** Actor: lm head, trainable. Critic: value head, trainable. Reference: lm head, frozen. */
export type ModelRole = 'actor' | 'critic' | 'reference';

/**
 * Loads a model.
 * @param dir a folder that `save` wrote, or null for the model that the run starts from
 */
export type ModelLoader = (role: ModelRole, dir: string | null) => Promise<EngineModel>;

export interface Models {
  readonly actor: EngineModel;
  readonly critic: EngineModel | null;
  /** The model that the run started from. */
  readonly reference: EngineModel | null;
}

/** Which models a configuration needs: a critic for gae, a reference for KL. */
export function modelRoles(config: TrainConfig): readonly ModelRole[] {
  return [
    'actor',
    ...(config.advantageEstimator === 'gae' ? (['critic'] as const) : []),
    ...(config.initKlCoef > 0 ? (['reference'] as const) : []),
  ];
}

const criticFolder = 'critic';
const optimizerFile = 'optimizer.bin';

/** @param checkpoint its folder, or null for a run that begins */
export async function loadModels(config: TrainConfig, load: ModelLoader, checkpoint: string | null): Promise<Models> {
  const roles = modelRoles(config);
  const open: EngineModel[] = [];
  const restore = async (role: ModelRole, dir: string | null): Promise<EngineModel> => {
    const model = await load(role, dir);
    open.push(model);
    if (dir !== null) await model.loadOptimizer(join(dir, optimizerFile));
    return model;
  };
  try {
    const criticDir = checkpoint === null ? null : join(checkpoint, criticFolder);
    return {
      actor: await restore('actor', checkpoint),
      critic: roles.includes('critic') ? await restore('critic', criticDir) : null,
      reference: roles.includes('reference') ? await restore('reference', null) : null,
    };
  } catch (error) {
    for (const model of open) await model.close();
    throw error;
  }
}

/** Writes weights and optimizer states into an empty folder; the reference is not among them. */
export async function saveModels({ actor, critic }: Models, dir: string): Promise<void> {
  const save = async (model: EngineModel, folder: string): Promise<void> => {
    await model.save(folder);
    await model.saveOptimizer(join(folder, optimizerFile));
  };
  await save(actor, dir);
  if (critic === null) return;
  await mkdir(join(dir, criticFolder));
  await save(critic, join(dir, criticFolder));
}

export async function closeModels({ actor, critic, reference }: Models): Promise<void> {
  for (const model of [actor, critic, reference]) await model?.close();
}
