/** How numbers are written. */

export type Format = 'number' | 'share' | 'bytes' | 'seconds' | 'whole';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** 1,234,567 */
export const count = (value: number): string => grouped.format(value);

/** Four digits that count, no more zeros than needed. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace(/\.?0+e/, 'e');
  return size >= 10_000 ? count(value) : String(Number(value.toPrecision(4)));
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

export function write(value: number | null | undefined, format: Format): string {
  if (value === null || value === undefined) return '–';
  switch (format) {
    case 'share':
      return `${Number((100 * value).toPrecision(3))}%`;
    case 'bytes': {
      const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
      return `${Number((value / 1024 ** power).toPrecision(4))} ${units[power]}`;
    }
    case 'seconds':
      return `${short(value)} s`;
    case 'whole':
      return count(value);
    default:
      return short(value);
  }
}

/** 3 h 05 min, 4 min 10 s, 12 s. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60)];
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, '0')} min`;
  return minutes > 0 ? `${minutes} min ${String(whole % 60).padStart(2, '0')} s` : `${whole} s`;
}
