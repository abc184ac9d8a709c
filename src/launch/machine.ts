/** The machine a verb runs on, as its options choose it. */
import { parseBytes } from '../bytes.js';
import { cudaIndex, requireGpu } from '../engine/cuda.js';
import { Engine } from '../engine/engine.js';
import { readDebugEnvironment } from '../env.js';
import { loadNative, type NativeAddon } from '../native.js';

/** The options by which a verb chooses them; "" and null follow the machine. */
export interface MachineOptions {
  readonly device: string;
  readonly threads: number | null;
  readonly memory: string;
  readonly deviceMemory: string;
}

/** The device, threads and bytes of memory that a verb uses. */
export interface ChosenMachine {
  readonly addon: NativeAddon;
  /** 'cpu', 'cuda' or 'cuda:<i>' */
  readonly device: string;
  readonly threads: number;
  /** Where models and workspace are: the GPU's memory, or the host's. */
  readonly limitBytes: number;
  /** Of the host. */
  readonly hostBytes: number;
}

/**
 * The device, threads and bytes that options ask for; what they leave open follows variables and machine.
 * @param addon for tests; default: this package's
 * @throws {LimrError} LIMR_PLATFORM when the addon does not load, or for a device that this build lacks; LIMR_USAGE
 */
export function chooseMachine(options: MachineOptions, addon: NativeAddon = loadNative()): ChosenMachine {
  const gpu = cudaIndex(options.device);
  const machine = addon.machine();
  const limit = (text: string, otherwise: () => number, name: string) =>
    text === '' ? otherwise() : parseBytes(text, name);
  return {
    addon,
    device: options.device,
    threads: options.threads ?? readDebugEnvironment().threads ?? machine.cpus,
    hostBytes: limit(options.memory, () => machine.memoryBytes, 'memory'),
    limitBytes:
      gpu === undefined
        ? limit(options.memory, () => machine.memoryBytes, 'memory')
        : limit(options.deviceMemory, () => requireGpu(gpu).freeBytes, 'device-memory'),
  };
}

/** Runs a body with an engine, and closes the engine whatever happens. */
export async function withEngine<T>(
  { addon, device, threads, limitBytes }: ChosenMachine,
  body: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = Engine.open({ device, threads, memoryLimit: limitBytes }, addon);
  try {
    return await body(engine);
  } finally {
    await engine.close();
  }
}
