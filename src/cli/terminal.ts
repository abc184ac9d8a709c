/**
 * Where a verb talks to a person: stderr. In a terminal, rows at its bottom say what is going on; elsewhere a plain line does, now
 * and then. stdout is for results alone.
 */
import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { type LogLevel, logLevels, processVariables } from '../env.js';
import { escapeControls } from '../escape-controls.js';
import type { LiveArea } from './live-area.js';
import { bar, type Paint, type Sheet } from './status-text.js';

export type TerminalStream = Writable & { readonly isTTY?: boolean; readonly columns?: number; readonly rows?: number };

/** Milliseconds between two lines about the same work where there is no terminal. */
const linePeriodMs = 15_000;
/** Milliseconds between two drawings, at least; and at most, for clocks and speeds. */
const [framePeriodMs, clockPeriodMs] = [80, 500];

/** Columns of a bar. */
export const barCells = 24;

/** Something that goes on. */
export interface View {
  rows(sheet: Sheet): readonly string[];
  /** The same in one line, for a log; undefined = nothing to say yet. */
  line(): string | undefined;
}

/** A view that is shown. */
export interface Shown {
  changed(): void;
  end(): void;
}

export interface Progress {
  /**
   * @param note what stands behind the numbers, such as a speed
   * @param total when it was not known before
   */
  update(done: number, note?: string, total?: number): void;
  end(): void;
}

export class Terminal {
  /** In the order in which they are drawn. */
  private readonly views = new Set<View>();
  private area: LiveArea | undefined;
  private isLoading = false;
  private closed = false;
  private lastFrame = 0;
  private pending: NodeJS.Timeout | undefined;
  private clock: NodeJS.Timeout | undefined;

  constructor(
    private readonly level: LogLevel,
    private readonly stream: TerminalStream = process.stderr,
  ) {}

  /** A line for a person. */
  say(text: string, level: LogLevel = 'info'): void {
    if (!this.shows(level)) return;
    const style = level === 'warn' ? 'yellow' : level === 'error' ? 'red' : undefined;
    const shown = escapeControls(text);
    const write = () => this.stream.write(`${style === undefined ? shown : this.paint(style, shown)}\n`);
    if (this.area === undefined) write();
    else this.area.above(write);
  }

  /** Shows a view until its end, below the others. */
  show(view: View): Shown {
    if (!this.shows('info') || this.closed) return { changed: () => {}, end: () => {} };
    return this.isLive ? this.showLive(view) : this.showLines(view);
  }

  /**
   * Progress of `total` units of work.
   * @param name what is done, e.g. "sampling"
   * @param total 0 = not known yet
   */
  progress(name: string, total: number): Progress {
    const state = { done: 0, note: '', total };
    const numbers = () => (state.total === 0 ? '' : `${state.done}/${state.total}`);
    const shown = this.show({
      rows: (sheet) => [
        sheet.row([
          { text: name, rank: 0 },
          { text: state.total === 0 ? '' : bar(state.done, state.total, barCells), rank: 2, style: 'green' },
          { text: numbers(), rank: 0 },
          { text: state.note, rank: 1 },
        ]),
      ],
      line: () => (state.done === 0 ? undefined : `${name} ${numbers() || state.done} ${state.note}`.trimEnd()),
    });
    return {
      update: (done, note = '', known = state.total) => {
        Object.assign(state, { done, note, total: known });
        shown.changed();
      },
      end: () => shown.end(),
    };
  }

  /** Ends what is shown and gives the cursor back; nothing is shown from then on. */
  close(): void {
    this.closed = true;
    this.views.clear();
    this.endArea();
  }

  /** A terminal that can draw: TERM=dumb cannot. */
  private get isLive(): boolean {
    return this.stream.isTTY === true && processVariables().TERM !== 'dumb';
  }

  private readonly paint: Paint = (style, text) => styleText(style, text, { stream: this.stream });

  private showLive(view: View): Shown {
    this.views.add(view);
    this.changed();
    return {
      changed: () => this.changed(),
      end: () => {
        this.views.delete(view);
        if (this.views.size === 0) this.endArea();
        else this.changed();
      },
    };
  }

  private showLines(view: View): Shown {
    let last = performance.now();
    let isOver = false;
    const changed = () => {
      if (isOver || this.closed || performance.now() - last < linePeriodMs) return;
      last = performance.now();
      const line = view.line();
      if (line !== undefined) this.say(line);
    };
    return {
      changed,
      end: () => {
        isOver = true;
      },
    };
  }

  /** Draws soon. */
  private changed(): void {
    if (this.closed || this.views.size === 0 || this.pending !== undefined) return;
    if (this.area === undefined) {
      void this.load();
      return;
    }
    const wait = Math.max(0, this.lastFrame + framePeriodMs - performance.now());
    this.pending = setTimeout(() => this.draw(), wait);
    this.pending.unref();
  }

  /** Its modules take longer to load than most of `--help` does. */
  private async load(): Promise<void> {
    if (this.isLoading) return;
    this.isLoading = true;
    const { LiveArea } = await import('./live-area.js');
    this.isLoading = false;
    if (this.closed || this.views.size === 0) return;
    this.area = new LiveArea(this.stream, this.paint, (sheet) => [...this.views].flatMap((view) => view.rows(sheet)));
    process.once('exit', this.onExit);
    this.clock = setInterval(() => this.draw(), clockPeriodMs);
    this.clock.unref();
    this.draw();
  }

  private draw(): void {
    clearTimeout(this.pending);
    this.pending = undefined;
    this.lastFrame = performance.now();
    this.area?.draw();
  }

  private endArea(): void {
    clearTimeout(this.pending);
    this.pending = undefined;
    clearInterval(this.clock);
    process.off('exit', this.onExit);
    this.area?.end();
    this.area = undefined;
  }

  private readonly onExit = (): void => this.endArea();

  private shows(level: LogLevel): boolean {
    return logLevels.indexOf(level) <= logLevels.indexOf(this.level) && this.level !== 'silent';
  }
}
