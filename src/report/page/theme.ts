/** Light and dark: the reader's system decides unless the reader does. Canvases are drawn in the colours that the style sheet names. */

export type Theme = 'auto' | 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();
let chosen: Theme = 'auto';
let isPrinting = false;

function apply(): void {
  const isDark = !isPrinting && (chosen === 'auto' ? system.matches : chosen === 'dark');
  document.documentElement.dataset.theme = isDark ? 'dark' : 'light';
  for (const listener of listeners) listener();
}

/** Calls back whenever the colours are others. */
export function onTheme(listener: () => void): void {
  listeners.add(listener);
}

export function chooseTheme(theme: Theme): void {
  chosen = theme;
  apply();
}

/** Paper is light. */
export function printTheme(on: boolean): void {
  isPrinting = on;
  apply();
}

export function startTheme(): void {
  system.addEventListener('change', apply);
  apply();
}

/** A colour of the style sheet, such as --line-0. */
export const colour = (name: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Colours of lines that the style sheet has. */
const lineColours = 8;
export const lineColour = (index: number): string => colour(`--line-${index % lineColours}`);
