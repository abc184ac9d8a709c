/** One bar of progress at the bottom of a terminal. */
import type { Writable } from 'node:stream';
import { Presets, SingleBar } from 'cli-progress';

export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

const widest = 24;
/** A bar of fewer cells says less than the numbers that it would push out of the line. */
const narrowest = 8;
/** Columns for "{numbers} {note}". */
const numbersColumns = 28;

export class Bar {
  private readonly single: SingleBar;
  private done = 0;
  private note = '';

  /** @param total units of work; 0 = not known yet */
  constructor(
    name: string,
    private total: number,
    stream: TerminalStream,
  ) {
    const barsize = Math.min(widest, (stream.columns ?? 80) - name.length - numbersColumns);
    const format = `${name} ${barsize < narrowest ? '' : '{bar} '}{numbers} {note}`;
    this.single = new SingleBar(
      // Signals belong to the command line, which closes the terminal.
      { format, stream, hideCursor: true, clearOnComplete: true, barsize: Math.max(barsize, 0), gracefulExit: false },
      Presets.shades_classic,
    );
    this.start();
  }

  update(done: number, note: string, total: number): void {
    this.keep(done, note, total);
    this.single.setTotal(Math.max(total, 1));
    this.single.update(done, this.texts());
  }

  /**
   * Writes a line above the bar. A SingleBar goes back, when it stops, to the place where the cursor was when it started: so it is
   * stopped before the cursor moves, and started again behind the line.
   */
  above(write: () => void): void {
    this.single.stop();
    write();
    this.start();
  }

  /** Draws it after `end`. */
  again(done: number, note: string, total: number): void {
    this.keep(done, note, total);
    this.start();
  }

  /** Takes the bar away, and gives the cursor and the wrapping of lines back. */
  end(): void {
    this.single.stop();
  }

  private keep(done: number, note: string, total: number): void {
    this.done = done;
    this.note = note;
    this.total = total;
  }

  private start(): void {
    this.single.start(Math.max(this.total, 1), this.done, this.texts());
  }

  private texts(): object {
    return { numbers: this.total === 0 ? '' : `${this.done}/${this.total}`, note: this.note };
  }
}
