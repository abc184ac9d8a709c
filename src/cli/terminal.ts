/** Where a verb talks to a person: stderr, as bars in a terminal and as plain lines elsewhere. stdout is for results alone. */
import { type LogLevel, logLevels } from '../env.js';
import { escapeControls } from '../escape-controls.js';
import type { Bar, TerminalStream } from './bar.js';

/** Milliseconds between two lines about the same work where there is no bar. */
const linePeriodMs = 15_000;

export interface Progress {
  /**
   * @param note what stands behind the numbers, such as a speed
   * @param total when it was not known before
   */
  update(done: number, note?: string, total?: number): void;
  end(): void;
}

const nothing: Progress = { update: () => {}, end: () => {} };

export class Terminal {
  private bar: Bar | undefined;
  /** Counts calls of `progress`: while a bar's module loads, another may begin. */
  private turn = 0;
  private closed = false;

  constructor(
    private readonly level: LogLevel,
    private readonly stream: TerminalStream = process.stderr,
  ) {}

  /** A line for a person. */
  say(text: string, level: LogLevel = 'info'): void {
    if (!this.shows(level)) return;
    const write = () => this.stream.write(`${escapeControls(text)}\n`);
    if (this.bar === undefined) write();
    else this.bar.above(write);
  }

  /**
   * Progress of `total` units of work. One is drawn at a time, the newest; an update of an older one draws that again after the newest's end.
   * @param name what is done, e.g. "sampling"
   * @param total 0 = not known yet
   */
  async progress(name: string, total: number): Promise<Progress> {
    this.endBar();
    const turn = ++this.turn;
    if (!this.shows('info')) return nothing;
    return this.stream.isTTY === true ? this.drawnBar(name, total, turn) : this.plainLines(name, total);
  }

  /** Ends what is drawn and gives the cursor back; nothing is drawn from then on. */
  close(): void {
    this.closed = true;
    this.endBar();
  }

  private async drawnBar(name: string, total: number, turn: number): Promise<Progress> {
    const { Bar } = await import('./bar.js');
    if (this.closed || turn !== this.turn) return nothing;
    const bar = new Bar(name, total, this.stream);
    this.bar = bar;
    let isOver = false;
    return {
      update: (done, note = '', known = total) => {
        if (isOver || this.closed) return;
        const shown = escapeControls(note);
        if (this.bar === bar) bar.update(done, shown, known);
        if (this.bar !== undefined) return;
        bar.again(done, shown, known); // what took its place has ended
        this.bar = bar;
      },
      end: () => {
        isOver = true;
        if (this.bar === bar) this.endBar();
      },
    };
  }

  private plainLines(name: string, total: number): Progress {
    let last = performance.now();
    return {
      update: (done, note = '', known = total) => {
        if (performance.now() - last < linePeriodMs) return;
        last = performance.now();
        this.say(`${name} ${done}${known > 0 ? `/${known}` : ''} ${note}`.trimEnd());
      },
      end: () => {},
    };
  }

  private endBar(): void {
    this.bar?.end();
    this.bar = undefined;
  }

  private shows(level: LogLevel): boolean {
    return logLevels.indexOf(level) <= logLevels.indexOf(this.level) && this.level !== 'silent';
  }
}
