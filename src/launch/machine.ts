/** The machine a verb runs on, as its options choose it. */
import { parseBytes } from '../bytes.js';
import { Engine } from '../engine/engine.js';
import { readDebugEnvironment } from '../env.js';
import { LimrError } from '../errors.js';
import { loadNative, type NativeAddon } from '../native.js';

export interface MachineOptions {
  readonly device: string;
  readonly threads: number | null;
  readonly memory: string;
}

export interface ChosenMachine {
  readonly addon: NativeAddon;
  readonly threads: number;
  readonly limitBytes: number;
}

/**
 * @param addon for tests; default: this package's
 * @throws {LimrError} LIMR_PLATFORM when the addon does not load, or for a device that this build lacks; LIMR_USAGE
 */
export function chooseMachine(options: MachineOptions, addon: NativeAddon = loadNative()): ChosenMachine {
  if (options.device !== 'cpu') {
    throw new LimrError(
      'LIMR_PLATFORM',
      `this build has no CUDA backend (--device ${options.device})`,
      'Use --device cpu.',
    );
  }
  const machine = addon.machine();
  return {
    addon,
    threads: options.threads ?? readDebugEnvironment().threads ?? machine.cpus,
    limitBytes: options.memory === '' ? machine.memoryBytes : parseBytes(options.memory, 'memory'),
  };
}

/** Runs a body with an engine, and closes the engine whatever happens. */
export async function withEngine<T>(
  { addon, threads, limitBytes }: ChosenMachine,
  body: (engine: Engine) => Promise<T>,
): Promise<T> {
  const engine = Engine.open({ threads, memoryLimit: limitBytes }, addon);
  try {
    return await body(engine);
  } finally {
    await engine.close();
  }
}
