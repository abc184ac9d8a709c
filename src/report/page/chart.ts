/** A chart of lines by uPlot, in the colours of the theme, as wide as its place; drawn when it comes into view. */
import uPlot from 'uplot';
import { axisRange } from './axis-range.js';
import { h, replace, untrusted } from './dom.js';
import { describe, type Line, smooth } from './line.js';
import { type Format, write } from './numbers.js';
import { colour, lineColour, onTheme } from './theme.js';

export interface ChartOptions {
  readonly title: string;
  /** A sentence on what is seen. */
  readonly note: string;
  readonly format: Format;
}

/** What all charts of a page have in common. */
export interface ChartView {
  readonly axis: string;
  readonly axisFormat: Format;
  /** Weight of `smooth`. */
  readonly smoothing: number;
}

const height = 210;
const dashes: readonly (readonly number[])[] = [[], [7, 4], [2, 3], [9, 3, 2, 3], [4, 2]];
/** Points of a line up to which each is marked; pixels between error bars that have room for caps. */
const maxMarked = 40;
const capRoom = 9;
const maxTableRows = 60;
/** Moves the cursors of all charts together, and zooms them together. */
const sync = uPlot.sync('rollouts');

const charts = new Set<LineChart>();
const watched = new Map<Element, LineChart>();
const inView = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) watched.get(target)?.show(isIntersecting);
  },
  { rootMargin: '400px' },
);
const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) watched.get(target)?.fit();
});
onTheme(() => {
  for (const chart of charts) chart.changed();
});

/** Draws every chart, in view or not, at a width; null = as wide as their places again. */
export function printCharts(width: number | null): void {
  for (const chart of charts) chart.print(width);
}

export class LineChart {
  readonly element: HTMLElement;
  private readonly place = h('div', { class: 'plot' });
  private readonly table = h('div', { class: 'values', tabindex: 0, role: 'region' });
  private plot: uPlot | undefined;
  private lines: readonly Line[] = [];
  private view: ChartView = { axis: 'rollout', axisFormat: 'whole', smoothing: 0 };
  private isShown = false;
  private isStale = true;
  private printWidth: number | null = null;

  constructor(private readonly options: ChartOptions) {
    this.table.setAttribute('aria-label', `Values of ${options.title}`);
    const details = h(
      'details',
      { ontoggle: () => (details.open ? this.fillTable() : replace(this.table)) },
      h('summary', {}, 'Values'),
      this.table,
    );
    this.element = h(
      'figure',
      { class: 'card chart' },
      h('figcaption', {}, h('h4', {}, ...untrusted(options.title)), h('p', { class: 'note' }, options.note)),
      this.place,
      details,
    );
    charts.add(this);
    watched.set(this.place, this);
    inView.observe(this.place);
    resized.observe(this.place);
  }

  set(lines: readonly Line[], view: ChartView): void {
    this.lines = lines;
    this.view = view;
    this.changed();
  }

  /** Forgets it; its element is taken out by whoever put it in. */
  close(): void {
    charts.delete(this);
    watched.delete(this.place);
    inView.unobserve(this.place);
    resized.unobserve(this.place);
    this.plot?.destroy();
  }

  changed(): void {
    this.isStale = true;
    if (this.isShown || this.printWidth !== null) this.draw();
  }

  show(isShown: boolean): void {
    this.isShown = isShown;
    if (isShown && this.isStale) this.draw();
  }

