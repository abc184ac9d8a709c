/** The CUDA backend: where its module is, and what it finds on this machine. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type DebugEnvironment, readDebugEnvironment } from '../env.js';
import { LimrError } from '../errors.js';
import { cudaModulePaths, type NativeCudaOptions, type NativeCudaProbe } from '../native.js';

/** What `doctor` says of CUDA. */
export interface CudaReport {
  /** The module's file; undefined when this build has none. */
  readonly module: string | undefined;
  /** What the module found; undefined when it does not load. */
  readonly probe: NativeCudaProbe | undefined;
  /** What keeps `--device cuda` from running, and the one command or step that mends it; undefined when nothing does. */
  readonly problem: { readonly message: string; readonly hint: string } | undefined;
}

const rebuild =
  'Install the CUDA toolkit (nvcc 12.4 or newer) and build again: `npm rebuild limr-engine` (in a clone: `npm run install`).';

/** The module's file: LIMR_CUDA_MODULE, else the first that the build left. */
export function findCudaModule(environment: DebugEnvironment = readDebugEnvironment()): string | undefined {
  return environment.cudaModule !== '' ? environment.cudaModule : cudaModulePaths.find((path) => existsSync(path));
}

/**
 * @param device the i of cuda:i
 * @throws {LimrError} LIMR_PLATFORM when this build has no CUDA backend, naming the files tried
 */
export function cudaOptions(device: number, environment: DebugEnvironment = readDebugEnvironment()): NativeCudaOptions {
  const module = findCudaModule(environment);
  if (module === undefined) {
    const tried = cudaModulePaths.map((path) => `\n  ${path}: no such file`).join('');
    throw new LimrError('LIMR_PLATFORM', `this build has no CUDA backend (--device cuda)${tried}`, rebuild);
  }
  return { module, device, cublaslt: [], sync: environment.sync };
}

/** "cuda:1" -> 1, "cuda" -> 0, "cpu" -> undefined. */
export function cudaIndex(device: string): number | undefined {
  const match = /^cuda(?::(\d+))?$/.exec(device);
  return match === null ? undefined : Number(match[1] ?? 0);
}

/** Probes in a process of its own: a driver or a module that crashes must not take this one along. */
export async function cudaReport(environment: DebugEnvironment = readDebugEnvironment()): Promise<CudaReport> {
  const module = findCudaModule(environment);
  if (module === undefined) {
    return { module, probe: undefined, problem: { message: 'this build has no CUDA backend', hint: rebuild } };
  }
  const script = fileURLToPath(new URL('./cuda-probe.js', import.meta.url));
  try {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [script, JSON.stringify(cudaOptions(0, environment))],
      {
        timeout: 60_000,
      },
    );
    const answer = JSON.parse(stdout) as { probe?: NativeCudaProbe; problem?: { message: string; hint: string } };
    return { module, probe: answer.probe, problem: answer.problem ?? answer.probe?.problem };
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n').slice(0, 3).join(' ') : String(error);
    return {
      module,
      probe: undefined,
      problem: { message: `${module} crashes when it is loaded: ${reason}`, hint: rebuild },
    };
  }
}
