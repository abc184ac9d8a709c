/**
 * A reward in the user's own module: `--reward ./reward.js`, or the name of a package. Its default export is a hook, or an object
 * whose `create` makes one:
 *
 *   export default (sample, rule) => (rule.correct ? 1 : 0) - 0.001 * sample.tokens.length;
 *   export default { create: async ({ seed }) => { const judge = await connect(seed); return (sample) => judge.ask(sample.response); } };
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LimrError } from '../errors.js';
import { type Reward, type RewardResult, type RewardSample, sampleName, scoreSamples } from './reward.js';

/** What a hook returns: the reward alone, or with it whatever it knows better than the rule. */
export type RewardHookResult = number | (Pick<RewardResult, 'reward'> & Partial<RewardResult>);

/** What a hook gets beside the sample. */
export interface RewardHookCall {
  /** Aborted when nobody waits for the result any more. */
  readonly signal: AbortSignal | undefined;
}

/**
 * Grades one sample.
 * @param rule what LIMR's rule with the run's grader says of it: whether it is right, the answer it found, a reward
 * @returns a finite number, or a result whose missing fields are the rule's
 */
export type RewardHook = (
  sample: RewardSample,
  rule: RewardResult,
  call: RewardHookCall,
) => RewardHookResult | Promise<RewardHookResult>;

/** What a factory of hooks gets. */
export interface RewardHookOptions {
  /** The run's. */
  readonly seed: number;
}

/** For hooks that must prepare something first, once a run. */
export interface RewardHookFactory {
  /** Called once a run, before the first sample. */
  create(options: RewardHookOptions): RewardHook | Promise<RewardHook>;
  /** Called when the run ends. */
  close?(): void | Promise<void>;
}

/** A reward module that was imported. */
export interface LoadedHook {
  /** "reward.js@<first digits of its SHA-256>": a changed module is a changed reward. Its own imports are not looked at. */
  readonly name: string;
  readonly hook: RewardHook;
  /** Called when the run ends. */
  readonly close?: () => void | Promise<void>;
}

/**
 * Imports a hook's module, once.
 * @param specifier path of a module, from `folder`, or the name of a package that is installed there
 * @throws {LimrError} LIMR_USAGE, naming the module, when there is none, it does not load, or exports no hook
 */
export async function loadRewardHook(
  specifier: string,
  options: RewardHookOptions,
  folder: string = process.cwd(),
): Promise<LoadedHook> {
  const file = findModule(specifier, folder);
  const digest = createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
  const name = `${basename(file)}@${digest.slice(0, 12)}`;
  const exported = await attempt(`loading reward module ${specifier}`, async () => {
    const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
    return module.default;
  });
  if (typeof exported === 'function') return { name, hook: exported as RewardHook };
  if (typeof exported !== 'object' || exported === null || !('create' in exported)) throw noHook(specifier, exported);
  const factory = exported as RewardHookFactory;
  const hook: unknown = await attempt(`creating the reward of ${specifier}`, async () => factory.create(options));
  if (typeof hook !== 'function') throw noHook(`${specifier}, by its create(),`, hook);
  return { name, hook: hook as RewardHook, close: () => factory.close?.() };
}

/**
 * The reward that a hook gives over what a rule found. Closing it closes the rule; the hook is its loader's to close.
 * @param specifier what messages call the module
 * @throws {LimrError} `score` throws LIMR_USAGE, naming module and sample, when the hook throws or returns no reward
 */
