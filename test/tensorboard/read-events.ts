/** Reads event files as far as tests need it: framing with its checksums, and the fields of an event by their numbers. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { maskedCrc } from '../../src/tensorboard/record.js';

/** The records of a file. @throws {Error} when a checksum is wrong, or a record is cut */
export function records(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = Number(bytes.readBigUInt64LE(at));
    const data = bytes.subarray(at + 12, at + 12 + length);
    if (maskedCrc(bytes.subarray(at, at + 8)) !== bytes.readUInt32LE(at + 8)) throw new Error(`length at ${at}`);
    if (maskedCrc(data) !== bytes.readUInt32LE(at + 12 + length)) throw new Error(`record at ${at}`);
    found.push(data);
    at += length + 16;
  }
  return found;
}

type Field = readonly [number: number, value: number | Buffer];

function fields(bytes: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = bytes[at++]!;
      value += (byte % 128) * factor;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = varint();
    const [number, type] = [key >> 3, key & 7];
    const width = type === 1 ? 8 : type === 5 ? 4 : type === 2 ? varint() : 0;
    const value = type === 0 ? varint() : bytes.subarray(at, at + width);
    at += width;
    const read = (raw: Buffer) => (type === 1 ? raw.readDoubleLE() : type === 5 ? raw.readFloatLE() : raw);
    found.push([number, typeof value === 'number' ? value : read(value)]);
  }
  return found;
}

const last = (list: readonly Field[], number: number) => list.findLast(([own]) => own === number)?.[1];

export interface ReadEvent {
  readonly step: number;
  readonly kind: 'version' | 'start' | 'summary';
  /** A scalar's value, a text, or a histogram's count. */
  readonly values: Readonly<Record<string, number | string>>;
}

export function readEvents(bytes: Buffer): ReadEvent[] {
  return records(bytes).map((record) => {
    const event = fields(record);
    const step = (last(event, 2) as number | undefined) ?? 0;
    const summary = last(event, 5) as Buffer | undefined;
    if (summary === undefined) return { step, kind: last(event, 7) === undefined ? 'version' : 'start', values: {} };
    const values = fields(summary).map(([, value]) => {
      const parts = fields(value as Buffer);
      const tensor = last(parts, 8) as Buffer | undefined;
      const histo = last(parts, 5) as Buffer | undefined;
      const shown =
        tensor !== undefined
          ? String(last(fields(tensor), 8))
          : histo !== undefined
            ? (last(fields(histo), 3) as number)
            : (last(parts, 2) as number);
      return [String(last(parts, 1)), shown] as const;
    });
    return { step, kind: 'summary', values: Object.fromEntries(values) };
  });
}

/** All events of a folder, as TensorBoard reads them: file after file. */
export function folderEvents(dir: string): ReadEvent[] {
  const names = readdirSync(dir).filter((name) => name.includes('tfevents'));
  return names.sort().flatMap((name) => readEvents(readFileSync(join(dir, name))));
}