  fit(): void {
    const width = this.width();
    if (this.plot !== undefined && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height });
  }

  print(width: number | null): void {
    this.printWidth = width;
    if (width !== null) this.draw();
    else this.fit();
  }

  private width(): number {
    return this.printWidth ?? this.place.clientWidth;
  }

  private draw(): void {
    const width = this.width();
    if (width === 0) return;
    this.isStale = false;
    const zoom = this.plot === undefined ? undefined : zoomOf(this.plot);
    this.plot?.destroy();
    const { data, series } = this.series();
    this.plot = new uPlot(
      {
        width,
        height,
        series: [this.axisSeries(), ...series],
        axes: axes(this.options.format, this.view.axisFormat),
        scales: { x: { time: false }, y: { range: (plot) => this.range(plot) } },
        cursor: { sync: { key: sync.key, scales: ['x', null] }, drag: { x: true, y: false }, points: { size: 6 } },
        legend: { live: true },
        hooks: { draw: [(plot) => this.drawErrors(plot)] },
      },
      data,
      this.place,
    );
    if (zoom !== undefined) this.plot.setScale('x', zoom);
    const canvas = this.plot.ctx.canvas;
    canvas.setAttribute('role', 'img');
    const words = describe(this.lines, (value) => write(value, this.options.format), this.view.axis);
    canvas.setAttribute('aria-label', `${this.options.title}. ${words}`);
  }

  /**
   * uPlot's columns: x, then of each line the values, their errors (never drawn as a line), and with smoothing what was measured, pale, before.
   */
  private series(): { readonly data: uPlot.AlignedData; readonly series: uPlot.Series[] } {
    const { smoothing } = this.view;
    const series: uPlot.Series[] = [];
    const tables: uPlot.AlignedData[] = [];
    for (const line of this.lines) {
      const stroke = lineColour(line.colour);
      const isSmoothed = smoothing > 0 && line.error === undefined;
      const columns: (readonly (number | null)[])[] = [];
      if (isSmoothed) {
        columns.push(line.y);
        series.push({
          label: 'measured',
          class: 'hidden',
          stroke,
          alpha: 0.25,
          width: 1,
          points: { show: false },
          spanGaps: true,
        });
      }
      columns.push(isSmoothed ? smooth(line.y, smoothing) : line.y);
      series.push(this.lineSeries(line, stroke));
      columns.push(line.error ?? line.y.map(() => null));
      series.push({ label: 'error', class: 'hidden', show: false, scale: 'y' });
      tables.push([line.x as number[], ...(columns as (number | null)[][])]);
    }
    return { data: uPlot.join(tables), series };
  }

  private lineSeries(line: Line, stroke: string): uPlot.Series {
    const seen = line.y.filter((value) => value !== null);
    return {
      label: line.label,
      stroke,
      width: 1.75,
      dash: [...dashes[line.dash % dashes.length]!],
      spanGaps: true,
      points: { show: seen.length <= maxMarked, size: 5, fill: stroke },
      value: (_, value, __, index) => write(index === null ? seen.at(-1) : value, this.options.format),
    };
  }

  private axisSeries(): uPlot.Series {
    const { axis, axisFormat } = this.view;
    return { label: axis, value: (_, value, __, index) => (index === null ? 'last' : write(value, axisFormat)) };
  }

  /** Of what is in view, error bars included. */
  private range(plot: uPlot): [number, number] {
    const [from, to] = plot.series[0]!.idxs ?? [0, plot.data[0].length - 1];
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let s = 1; s < plot.series.length; ++s) {
      if (plot.series[s]!.show !== true) continue;
      const [values, errors] = [plot.data[s]!, plot.series[s + 1]?.label === 'error' ? plot.data[s + 1] : undefined];
      for (let i = from; i <= to; ++i) {
        const value = values[i];
        if (value === null || value === undefined) continue;
        const error = errors?.[i] ?? 0;
        low = Math.min(low, value - error);
        high = Math.max(high, value + error);
      }
    }
    return low > high ? [0, 1] : axisRange(low, high, this.options.format);
  }

  private drawErrors(plot: uPlot): void {
    const { ctx } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(plot.bbox.left, plot.bbox.top, plot.bbox.width, plot.bbox.height);
    ctx.clip();
    for (let s = 1; s + 1 < plot.series.length; ++s) {
      const series = plot.series[s]!;
      if (plot.series[s + 1]!.label !== 'error' || series.show !== true) continue;
      ctx.strokeStyle = typeof series.stroke === 'function' ? String(series.stroke(plot, s)) : 'currentColor';
      drawBars(plot, plot.data[s]!, plot.data[s + 1]!);
    }
    ctx.restore();
  }

  private fillTable(): void {
    const rows = [...new Set(this.lines.flatMap(({ x, y }) => x.filter((_, i) => y[i] !== null)))].sort(
      (a, b) => a - b,
    );
    const step = Math.max(1, Math.ceil(rows.length / maxTableRows));
    const shown = rows.filter((_, i) => i % step === 0 || i === rows.length - 1);
    const { format } = this.options;
    const cells = (line: Line, x: number): string => {
      const at = line.x.indexOf(x);
      const error = line.error?.[at];
      return `${write(line.y[at], format)}${typeof error === 'number' ? ` ± ${write(error, format)}` : ''}`;
    };
    replace(
      this.table,
      step === 1 ? null : h('p', { class: 'note' }, `Every ${step}th of ${rows.length} rows.`),
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, this.view.axis),
            this.lines.map((line) => h('th', { scope: 'col' }, ...untrusted(line.label))),
          ),
        ),
        h(
          'tbody',
          {},
          shown.map((x) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, write(x, this.view.axisFormat)),
              this.lines.map((line) => h('td', {}, cells(line, x))),
            ),
          ),
        ),
      ),
    );
  }
}

