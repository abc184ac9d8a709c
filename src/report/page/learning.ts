/** The section of learning impact: trajectories against their average, how scores are spread, which prompts are kept. */
import uPlot from 'uplot';
import type { Learning, NoLearning, RunData, ScoredRow } from '../data.js';
import { axisRange } from './axis-range.js';
import { axes } from './chart.js';
import { field, h, replace, select, untrusted } from './dom.js';
import { count, short } from './numbers.js';
import { colour, onTheme } from './theme.js';

/** Trajectories that are drawn: evenly over the ranks of their scores, so that every kind is seen. */
const maxDrawn = 48;
const height = 300;
/** Rows of the table, to begin with and more each time. */
const pageRows = 25;

type Kept = 'all' | 'kept' | 'dropped';

export class LearningSection {
  readonly element: HTMLElement;
  private readonly body = h('div');
  private readonly status = h('p', { class: 'note', role: 'status' });
  private readonly table = h('div', {
    class: 'scroll',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Prompts by their scores',
  });
  private readonly trajectories = new Drawing((place, width) => this.drawTrajectories(place, width));
  private readonly histogram = new Drawing((place, width) => this.drawHistogram(place, width));
  private run = 0;
  private kept: Kept = 'all';
  private text = '';
  private rows = pageRows;
  private marked: ScoredRow | undefined;

  constructor(private runs: readonly RunData[]) {
    this.element = h(
      'section',
      { id: 'learning', 'aria-labelledby': 'learning-title' },
      h('h2', { id: 'learning-title' }, 'Learning impact of the prompts'),
      this.chooser(),
      this.body,
    );
    this.layOut();
  }

  set(runs: readonly RunData[]): void {
    const before = this.learning;
    this.runs = runs;
    if (before !== this.learning) this.layOut();
  }

  private get learning(): Learning | NoLearning {
    return this.runs[this.run]!.learning;
  }

  private chooser(): HTMLElement | null {
    if (this.runs.length === 1) return null;
    const choice = select(
      this.runs.map(({ name }, i) => [String(i), name] as const),
      '0',
      (value) => {
        this.run = Number(value);
        this.layOut();
      },
    );
    return h('div', { class: 'controls no-print' }, field('Run', choice));
  }

  private layOut(): void {
    const { learning } = this;
    this.marked = undefined;
    this.rows = pageRows;
    if ('absent' in learning) {
      replace(this.body, h('p', {}, ...untrusted(learning.absent)));
      return;
    }
    const { epochs, method, signal, rule, source, prompts, complete, scored, kept } = learning;
    const words =
      `${method.toUpperCase()} by ${signal} after ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'}: ` +
      `${count(kept)} of ${count(scored)} prompts are kept (${rule}). ` +
      `${count(prompts)} were sampled, ${count(complete)} of them in every epoch. Scores: ${source}.`;
    replace(
      this.body,
      h('p', {}, ...untrusted(words)),
      h(
        'div',
        { class: 'grid wide' },
        this.figure(
          'Trajectories and their average',
          `Mean ${signal} of a prompt's samples, epoch by epoch: the stronger the blue, the higher the score.`,
          this.trajectories,
        ),
        this.figure('Scores', 'Prompts that are kept, and those that are dropped.', this.histogram),
      ),
      this.filters(),
      this.status,
      this.table,
    );
    this.trajectories.draw();
    this.histogram.draw();
    this.fillTable();
  }

  private figure(title: string, note: string, drawing: Drawing): HTMLElement {
    return h(
      'figure',
      { class: 'card chart' },
      h('figcaption', {}, h('h3', { class: 'small-title' }, title), h('p', { class: 'note' }, note)),
      drawing.element,
    );
  }

  private filters(): HTMLElement {
    const search = h('input', {
      type: 'search',
      value: this.text,
      oninput: () => {
        this.text = search.value;
        this.rows = pageRows;
        this.fillTable();
      },
    });
    const kinds = [
      ['all', 'kept and dropped'],
      ['kept', 'kept'],
      ['dropped', 'dropped'],
    ] as const;
    const kind = select(kinds, this.kept, (value) => {
      this.kept = value as Kept;
      this.rows = pageRows;
      this.fillTable();
    });
    return h('div', { class: 'controls no-print' }, field('Prompts', kind), field('Search', search));
  }

