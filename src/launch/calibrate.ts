/** How fast this machine is: a model with random weights, of the shape of the one that is planned for or smaller, does some of each. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeStepSeconds, scoreSeconds, sequences, trainSeconds } from '../bench/measures.js';
import { modelShape } from '../bench/shapes.js';
import { cudaIndex, probeCuda } from '../engine/cuda.js';
import type { Model } from '../engine/model.js';
import { readJson } from '../files.js';
import type { JsonObject } from '../json.js';
import {
  assumedSpeed,
  forwardFlops,
  keyFlops,
  type MachineSpeed,
  type ModelShape,
  multipliedWeights,
} from '../plan/time.js';
import type { TrainConfig } from '../ppo/config.js';
import { type ChosenMachine, withEngine } from './machine.js';

interface Sizes {
  /** More than caches hold, so that decoding reads memory as a large model does; 14 bytes each while it trains. */
  readonly weights: number;
  readonly tokens: number;
}
const cpuSizes: Sizes = { weights: 40e6, tokens: 1024 };
/** Two layers of a 7B model, and enough tokens to fill a GPU; both less where its memory is small. */
const gpuSizes: Sizes = { weights: 600e6, tokens: 8192 };
/** Of a GPU's memory, for the model: two thirds of that are its weights, gradients and optimizer. */
const gpuShare = 1 / 2;
/** Tokens of context between which attention's share of a decode step shows. */
const farthest = 512;
const decodeSteps = 8;

/** The shape of a model folder. @throws {LimrError} LIMR_IO, LIMR_FORMAT */
export async function readShape(dir: string): Promise<{ readonly config: JsonObject; readonly shape: ModelShape }> {
  const file = join(dir, 'config.json');
  const config = await readJson(file);
  const shape = modelShape(config, file);
  return { config: config as JsonObject, shape };
}

/** The same family with fewer tokens, then fewer layers, then half the width, until `mostWeights` hold it. */
export function shrink(config: JsonObject, mostWeights: number = cpuSizes.weights): JsonObject {
  const fits = (candidate: JsonObject) => multipliedWeights(modelShape(candidate, 'a smaller shape')) <= mostWeights;
  if (fits(config)) return config;
  const { layers, vocabSize } = modelShape(config, 'the shape');
  // Ids of special tokens would lie beyond the smaller vocabulary, and a type a layer would be too many.
  const { bos_token_id, eos_token_id, pad_token_id, layer_types, ...rest } = config;
  let small: JsonObject = { ...rest, vocab_size: Math.min(vocabSize, 8192), tie_word_embeddings: true };
  const withLayers = (count: number) => ({ ...small, num_hidden_layers: count });
  for (;;) {
    const deepest = Array.from({ length: layers }, (_, i) => layers - i).find((count) => fits(withLayers(count)));
    if (deepest !== undefined) return withLayers(deepest);
    const halves = ['hidden_size', 'intermediate_size', 'num_attention_heads', 'num_key_value_heads'].map(
      (key) => [key, Number(small[key] ?? small.num_attention_heads) / 2] as const,
    );
    if (!halves.every(([, half]) => Number.isInteger(half))) return withLayers(1);
    small = { ...small, ...Object.fromEntries(halves) };
  }
}

/**
 * Measured, or of a GPU that is not here assumed.
 * @throws {LimrError} as `calibrate`
 */
export async function machineSpeed(dir: string, config: TrainConfig, machine: ChosenMachine): Promise<MachineSpeed> {
  const gpu = cudaIndex(machine.device);
  if (gpu !== undefined && probeCuda(gpu).problem !== undefined) {
    return assumedSpeed((await readShape(dir)).shape, config.maxBatch);
  }
  return calibrate(dir, config, machine);
}

/** What a GPU with so many free bytes is measured with. */
export function sizesOnGpu(freeBytes: number): Sizes {
  const scale = Math.min(1, (freeBytes * gpuShare * (2 / 3)) / (14 * gpuSizes.weights));
  return { weights: gpuSizes.weights * scale, tokens: Math.max(256, Math.floor(gpuSizes.tokens * scale)) };
}

/**
 * Takes a second or two, and at most 0.6 GB; of a GPU half of what is free.
 * @throws {LimrError} LIMR_MEMORY when not even that fits; LIMR_IO of the temporary folder
 */
export async function calibrate(dir: string, config: TrainConfig, machine: ChosenMachine): Promise<MachineSpeed> {
  const gpu = cudaIndex(machine.device);
  const free = gpu === undefined ? machine.addon.machine().memoryBytes : machine.limitBytes;
  const sizes = gpu === undefined ? cpuSizes : sizesOnGpu(free);
  const small = shrink((await readShape(dir)).config, sizes.weights);
  const shape = modelShape(small, 'a smaller shape');
  const folder = await mkdtemp(join(tmpdir(), 'limr-calibrate-'));
  try {
    await writeFile(join(folder, 'config.json'), JSON.stringify(small));
    // On the CPU its own needs are small, and none of the limit that the run is planned under.
    return await withEngine({ ...machine, limitBytes: free }, async (engine) => {
      const model = await engine.load(folder, {
        randomSeed: 1,
        trainable: true,
        activationCheckpointing: config.gradientCheckpointing,
        tokenizer: false,
      });
      const once = () => measure(model, shape, config, sizes.tokens);
      await once(); // pages are touched for the first time
      const [first, second] = [await once(), await once()];
      return faster(first, second);
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What else runs on the machine only slows it down. */
function faster(a: MachineSpeed, b: MachineSpeed): MachineSpeed {
  return {
    forward: Math.max(a.forward, b.forward),
    train: Math.max(a.train, b.train),
    decode: Math.max(a.decode, b.decode),
    attend: Math.max(a.attend, b.attend),
    numParameters: a.numParameters,
  };
}

async function measure(
  model: Model,
  shape: ModelShape,
  config: TrainConfig,
  mostTokens: number,
): Promise<MachineSpeed> {
  const context = Math.min(config.promptMaxLen + config.generateMaxLen, model.info.maxPositionEmbeddings);
  const length = Math.min(context, mostTokens);
  const packed = sequences(Math.max(1, Math.floor(mostTokens / length)), length, shape.vocabSize);
  const flops = packed.length * length * forwardFlops(shape, length);
  const score = await scoreSeconds(model, packed);
  const train = await trainSeconds(model, packed);
  const { maxBatch } = config;
  const [near, far] = [16, Math.min(model.info.maxPositionEmbeddings, Math.max(32, Math.min(context, farthest)))];
  const decode = (keys: number) => {
    const size = { batch: maxBatch, context: keys - decodeSteps, samplesPerPrompt: maxBatch };
    return decodeStepSeconds(model, size, decodeSteps);
  };
  const [soon, later] = [await decode(near), await decode(far)];
  // Where both take the same, attention is at most a fiftieth of a step.
  const attention = Math.max(later - soon, soon / 50);
  return {
    forward: flops / score,
    train: (3 * flops) / train,
    decode: (maxBatch * 2 * multipliedWeights(shape)) / soon,
    attend: (maxBatch * (far - near) * keyFlops(shape)) / attention,
    numParameters: model.info.numParameters,
  };
}
