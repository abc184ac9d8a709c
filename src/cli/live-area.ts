/** Rows at the bottom of a terminal that are drawn again and again, below the lines that stay. */
import { clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import { createLogUpdate } from 'log-update';
import stringWidth from 'string-width';
import { PaintedSheet } from './painted-sheet.js';
import type { Paint, Sheet } from './status-text.js';
import type { TerminalStream } from './terminal.js';

const [hideCursor, showCursor] = ['\u001b[?25l', '\u001b[?25h'];
/** A row of all columns may wrap; wider ones would be broken by most resizes, and are hard to read. */
const widest = 100;

export class LiveArea {
  private readonly update: ReturnType<typeof createLogUpdate>;
  /** What stands there; empty when nothing does. */
  private drawn: readonly string[] = [];

  constructor(
    private readonly stream: TerminalStream,
    private readonly paint: Paint,
    private readonly rows: (sheet: Sheet) => readonly string[],
  ) {
    // The cursor is hidden here: log-update would hide that of the process's stderr, whatever its stream.
    this.update = createLogUpdate(stream as NodeJS.WriteStream, { showCursor: true });
    stream.on('resize', this.onResize);
  }

  draw(): void {
    if (this.drawn.length === 0) this.stream.write(hideCursor);
    this.drawn = this.rows(new PaintedSheet(this.width, this.paint));
    this.update(this.drawn.join('\n'));
  }

  /** Writes lines above the rows. */
  above(write: () => void): void {
    this.update.clear();
    write();
    this.draw();
  }

  /** Takes the rows away, and gives the cursor back. */
  end(): void {
    this.stream.off('resize', this.onResize);
    if (this.drawn.length === 0) return;
    this.drawn = [];
    this.update.clear();
    this.stream.write(showCursor);
  }

  private get width(): number {
    return Math.min(widest, Math.max(1, (this.stream.columns ?? 80) - 1));
  }

  /** A terminal that became narrower has broken the rows: they take more lines now than log-update knows of. */
  private readonly onResize = (): void => {
    if (this.drawn.length === 0) return;
    const columns = Math.max(1, this.stream.columns ?? 80);
    const lines = this.drawn.reduce((sum, text) => sum + Math.max(1, Math.ceil(stringWidth(text) / columns)), 0);
    cursorTo(this.stream, 0);
    moveCursor(this.stream, 0, -lines);
    clearScreenDown(this.stream);
    this.update.done();
    this.draw();
  };
}
