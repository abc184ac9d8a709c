import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import { escapeControls } from '../escape-controls.js';
import type { Paint, Part, Sheet } from './status-text.js';

const gap = '  ';
const oneLine = (text: string): string => escapeControls(text).replace(/[\n\t]/g, ' ');

/** A sheet for a terminal. */
export class PaintedSheet implements Sheet {
  /** @param width columns */
  constructor(
    private readonly width: number,
    private readonly paint: Paint,
  ) {}

  row(parts: readonly Part[]): string {
    let kept = parts.flatMap((part) => (part.text === '' ? [] : [{ ...part, text: oneLine(part.text) }]));
    const total = () => kept.reduce((sum, { text }) => sum + stringWidth(text) + gap.length, -gap.length);
    while (total() > this.width) {
      const highest = Math.max(...kept.map(({ rank }) => rank));
      if (highest === 0) break;
      const goes = kept.findLastIndex(({ rank }) => rank === highest);
      kept = kept.filter((_, i) => i !== goes);
    }
    const line = kept.map(({ text, style }) => (style === undefined ? text : this.paint(style, text))).join(gap);
    return sliceAnsi(line, 0, this.width);
  }
}
