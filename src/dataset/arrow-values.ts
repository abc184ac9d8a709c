/** Values of Arrow columns as `records.ts` promises them. */
import { type Data, DataType, type Decimal, type Dictionary, type Field, type Vector } from 'apache-arrow';
import { dateText, decimalText, exactInteger, timeText } from './exact-values.js';

export type Converter = (value: unknown) => unknown;

/** What makes a column's values, as the library gives them, ours. Types without a counterpart in JSON stay as they come. */
export function converterOf(type: DataType): Converter {
  const convert = notNull(type);
  return (value) => (value === null || value === undefined ? null : convert(value));
}

function notNull(type: DataType): Converter {
  if (DataType.isDictionary(type)) return converterOf((type as Dictionary).dictionary);
  if (DataType.isInt(type)) return (value) => (typeof value === 'bigint' ? exactInteger(value) : value);
  if (DataType.isDecimal(type)) {
    const { scale } = type as Decimal;
    return (value) => decimalText(signedInteger(value as Uint32Array), scale);
  }
  if (DataType.isTimestamp(type)) return (value) => timeText(Number(value));
  if (DataType.isDate(type)) return (value) => dateText(Number(value));
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isFixedSizeBinary(type)) {
    return (value) => (value as Uint8Array).slice(); // what the library gives is a window on the whole batch
  }
  if (DataType.isList(type) || DataType.isFixedSizeList(type) || DataType.isLargeList(type)) {
    const item = converterOf((type.children as Field[])[0]!.type);
    return (value) => Array.from(value as Vector, item);
  }
  if (DataType.isStruct(type)) {
    const fields = (type.children as Field[]).map(({ type: child }) => converterOf(child));
    return (value) => {
      const entries = Array.from(value as Iterable<readonly [string, unknown]>);
      return Object.fromEntries(entries.map(([name, child], i) => [name, fields[i]!(child)]));
    };
  }
  if (DataType.isMap(type)) {
    const { children } = (type.children as Field[])[0]!.type as { children: Field[] };
    const [key, item] = [converterOf(children[0]!.type), converterOf(children[1]!.type)];
    return (value) =>
      Object.fromEntries(
        Array.from(value as Iterable<readonly [unknown, unknown]>, ([k, v]) => [String(key(k)), item(v)]),
      );
  }
  return (value) => (typeof value === 'bigint' ? exactInteger(value) : value);
}

/** Two's complement, the least significant word first. */
function signedInteger(words: Uint32Array): bigint {
  const value = words.reduceRight((sum, word) => (sum << 32n) | BigInt(word), 0n);
  return BigInt.asIntN(32 * words.length, value);
}

/**
 * Checks what the library takes on trust: offsets rise and stay inside the values, dictionary indices inside the dictionary. A file
 * with a flipped bit would otherwise give other texts without a word.
 * @returns what is wrong with the column; undefined when nothing is
 */
export function dataProblem(data: Data): string | undefined {
  const { valueOffsets } = data as { valueOffsets?: Int32Array | BigInt64Array };
  if (valueOffsets !== undefined && valueOffsets.length > 0 && data.length > 0) {
    const size = data.children[0]?.length ?? (data.values as Uint8Array | undefined)?.length ?? 0;
    const offsets = Array.from(valueOffsets.subarray(0, data.length + 1), Number);
    if (offsets.length <= data.length) return `${offsets.length} offsets of ${data.length} values`;
    const bad = offsets.findIndex((offset, i) => offset < (i === 0 ? 0 : offsets[i - 1]!) || offset > size);
    if (bad !== -1) return `offset ${bad} is ${offsets[bad]}, outside of ${size}`;
  }
  if (DataType.isDictionary(data.type) && data.dictionary !== undefined) {
    const { length } = data.dictionary;
    const isNull = (row: number) => data.nullCount > 0 && !data.getValid(row);
    const indices = Array.from(data.values as ArrayLike<number | bigint>, Number).slice(0, data.length);
    const bad = indices.findIndex((index, row) => (index < 0 || index >= length) && !isNull(row));
    if (bad !== -1) return `a dictionary index is ${indices[bad]}, and the dictionary has ${length} entries`;
    for (const chunk of data.dictionary.data) {
      const problem = dataProblem(chunk as Data);
      if (problem !== undefined) return problem;
    }
  }
  for (const child of data.children) {
    const problem = dataProblem(child as Data);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