export function hookReward({ name, hook }: LoadedHook, specifier: string, base: Reward): Reward {
  const grade = async (
    sample: RewardSample,
    rule: RewardResult,
    signal: AbortSignal | undefined,
  ): Promise<RewardResult> => {
    const what = `reward module ${specifier} on ${sampleName(sample)}`;
    const result: unknown = await attempt(what, async () => hook(sample, rule, { signal }), signal);
    const fields = typeof result === 'number' ? { reward: result } : result;
    const odd = oddField(fields);
    if (odd === undefined) return { ...rule, ...(fields as RewardResult) };
    const field = odd === '' || typeof result === 'number' ? '' : `, where "${odd}" is ${show(fieldOf(fields, odd))}`;
    throw new LimrError(
      'LIMR_USAGE',
      `${what} returned ${show(result)}${field}`,
      'A hook returns a finite number, or an object with the finite number "reward" and other fields of a RewardResult.',
    );
  };
  return {
    name: `hook(${name})/${base.name}`,
    async score(samples, signal) {
      const rules = await scoreSamples(base, samples, signal);
      return Promise.all(samples.map((sample, i) => grade(sample, rules[i]!, signal)));
    },
    close: async () => base.close?.(),
  };
}

const fieldTypes: Readonly<Record<keyof RewardResult, (value: unknown) => boolean>> = {
  reward: Number.isFinite,
  correct: (value) => typeof value === 'boolean',
  wellFormed: (value) => typeof value === 'boolean',
  reason: (value) => typeof value === 'string',
  answer: (value) => typeof value === 'string' || value === null,
  detail: (value) => typeof value === 'string',
  parts: (value) => typeof value === 'object' && value !== null && Object.values(value).every(Number.isFinite),
  ms: Number.isFinite,
};

/** The first field that is not as a result's must be; "" when it is no object at all; undefined when all is well. */
function oddField(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return '';
  if (!('reward' in value)) return 'reward';
  return Object.entries(value).find(
    ([name, field]) => !(Object.hasOwn(fieldTypes, name) && fieldTypes[name as keyof RewardResult](field)),
  )?.[0];
}

const fieldOf = (object: unknown, key: string): unknown => (object as Record<string, unknown>)[key];

function findModule(specifier: string, folder: string): string {
  const file = specifier.startsWith('file:') ? fileURLToPath(specifier) : resolve(folder, specifier);
  if (existsSync(file)) return file;
  const looksLikePath = /^[./]|^file:|\.[cm]?[jt]s$/.test(specifier);
  if (!looksLikePath) {
    try {
      return createRequire(join(folder, 'reward.js')).resolve(specifier);
    } catch {
      // Reported below: for a person, a package that is not installed and one without an entry are the same.
    }
  }
  throw new LimrError(
    'LIMR_USAGE',
    `there is no reward "${specifier}": no such ${looksLikePath ? 'file' : 'reward, file or installed package'}`,
    'Known rewards: limr-rule, random. A module is named by its path, such as ./reward.js.',
  );
}

function noHook(where: string, value: unknown): LimrError {
  return new LimrError(
    'LIMR_USAGE',
    `reward module ${where} exports ${show(value)} by default, not a hook`,
    'Write `export default (sample, rule) => number`, or export default { create() { return hook; } }.',
  );
}

/** Runs the user's code; what it throws becomes an error that says where. */
async function attempt<T>(what: string, body: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await body();
  } catch (error) {
    if (signal?.aborted === true) throw new LimrError('LIMR_ABORTED', `interrupted: ${what}`, '', { cause: error });
    const reason = error instanceof Error ? `${error.name}: ${error.message}${placeOf(error)}` : String(error);
    throw new LimrError('LIMR_USAGE', `${what} failed: ${reason}`, 'Mend the module; a run goes on with --resume.', {
      cause: error,
    });
  }
}

/** " (reward.js:3:14)": where an error came from, if its stack says so. */
function placeOf({ stack = '' }: Error): string {
  const place = /^\s*at .*?([^/\\(\s]+:\d+:\d+)\)?$/m.exec(stack)?.[1];
  return place === undefined ? '' : ` (${place})`;
}

function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return `an object of ${Object.keys(value).join(', ') || 'nothing'}`;
  return typeof value === 'function' ? 'a function' : String(value);
}
