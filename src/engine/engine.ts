/** The engine: threads, kernels and memory that models share. */
import { join } from 'node:path';
import { readDebugEnvironment } from '../env.js';
import { LimrError } from '../errors.js';
import { exists } from '../files.js';
import {
  loadNative,
  type ModelHead,
  type MomentFormat,
  type NativeAddon,
  type NativeContext,
  type NativeLinear,
  type NativeLinearOptions,
  type NativeMachine,
  type NativeMachineProbe,
  type NativePlan,
  type NativePlanRequest,
} from '../native.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import { cudaIndex, requireCuda } from './cuda.js';
import { checkModelFolder, readEosTokenIds } from './folder.js';
import { Model } from './model.js';
import { whole } from './numbers.js';

/** What this machine has: kernels, CPUs, bytes of memory. */
export type Machine = NativeMachine;
/** Bytes of weights, gradients, optimizer state and workspace of a phase. */
export type Plan = NativePlan;

/** How an engine is opened. Bytes are bytes, not mebibytes. */
export interface EngineOptions {
  /** Compute threads. Default: LIMR_THREADS, else the CPUs that this process may use. */
  readonly threads?: number;
  /** Kernels, one of `machine().isas`. Default: LIMR_CPU, else the best. */
  readonly isa?: string;
  /**
   * Bytes for weights, optimizer state and workspace together, where they are. Default: the machine's, or the cgroup's limit; on a GPU
   * none but its own.
   */
  readonly memoryLimit?: number;
  /** Look for non-finite numbers after every op, and name the first. Default: LIMR_CHECK_NANS, else false. */
  readonly checkNans?: boolean;
  /** 'cpu', 'cuda' or 'cuda:<i>'. Default 'cpu'. */
  readonly device?: string;
}

/** How a model is loaded. */
export interface LoadOptions {
  /** Default 'lm'. */
  readonly head?: ModelHead;
  /** Gradients, master weights and AdamW moments. Default false. */
  readonly trainable?: boolean;
  /** Random weights N(0, initializer_range) from this seed instead of the folder's. */
  readonly randomSeed?: number;
  /** Seed of a value head that the folder does not have. Default 0. */
  readonly valueHeadSeed?: number;
  /** Recompute a layer's activations in backward. Default true. */
  readonly activationCheckpointing?: boolean;
  /**
   * CPU only: where sequences of an `accumulate` begin alike, as samples of one prompt, compute that once, gradients included. Their
   * losses keep their bits; a gradient rounds elsewhere, by 0.3% of its norm, and so depends on what is in the call. Default false.
   */
  readonly sharePrefixes?: boolean;
  /** Of AdamW. Default 'f32', the only one of the CPU. */
  readonly moments?: MomentFormat;
  /** GPU only: optimizer state in pinned host memory, streamed through the GPU by `step`. Default false. */
  readonly optimizerOnHost?: boolean;
  /** GPU only: rest in pinned host memory while another such model works. Needs `optimizerOnHost` when trainable. Default false. */
  readonly takeTurns?: boolean;
  /** Read the folder's tokenizer if there is one, or take this one. Default true with an lm head. */
  readonly tokenizer?: boolean | Tokenizer;
}

/** The phase that is planned; threads: default those of the engine. */
export type PlanRequest = Omit<NativePlanRequest, 'threads'> & { readonly threads?: number };

const SEED = 0xffffffff;

/**
 * The native engine: threads, memory, and the models loaded into it. Close it when done; one serves any number of
 * models. A busy model rejects a second call with LIMR_BUSY; other models stay free.
 */
export class Engine {
  private readonly models = new Set<Model>();

  private constructor(
    private readonly addon: NativeAddon,
    private readonly context: NativeContext,
  ) {}

