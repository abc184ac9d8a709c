/** Fields of a row by name, nested ones by a path. */
import { LimrError } from '../errors.js';
import type { DataRecord } from './records.js';

/**
 * A field's value. A field of the whole name goes first; else dots lead into objects and lists: "reward_model.ground_truth",
 * "answers.0".
 * @returns undefined when there is none
 */
export function fieldOf({ fields }: DataRecord, key: string): unknown {
  if (Object.hasOwn(fields, key)) return fields[key];
  return key
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && Object.keys(value).includes(name)
          ? (value as Record<string, unknown>)[name]
          : undefined,
      fields,
    );
}

/**
 * A field's text; numbers count as text, null as absent.
 * @param flag what chooses another field, if anything does
 * @throws {LimrError} LIMR_FORMAT for any other value
 */
export function optionalText(record: DataRecord, key: string, flag?: string): string | undefined {
  const value = fieldOf(record, key);
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value;
  throw new LimrError(
    'LIMR_FORMAT',
    `${record.where}: "${key}" is ${nounOf(value)}, neither text nor a number`,
    flag === undefined ? 'Write it as text.' : withinHint(key, value, flag),
  );
}

/** The error for a field that has to be there. @param flag what chooses another one */
export function missingField(record: DataRecord, key: string, flag: string): LimrError {
  const present = Object.keys(record.fields).join(', ') || 'none';
  return new LimrError(
    'LIMR_FORMAT',
    `${record.where}: "${key}" is ${fieldOf(record, key) === null ? 'null' : 'missing'}`,
    `Its fields are ${present}; choose one with ${flag}.`,
  );
}

/** Where a text may be found, when a field is none. */
function withinHint(key: string, value: unknown, flag: string): string {
  const isNested = typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
  const [first] = isNested ? Object.keys(value) : [];
  return first === undefined
    ? `Write it as text, or choose another field with ${flag}.`
    : `Write it as text, or name what is in it, such as ${flag} ${key}.${first}.`;
}

function nounOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
