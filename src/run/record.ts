/** run.json: what a run is, and what of it must not change when it is resumed. */
import { join } from 'node:path';
import { LimrError } from '../errors.js';
import { readTextIfThere } from '../files.js';
import { writeDurably } from './durable.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export interface RunRecord {
  /** Resolved configuration. */
  readonly config: JsonObject;
  /** What else decides the result, e.g. model, prompts, ISA, build. */
  readonly identity: JsonObject;
  /** What does not: commit, machine, threads, versions. */
  readonly about: JsonObject;
}

export interface Difference {
  readonly name: string;
  /** undefined: absent */
  readonly from: Json | undefined;
  readonly to: Json | undefined;
}

interface StoredRecord extends RunRecord {
  /** Accepted changes, with the rollout after which each took effect. */
  readonly changes: readonly (Difference & { readonly rollout: number })[];
}

const fileOf = (dir: string): string => join(dir, 'run.json');

/** @returns null when the folder has none. @throws {LimrError} LIMR_FORMAT */
export async function readRecord(dir: string): Promise<StoredRecord | null> {
  const text = await readTextIfThere(fileOf(dir));
  if (text === undefined) return null;
  const record = parseRecord(text);
  if (record === null) throw new LimrError('LIMR_FORMAT', `${fileOf(dir)} is not the record of a run`);
  return record;
}

function parseRecord(text: string): StoredRecord | null {
  try {
    const value = JSON.parse(text) as Partial<StoredRecord> | null;
    const complete = isObject(value?.config) && isObject(value?.identity) && Array.isArray(value?.changes);
    return complete ? (value as StoredRecord) : null;
  } catch {
    return null;
  }
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null && !Array.isArray(value);

export async function writeRecord(
  dir: string,
  record: RunRecord,
  rollout: number,
  earlier: StoredRecord['changes'],
  differences: readonly Difference[],
): Promise<void> {
  const changes = [...earlier, ...differences.map((difference) => ({ rollout, ...difference }))];
  await writeDurably(fileOf(dir), `${JSON.stringify({ ...record, changes }, null, 2)}\n`);
}

/**
 * What differs between the recorded run and the one asked for.
 * @param free names of configuration values that may differ
 */
export function differences(recorded: RunRecord, wanted: RunRecord, free: ReadonlySet<string>): Difference[] {
  const of = (a: JsonObject, b: JsonObject): Difference[] =>
    [...new Set([...Object.keys(a), ...Object.keys(b)])]
      .filter((name) => !free.has(name) && JSON.stringify(a[name]) !== JSON.stringify(b[name]))
      .map((name) => ({ name, from: a[name], to: b[name] }));
  return [...of(recorded.config, wanted.config), ...of(recorded.identity, wanted.identity)];
}

/** One line a difference. */
export function describeDifferences(list: readonly Difference[]): string {
  const show = (value: Json | undefined): string => (value === undefined ? 'absent' : JSON.stringify(value));
  return list.map(({ name, from, to }) => `  ${name}: ${show(from)} -> ${show(to)}`).join('\n');
}