  /**
   * Opens the engine: starts its threads, and loads no model.
   * @param addon for tests; default: this package's
   * @throws {LimrError} LIMR_USAGE for an option that is not valid, LIMR_PLATFORM when the addon or the GPU is not there
   */
  static open(options: EngineOptions = {}, addon: NativeAddon = loadNative()): Engine {
    const environment = readDebugEnvironment();
    const machine = addon.machine();
    const isa = options.isa ?? environment.cpu;
    if (isa !== '' && !machine.isas.includes(isa)) {
      throw new LimrError(
        'LIMR_USAGE',
        `this CPU has no kernels called "${isa}"`,
        `It has ${machine.isas.join(', ')}; set LIMR_CPU to one of them, or unset it.`,
      );
    }
    const device = options.device ?? 'cpu';
    const gpu = cudaIndex(device);
    if (gpu === undefined && device !== 'cpu') {
      throw new LimrError('LIMR_USAGE', `there is no device called "${device}"`, 'There are cpu, cuda and cuda:<i>.');
    }
    const context = addon.createContext({
      threads: whole('threads', options.threads ?? environment.threads ?? machine.cpus, 1, 1024),
      isa,
      memoryLimitBytes: whole('memoryLimit', options.memoryLimit ?? (gpu === undefined ? machine.memoryBytes : 0), 0),
      checkNans: options.checkNans ?? environment.checkNans,
      cuda: gpu === undefined ? null : requireCuda(gpu, environment),
    });
    return new Engine(addon, context);
  }

  /** Compute threads in use. */
  get threads(): number {
    return this.context.threads;
  }

  /** 'cpu', 'cuda:0' */
  get device(): string {
    return this.context.device;
  }

  /** The kernels in use, such as "avx512bf16". */
  get isa(): string {
    return this.context.isa;
  }

  /** What this machine has; measures nothing. */
  machine(): Machine {
    return this.addon.machine();
  }

  /**
   * Loads a model folder in Hugging Face layout.
   * @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED, LIMR_MEMORY when it does not fit
   */
  async load(dir: string, options: LoadOptions = {}): Promise<Model> {
    await checkModelFolder(dir);
    const head = options.head ?? 'lm';
    const tokenizer = await findTokenizer(dir, options.tokenizer ?? head === 'lm');
    const eosTokenIds = await readEosTokenIds(dir);
    const native = await this.context.load({
      dir,
      head,
      trainable: options.trainable ?? false,
      randomSeed: options.randomSeed === undefined ? -1 : whole('randomSeed', options.randomSeed, 0, SEED),
      valueHeadSeed: whole('valueHeadSeed', options.valueHeadSeed ?? 0, 0, SEED),
      activationCheckpointing: options.activationCheckpointing ?? true,
      sharePrefixes: options.sharePrefixes ?? false,
      moments: options.moments ?? 'f32',
      optimizerOnHost: options.optimizerOnHost ?? false,
      takeTurns: options.takeTurns ?? false,
    });
    const model = new Model({ native, dir, tokenizer, eosTokenIds });
    this.models.add(model);
    return model;
  }

  /** What a phase needs, in bytes, from config.json alone. @throws {LimrError} LIMR_IO, LIMR_FORMAT, LIMR_UNSUPPORTED */
  plan(request: PlanRequest): Plan {
    return this.addon.plan({ ...request, threads: request.threads ?? this.threads });
  }

  /**
   * Measures what the machine can do at most with this engine's threads and kernels.
   * @param readBytes memory that is read; default: four times the last-level caches, at least 256 MiB
   * @throws {LimrError} LIMR_USAGE, LIMR_MEMORY
   */
  machineProbe(readBytes = 0): Promise<NativeMachineProbe> {
    return this.context.machineProbe({ readBytes });
  }

  /** A linear layer with random weights, to be timed. @throws {LimrError} LIMR_USAGE, LIMR_SHAPE, LIMR_MEMORY */
  linear(options: NativeLinearOptions): Promise<NativeLinear> {
    return this.context.linear(options);
  }

  /** Closes all models, then the threads; idempotent. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.models, (model) => model.close()));
    this.models.clear();
    await this.context.close();
  }
}

async function findTokenizer(dir: string, wanted: boolean | Tokenizer): Promise<Tokenizer | undefined> {
  if (wanted instanceof Tokenizer) return wanted;
  return wanted && (await exists(join(dir, 'tokenizer.json'))) ? Tokenizer.load(dir) : undefined;
}
