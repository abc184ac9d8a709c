/** run.json: what a run is, and what of it must not change when it is resumed. */
import { join } from 'node:path';
import { LimrError } from '../errors.js';
import { parseJsonFile, readTextIfThere, writeDurably } from '../files.js';
import { isObject, type Json, type JsonObject } from '../json.js';
import { kebabCase } from '../option.js';

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

/** @returns null when the folder has none. @throws {LimrError} LIMR_IO, LIMR_FORMAT */
export async function readRecord(dir: string): Promise<StoredRecord | null> {
  const file = fileOf(dir);
  const text = await readTextIfThere(file);
  if (text === undefined) return null;
  const record = parseJsonFile(text, file, 'Resume from an untouched copy of the run folder.');
  const isRecord =
    isObject(record) && [record.config, record.identity, record.about].every(isObject) && Array.isArray(record.changes);
  if (!isRecord) throw new LimrError('LIMR_FORMAT', `${file} is not the record of a run`);
  return record as unknown as StoredRecord;
}

/** @param earlier changes accepted before; `differences` take effect after `rollout` */
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

/** One line a difference; a configuration value is called as its flag. */
export function describeDifferences(list: readonly Difference[]): string {
  const show = (value: Json | undefined): string => (value === undefined ? 'absent' : JSON.stringify(value));
  return list.map(({ name, from, to }) => `  ${kebabCase(name)}: ${show(from)} -> ${show(to)}`).join('\n');
}
