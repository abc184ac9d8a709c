/** How help is set on stdout: as wide as the terminal, within reason, with bold headings where colours are wanted. */
import type { HelpStyle } from './verb-help.js';

/** Columns of a file or a pipe; and the most, since longer lines are hard to read. */
const [plainWidth, maxWidth, minWidth] = [80, 100, 40];

export function helpStyle(stdout: NodeJS.WriteStream = process.stdout): HelpStyle {
  const columns = stdout.isTTY ? stdout.columns : plainWidth;
  const isBold = stdout.isTTY && stdout.hasColors(); // which heeds NO_COLOR and FORCE_COLOR
  return {
    width: Math.max(minWidth, Math.min(maxWidth, columns)),
    heading: isBold ? (text) => `\u001b[1m${text}\u001b[22m` : (text) => text,
  };
}