  private fillTable(): void {
    const { learning } = this;
    if ('absent' in learning) return;
    const wanted = this.text.toLowerCase();
    const found = learning.rows.filter(
      ({ id, prompt, kept }) =>
        (this.kept === 'all' || kept === (this.kept === 'kept')) &&
        (wanted === '' || id.toLowerCase().includes(wanted) || prompt.toLowerCase().includes(wanted)),
    );
    const shown = found.slice(0, this.rows);
    const hasWeights = learning.rows.some(({ weight }) => weight !== undefined);
    const part = learning.rows.length === learning.scored ? '' : `, evenly over the ranks of ${count(learning.scored)}`;
    this.status.textContent = `${count(found.length)} of the ${count(learning.rows.length)} prompts in this page${part}; ${count(shown.length)} are shown.`;
    const head = ['Rank', 'Score', ...(hasWeights ? ['Weight'] : []), '', 'Id', 'Prompt'];
    replace(
      this.table,
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            head.map((name) => (name === '' ? h('td') : h('th', { scope: 'col' }, name))),
          ),
        ),
        h(
          'tbody',
          {},
          shown.map((row) => this.tableRow(row, hasWeights)),
        ),
      ),
      shown.length < found.length
        ? h('button', { type: 'button', class: 'no-print', onclick: () => this.more() }, 'Show more')
        : null,
    );
  }

  private more(): void {
    this.rows *= 2;
    this.fillTable();
  }

  private tableRow(row: ScoredRow, hasWeights: boolean): HTMLElement {
    const mark = h(
      'button',
      {
        type: 'button',
        class: 'link',
        'aria-pressed': String(this.marked === row),
        disabled: row.trajectory === undefined,
        onclick: () => this.mark(row),
      },
      ...untrusted(row.id),
    );
    return h(
      'tr',
      this.marked === row ? { class: 'marked' } : {},
      h('td', { class: 'number' }, count(row.rank)),
      h('td', { class: 'number' }, short(row.score)),
      hasWeights ? h('td', { class: 'number' }, row.weight === undefined ? '' : short(row.weight)) : null,
      h('td', {}, h('span', { class: row.kept ? 'chip good' : 'chip' }, row.kept ? 'kept' : 'dropped')),
      h('td', { class: 'id' }, mark),
      h('td', { class: 'text' }, h('bdi', {}, ...untrusted(row.prompt))),
    );
  }

  private mark(row: ScoredRow): void {
    this.marked = this.marked === row ? undefined : row;
    this.trajectories.draw();
    this.fillTable();
  }

  private drawTrajectories(place: HTMLElement, width: number): uPlot | undefined {
    const { learning } = this;
    if ('absent' in learning) return undefined;
    const complete = learning.rows.filter(({ trajectory }) => trajectory !== undefined);
    const number = Math.min(maxDrawn, complete.length);
    const drawn = Array.from(
      { length: number },
      (_, i) => complete[Math.floor(((i + 0.5) * complete.length) / number)]!,
    ).reverse();
    const { marked } = this;
    const pale = { points: { show: learning.epochs === 1, size: 4 }, width: 1.2 };
    const series: uPlot.Series[] = drawn.map((_, i) => ({
      ...pale,
      stroke: shade(i / Math.max(1, number - 1)),
      class: 'hidden',
    }));
    series.push({
      label: 'average',
      stroke: colour('--average'),
      width: 3,
      points: { show: learning.epochs === 1, size: 8 },
      value: (_, v) => legend(v),
    });
    if (marked !== undefined)
      series.push({
        label: 'the prompt chosen below',
        stroke: colour('--marked'),
        width: 3,
        dash: [6, 3],
        value: (_, v) => legend(v),
      });
    const lines = [
      ...drawn.map(({ trajectory }) => trajectory!),
      learning.average,
      ...(marked === undefined ? [] : [marked.trajectory!]),
    ];
    const plot = new uPlot(
      {
        width,
        height,
        scales: {
          x: { time: false, ...(learning.epochs === 1 ? { range: [0, 2] } : {}) },
          y: { range: (_, low, high) => axisRange(low, high, learning.signal === 'accuracy' ? 'share' : 'number') },
        },
        series: [{ label: 'epoch', value: (_, value) => (value === null ? '–' : String(value)) }, ...series],
        axes: axes('number', 'whole'),
        cursor: { drag: { x: false, y: false } },
      },
      [learning.average.map((_, i) => i + 1), ...lines.map((line) => [...line])],
      place,
    );
    const about = `${number} of ${learning.complete} trajectories over ${learning.epochs} epochs; the average goes from ${short(learning.average[0]!)} to ${short(learning.average.at(-1)!)}`;
    labelCanvas(plot, `Trajectories and their average. ${about}`);
    return plot;
  }

  private drawHistogram(place: HTMLElement, width: number): uPlot | undefined {
    const { learning } = this;
    if ('absent' in learning) return undefined;
    const { histogram, threshold } = learning;
    const centres = histogram.kept.map((_, i) => histogram.low + (i + 0.5) * histogram.width);
    const all = histogram.kept.map((kept, i) => kept + histogram.dropped[i]!);
    const bars = uPlot.paths.bars!({ size: [1, 60], gap: 1 });
    const common = { paths: bars, points: { show: false }, width: 0 };
    const plot = new uPlot(
      {
        width,
        height,
        scales: {
          x: { time: false, range: [histogram.low, histogram.low + histogram.kept.length * histogram.width] },
          y: { range: (_, __, high) => [0, Math.max(1, high) * 1.18] },
        },
        series: [
          {
            label: 'score',
            value: (_, v) =>
              v === null ? '–' : `${short(v - histogram.width / 2)} to ${short(v + histogram.width / 2)}`,
          },
          {
            ...common,
            label: 'dropped',
            fill: colour('--dropped'),
            stroke: colour('--dropped'),
            value: (_, __, ___, i) => (i === null ? '–' : String(histogram.dropped[i])),
          },
          {
            ...common,
            label: 'kept',
            fill: colour('--kept'),
            stroke: colour('--kept'),
            value: (_, __, ___, i) => (i === null ? '–' : String(histogram.kept[i])),
          },
        ],
        axes: axes('whole', 'number'),
        cursor: { drag: { x: false, y: false } },
        hooks: threshold === null ? {} : { draw: [(plot) => drawThreshold(plot, threshold)] },
      },
      [centres, all, [...histogram.kept]],
      place,
    );
    labelCanvas(
      plot,
      `Scores. ${learning.kept} prompts kept, ${learning.scored - learning.kept} dropped${threshold === null ? '' : `, threshold ${threshold}`}`,
    );
    return plot;
  }
}

