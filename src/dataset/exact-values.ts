/** Values of typed columns as JSON has them, without losing a digit. */

/** A number where it is exact, else its decimal text. */
export function exactInteger(value: bigint): number | string {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : String(value);
}

/** "12.50" for 1250 and scale 2; "1200" for 12 and scale -2. */
export function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = String(unscaled < 0n ? -unscaled : unscaled);
  if (scale <= 0) return unscaled === 0n ? '0' : `${sign}${digits}${'0'.repeat(-scale)}`;
  const padded = digits.padStart(scale + 1, '0');
  return `${sign}${padded.slice(0, -scale)}.${padded.slice(-scale)}`;
}

/** "2024-02-29T12:30:01.250Z" of milliseconds since 1970. */
export const timeText = (ms: number): string => new Date(ms).toISOString();

/** "2024-02-29" of milliseconds since 1970. */
export const dateText = (ms: number): string => timeText(ms).slice(0, 10);
