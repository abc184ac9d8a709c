/** Texts of a status area. */
import type { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];
/** Colours a text, where colours are wanted (NO_COLOR, FORCE_COLOR, the terminal). */
export type Paint = (style: Style, text: string) => string;

/** A part of a row. Parts give way to each other where a terminal is narrow. */
export interface Part {
  readonly text: string;
  /** 0 stays; of the others the highest is the first to go. */
  readonly rank: number;
  readonly style?: Style;
}

/** What rows are written on. */
export interface Sheet {
  /** The parts that fit, in their order. */
  row(parts: readonly Part[]): string;
}

/** "████░░░░" of `cells` columns. */
export function bar(done: number, total: number, cells: number): string {
  const full = total <= 0 ? 0 : Math.floor((Math.min(Math.max(done, 0), total) / total) * cells);
  return '█'.repeat(full) + '░'.repeat(cells - full);
}

/** "0:07", "12:30", "3:02:10", "2d 03:10". */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  if (whole >= 86_400)
    return `${Math.floor(whole / 86_400)}d ${two((whole % 86_400) / 3600)}:${two((whole % 3600) / 60)}`;
  if (whole >= 3600) return `${Math.floor(whole / 3600)}:${two((whole % 3600) / 60)}:${two(whole % 60)}`;
  return `${Math.floor(whole / 60)}:${two(whole % 60)}`;
}
