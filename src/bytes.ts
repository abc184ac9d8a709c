/** Numbers of bytes, as people write and read them. */
import { LimrError } from './errors.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
  TIB: 2 ** 40,
};

/**
 * "8GB", "512MiB", "1.5e9": decimal units are powers of 1000, those with an i powers of 1024.
 * @param name what the value is called, for messages
 * @throws {LimrError} LIMR_USAGE
 */
export function parseBytes(text: string, name: string): number {
  const [, number = '', unit = ''] = /^\s*([0-9.eE+]*[0-9.])\s*([A-Za-z]*)\s*$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit.toUpperCase()) ? units[unit.toUpperCase()]! : Number.NaN;
  const bytes = Math.round(Number(number) * factor);
  if (number !== '' && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new LimrError(
    'LIMR_USAGE',
    `${name} is ${JSON.stringify(text)}, expected a number of bytes such as 8GB or 512MiB`,
    `Set --${name}.`,
  );
}

/** "1.23 GB": three digits, decimal units. */
export function formatBytes(bytes: number): string {
  const scale = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let at = 0;
  while (value >= 999.5 && at + 1 < scale.length) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? value : value.toPrecision(3)} ${scale[at]}`;
}