/** Where it was zoomed to; undefined when all is in view. */
function zoomOf(plot: uPlot): { min: number; max: number } | undefined {
  const { min, max } = plot.scales.x!;
  const x = plot.data[0];
  if (min === undefined || max === undefined || min === null || max === null || x.length === 0) return undefined;
  return min > x[0]! || max < x.at(-1)! ? { min, max } : undefined;
}

function drawBars(
  plot: uPlot,
  values: ArrayLike<number | null | undefined>,
  errors: ArrayLike<number | null | undefined>,
): void {
  const { ctx } = plot;
  const scale = devicePixelRatio;
  const bars = Array.from(errors).filter((error) => typeof error === 'number').length;
  const cap = plot.bbox.width / Math.max(1, bars) > capRoom * scale ? 3 * scale : 0;
  ctx.lineWidth = scale;
  ctx.setLineDash([]);
  ctx.beginPath();
  for (let i = 0; i < errors.length; ++i) {
    const [value, error] = [values[i], errors[i]];
    if (typeof value !== 'number' || typeof error !== 'number') continue;
    const x = Math.round(plot.valToPos(plot.data[0][i]!, 'x', true));
    const [low, high] = [value - error, value + error].map((end) => Math.round(plot.valToPos(end, 'y', true))) as [
      number,
      number,
    ];
    ctx.moveTo(x, low);
    ctx.lineTo(x, high);
    for (const end of cap > 0 ? [low, high] : []) {
      ctx.moveTo(x - cap, end);
      ctx.lineTo(x + cap, end);
    }
  }
  ctx.stroke();
}

/** Pixels of a y axis: at the least, beside its labels, and of a character of them. */
const [minAxis, axisMargin, digit] = [62, 18, 7];
/** Steps of an axis of bytes: 1 B to 512 TiB. */
const powersOfTwo = Array.from({ length: 50 }, (_, power) => 2 ** power);

/** Axes in the colours of the theme. */
export function axes(format: Format, axisFormat: Format): uPlot.Axis[] {
  const common = {
    stroke: colour('--muted'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: colour('--grid'), width: 1 },
    ticks: { stroke: colour('--grid'), width: 1, size: 5 },
  };
  return [
    {
      ...common,
      size: 34,
      values: (_, splits) =>
        splits.map((value) => (axisFormat === 'whole' && !Number.isInteger(value) ? '' : write(value, axisFormat))),
    },
    {
      ...common,
      size: (_, labels) =>
        Math.max(minAxis, axisMargin + digit * Math.max(...(labels ?? ['']).map(({ length }) => length))),
      values: (_, splits) =>
        splits.map((value) => (format === 'whole' && !Number.isInteger(value) ? '' : write(value, format))),
      ...(format === 'bytes' ? { incrs: powersOfTwo } : {}),
    },
  ];
}
