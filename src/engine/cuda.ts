/** The CUDA backend: where its module is, and what it finds on this machine. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type DebugEnvironment, readDebugEnvironment } from '../env.js';
import { LimrError } from '../errors.js';
import { cudaModulePaths, type NativeCudaDevice, type NativeCudaOptions, type NativeCudaProbe } from '../native.js';

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
  'Install the CUDA toolkit (nvcc 12.4 or newer) and build it: `npm rebuild limr-engine` (in a clone: `npm run install -- limr_cuda`).';
const probeTimeoutMs = 60_000;

/** GPUs, by what they are opened with, that worked in a process of their own: an engine asks once. */
const working = new Set<string>();

/** The module's file: LIMR_CUDA_MODULE, else the first that the build left. */
export function findCudaModule(environment: DebugEnvironment = readDebugEnvironment()): string | undefined {
  return environment.cudaModule !== '' ? environment.cudaModule : cudaModulePaths.find((path) => existsSync(path));
}

/** "cuda:1" -> 1, "cuda" -> 0, "cpu" -> undefined. */
export function cudaIndex(device: string): number | undefined {
  const match = /^cuda(?::(\d+))?$/.exec(device);
  return match === null ? undefined : Number(match[1] ?? 0);
}

/** In a process of its own: a driver or a module that crashes must not take this one along. */
export function probeCuda(device = 0, environment: DebugEnvironment = readDebugEnvironment()): CudaReport {
  const module = findCudaModule(environment);
  if (module === undefined) {
    const tried = cudaModulePaths.map((path) => `\n  ${path}: no such file`).join('');
    return { module, probe: undefined, problem: { message: `this build has no CUDA backend${tried}`, hint: rebuild } };
  }
  const script = fileURLToPath(new URL('./cuda-probe.js', import.meta.url));
  const options = JSON.stringify(optionsFor(module, device, environment));
  const child = spawnSync(process.execPath, [script, options], { encoding: 'utf8', timeout: probeTimeoutMs });
  try {
    const answer = JSON.parse(child.stdout) as { probe?: NativeCudaProbe; problem?: CudaReport['problem'] };
    const problem = answer.problem ?? answer.probe?.problem;
    if (problem === undefined) working.add(options);
    return { module, probe: answer.probe, problem };
  } catch {
    const message = `${module} ends the process that loads it: ${endOf(child)}`;
    return { module, probe: undefined, problem: { message, hint: rebuild } };
  }
}

/**
 * What an engine on a GPU is opened with. The module and the GPU were seen to work, in another process, when this returns.
 * @throws {LimrError} LIMR_PLATFORM naming what is missing, and what mends it
 */
export function requireCuda(device: number, environment: DebugEnvironment = readDebugEnvironment()): NativeCudaOptions {
  const options = optionsFor(findCudaModule(environment) ?? '', device, environment);
  if (!working.has(JSON.stringify(options))) requireGpu(device, environment);
  return options;
}

/** The GPU, as it is now. @throws {LimrError} LIMR_PLATFORM as `requireCuda` */
export function requireGpu(device: number, environment: DebugEnvironment = readDebugEnvironment()): NativeCudaDevice {
  const { probe, problem } = probeCuda(device, environment);
  const found = probe?.devices[device];
  if (found !== undefined && problem === undefined) return found;
  throw new LimrError(
    'LIMR_PLATFORM',
    `--device cuda${device === 0 ? '' : `:${device}`}: ${problem?.message ?? 'there is no such GPU'}`,
    problem?.hint ?? 'See `limr-engine doctor`, or use --device cpu; `plan` takes --device-memory instead of a GPU.',
  );
}

const optionsFor = (module: string, device: number, { sync }: DebugEnvironment): NativeCudaOptions => ({
  module,
  device,
  cublaslt: [],
  sync,
});

/** How a process ended that wrote no answer. */
function endOf({ error, signal, status, stderr }: ReturnType<typeof spawnSync>): string {
  const said = String(stderr ?? '')
    .trim()
    .split('\n')
    .slice(0, 3)
    .join(' ');
  const how = error?.message ?? (signal === null ? `exit code ${status}` : signal);
  return said === '' ? how : `${how}: ${said}`;
}
