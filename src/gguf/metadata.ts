/** Metadata by key, with the types that the keys must have. */
import { LimrError } from '../errors.js';
import type { MetadataScalar, MetadataValue } from './header.js';

export class Metadata {
  constructor(
    readonly file: string,
    private readonly values: ReadonlyMap<string, MetadataValue>,
  ) {}

  has(key: string): boolean {
    return this.values.has(key);
  }

  keys(): readonly string[] {
    return [...this.values.keys()];
  }

  get(key: string): MetadataValue | undefined {
    return this.values.get(key);
  }

  /** @throws {LimrError} LIMR_FORMAT when it is there and no whole number >= 0; LIMR_UNSUPPORTED for one a layer that differ */
  integer(key: string): number | undefined {
    const value = this.uniform(key);
    if (value === undefined || (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0)) return value;
    throw this.malformed(key, 'a whole number');
  }

  /** @throws {LimrError} LIMR_FORMAT when it is missing too */
  requiredInteger(key: string): number {
    return this.integer(key) ?? this.missing(key);
  }

  number(key: string): number | undefined {
    const value = this.get(key);
    if (value === undefined || (typeof value === 'number' && Number.isFinite(value))) return value;
    throw this.malformed(key, 'a number');
  }

  flag(key: string): boolean | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === 'boolean') return value;
    throw this.malformed(key, 'true or false');
  }

  text(key: string): string | undefined {
    const value = this.get(key);
    if (value === undefined || typeof value === 'string') return value;
    throw this.malformed(key, 'a text');
  }

  texts(key: string): readonly string[] | undefined {
    return this.list(key, (value) => typeof value === 'string', 'a list of texts');
  }

  numbers(key: string): readonly number[] | undefined {
    return this.list(key, (value) => typeof value === 'number', 'a list of numbers');
  }

  missing(key: string): never {
    throw new LimrError('LIMR_FORMAT', `${this.file}: "${key}" is missing`, 'Convert the model again with llama.cpp.');
  }

  malformed(key: string, expected: string): LimrError {
    return new LimrError('LIMR_FORMAT', `${this.file}: "${key}" is ${show(this.get(key))}, expected ${expected}`);
  }

  unsupported(
    key: string,
    supported: string,
    hint = 'This engine does not implement it; choose another model.',
  ): LimrError {
    const found = show(this.get(key));
    return new LimrError('LIMR_UNSUPPORTED', `${this.file}: "${key}" is ${found}; supported is ${supported}`, hint);
  }

  /** The value, or the one that all layers share. */
  private uniform(key: string): MetadataScalar | undefined {
    const value = this.get(key);
    if (!isList(value)) return value;
    const [first] = value;
    if (first !== undefined && value.every((other) => other === first)) return first;
    throw this.unsupported(key, 'one value for all layers');
  }

  private list<T extends MetadataScalar>(
    key: string,
    isEntry: (value: MetadataScalar) => boolean,
    expected: string,
  ): readonly T[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (isList(value) && value.every(isEntry)) return value as readonly T[];
    throw this.malformed(key, expected);
  }
}

const isList = (value: MetadataValue | undefined): value is readonly MetadataScalar[] => Array.isArray(value);

function show(value: MetadataValue | undefined): string {
  if (isList(value)) return `a list of ${value.length}`;
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 80)) : String(value);
}
