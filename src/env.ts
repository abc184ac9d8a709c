/**
 * All LIMR_* environment variables. Those in `debugVariables` belong to the engine; every option of the command line has one
 * more, LIMR_ and its name in capitals (LIMR_EPS_CLIP). Any other LIMR_* is an error, except LIMR_TEST_*, which the tests use.
 */
import { didYouMean } from './did-you-mean.js';
import { LimrError } from './errors.js';

export const logLevels = ['silent', 'error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

/** Variables of the engine, and what each does; docs/environment.md is this table. */
export const debugVariables = {
  LIMR_LOG: `what goes to stderr: ${logLevels.join(', ')}; default info`,
  LIMR_CPU:
    'kernels to use instead of the best that the CPU runs: a name that `limr-engine doctor` lists, such as avx2',
  LIMR_THREADS: 'compute threads; default: the CPUs that the process may use',
  LIMR_CUDA_MODULE: 'file of the CUDA backend; default: limr_cuda.so beside the addon',
  LIMR_CUBLASLT: 'file of cuBLASLt; default: wherever it is found',
  LIMR_SYNC: '1 = wait for the GPU after every op, so that a failure names its op',
  LIMR_CHECK_NANS: '1 = look for non-finite numbers after every op, and name the first',
} as const;

type DebugVariable = keyof typeof debugVariables;

/** The engine's variables, read and validated. */
export interface DebugEnvironment {
  readonly log: LogLevel;
  /** "" = the best. */
  readonly cpu: string;
  /** undefined = the CPUs that the process may use. */
  readonly threads: number | undefined;
  readonly checkNans: boolean;
  /** "" = beside the addon. */
  readonly cudaModule: string;
  readonly sync: boolean;
}

export type Variables = Readonly<Record<string, string | undefined>>;

/** Those of this process, for the parts that read variables which are not the engine's own (src/hub reads HF_*). */
export const processVariables = (): Variables => process.env;

/**
 * Reads the engine's variables.
 * @throws {LimrError} LIMR_USAGE, naming the variable, the value found and the values allowed
 */
export function readDebugEnvironment(variables: Variables = process.env): DebugEnvironment {
  const text = (name: DebugVariable) => variables[name] ?? '';
  const log = text('LIMR_LOG') === '' ? 'info' : logLevels.find((level) => level === text('LIMR_LOG'));
  if (log === undefined) throw mismatch('LIMR_LOG', text('LIMR_LOG'), `one of ${logLevels.join(', ')}`);
  const threads = text('LIMR_THREADS') === '' ? undefined : Number(text('LIMR_THREADS'));
  if (threads !== undefined && !(Number.isSafeInteger(threads) && threads >= 1)) {
    throw mismatch('LIMR_THREADS', text('LIMR_THREADS'), 'a whole number >= 1');
  }
  const flag = (name: DebugVariable) => {
    if (!['', '0', '1'].includes(text(name))) throw mismatch(name, text(name), '0 or 1');
    return text(name) === '1';
  };
  return Object.freeze({
    log,
    cpu: text('LIMR_CPU'),
    threads,
    checkNans: flag('LIMR_CHECK_NANS'),
    cudaModule: text('LIMR_CUDA_MODULE'),
    sync: flag('LIMR_SYNC'),
  });
}

/**
 * LIMR_* variables that are neither the engine's, nor of the tests, nor in the list, sorted.
 * @param optionVariables the variables of all options, e.g. "LIMR_EPS_CLIP"
 */
export function unknownVariables(optionVariables: Iterable<string>, variables: Variables = process.env): string[] {
  const known = new Set([...Object.keys(debugVariables), ...optionVariables]);
  return Object.keys(variables)
    .filter((name) => name.startsWith('LIMR_') && !name.startsWith('LIMR_TEST_') && !known.has(name))
    .sort();
}

/**
 * Refuses variables that nothing reads.
 * @param optionVariables the variables of all options, e.g. "LIMR_EPS_CLIP"
 * @param variables default: those of this process
 * @throws {LimrError} LIMR_USAGE naming the first unknown one
 */
export function checkVariableNames(optionVariables: readonly string[], variables: Variables = process.env): void {
  const [name] = unknownVariables(optionVariables, variables);
  if (name === undefined) return;
  const hint = didYouMean(name, [...Object.keys(debugVariables), ...optionVariables]);
  throw new LimrError(
    'LIMR_USAGE',
    `there is no environment variable ${name}`,
    hint === '' ? 'Unset it; docs/environment.md lists the variables.' : hint,
  );
}

function mismatch(name: string, value: string, expected: string): LimrError {
  return new LimrError(
    'LIMR_USAGE',
    `${name} is ${JSON.stringify(value)}, expected ${expected}`,
    `Set or unset ${name}.`,
  );
}