const legend = (value: number | null): string => (value === null ? '–' : short(value));

function drawThreshold(plot: uPlot, threshold: number): void {
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(threshold, 'x', true));
  ctx.save();
  ctx.strokeStyle = colour('--average');
  ctx.fillStyle = colour('--text');
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = `${12 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = x > bbox.left + bbox.width / 2 ? 'right' : 'left';
  ctx.fillText(` threshold ${threshold} `, x, bbox.top + 14 * devicePixelRatio);
  ctx.restore();
}

function labelCanvas(plot: uPlot, words: string): void {
  plot.ctx.canvas.setAttribute('role', 'img');
  plot.ctx.canvas.setAttribute('aria-label', words);
}

/** From the colour of a low score to that of a high one. */
function shade(share: number): string {
  const [pale, deep] = ['--pale', '--deep'].map((name) => colour(name).split(' ').map(Number)) as [number[], number[]];
  return `rgb(${pale.map((from, i) => Math.round(from + (deep[i]! - from) * share)).join(',')})`;
}

const drawings = new Set<Drawing>();
onTheme(() => {
  for (const drawing of drawings) drawing.draw();
});

/** Draws both pictures at a width; null = as wide as their places again. */
export function printDrawings(width: number | null): void {
  for (const drawing of drawings) drawing.print(width);
}

/** A plot of its own, drawn again when its place or the colours change. */
class Drawing {
  readonly element = h('div', { class: 'plot' });
  private plot: uPlot | undefined;
  private printWidth: number | null = null;

  constructor(private readonly make: (place: HTMLElement, width: number) => uPlot | undefined) {
    drawings.add(this);
    new ResizeObserver(() => {
      const width = this.element.clientWidth;
      if (width > 0 && width !== this.plot?.width) this.draw();
    }).observe(this.element);
  }

  draw(): void {
    const width = this.printWidth ?? this.element.clientWidth;
    if (width === 0) return;
    this.plot?.destroy();
    this.plot = this.make(this.element, width);
  }

  print(width: number | null): void {
    this.printWidth = width;
    this.draw();
  }
}
