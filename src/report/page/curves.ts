/** The section of curves: one chart a quantity, with a line for every run and metric in it. */
import type { RunData } from '../data.js';
import { type ChartEntry, chartGroups, errorOf, lineLabel, uncharted } from './catalogue.js';
import { type ChartView, LineChart } from './chart.js';
import { field, h, replace, select } from './dom.js';
import type { Line } from './line.js';

type Axis = 'rollout' | 'hours' | 'tokens';

const axisNames: readonly (readonly [Axis, string])[] = [
  ['rollout', 'rollout'],
  ['hours', 'hours'],
  ['tokens', 'tokens trained on'],
];
const phases = ['sampling', 'scoring', 'update', 'evaluation'].map((phase) => `seconds/${phase}`);
/** Smoothing of a run this long, to begin with. */
const longRun = 200;

export class Curves {
  readonly element: HTMLElement;
  private readonly grid = h('div');
  private readonly charts = new Map<string, { readonly entry: ChartEntry; readonly chart: LineChart }>();
  private axis: Axis = 'rollout';
  private smoothing: number;
  private shown: ReadonlySet<number>;

  constructor(private runs: readonly RunData[]) {
    this.shown = new Set(runs.keys());
    this.smoothing = runs.some(({ done }) => done > longRun) ? 0.9 : 0;
    this.element = h(
      'section',
      { id: 'curves', 'aria-labelledby': 'curves-title' },
      h('h2', { id: 'curves-title' }, 'Curves'),
      this.controls(),
      this.grid,
    );
    this.layOut();
  }

  set(runs: readonly RunData[]): void {
    this.runs = runs;
    if ([...this.wanted()].some(([title]) => !this.charts.has(title))) this.layOut();
    else this.draw();
  }

  choose(shown: ReadonlySet<number>): void {
    this.shown = shown;
    this.draw();
  }

  private controls(): HTMLElement {
    const smoothing = h('input', {
      type: 'range',
      min: 0,
      max: 0.99,
      step: 0.01,
      value: this.smoothing,
      oninput: () => {
        this.smoothing = Number(smoothing.value);
        this.draw();
      },
    });
    const axis = select(axisNames, this.axis, (value) => {
      this.axis = value as Axis;
      this.draw();
    });
    return h(
      'div',
      { class: 'controls no-print' },
      field('Over', axis),
      field('Smoothing', smoothing),
      h('p', { class: 'note' }, 'Drag over a chart to look closer at all of them, double-click to see all.'),
    );
  }

  /** Titles of the charts that have something to show. */
  private wanted(): Map<string, { readonly group: string; readonly entry: ChartEntry }> {
    const names = new Set(
      this.runs.flatMap(({ metrics, timings }) => [...Object.keys(metrics), ...Object.keys(timings)]),
    );
    const found = new Map<string, { readonly group: string; readonly entry: ChartEntry }>();
    const taken = new Set<string>();
    for (const { title: group, charts } of chartGroups) {
      for (const entry of charts) {
        const own = [...names].filter((name) => entry.metrics.some((form) => form.test(name)));
        if (own.length > 0) found.set(entry.title, { group, entry });
        for (const name of own) taken.add(name);
      }
    }
    for (const name of [...names].sort()) {
      if (taken.has(name) || uncharted.test(name) || this.isConstantZero(name)) continue;
      const entry: ChartEntry = { title: name, note: '', format: 'number', metrics: [exactly(name)] };
      found.set(name, { group: 'Other metrics', entry });
    }
    return found;
  }

  /** Such as steps that were skipped: worth a chart when there were any. */
  private isConstantZero(name: string): boolean {
    return this.runs.every(({ metrics, timings }) =>
      (metrics[name] ?? timings[name] ?? []).every((value) => (value ?? 0) === 0),
    );
  }

  private layOut(): void {
    for (const { chart } of this.charts.values()) chart.close();
    this.charts.clear();
    const groups = new Map<string, HTMLElement[]>();
    for (const [title, { group, entry }] of this.wanted()) {
      const chart = new LineChart(entry);
      this.charts.set(title, { entry, chart });
      groups.set(group, [...(groups.get(group) ?? []), chart.element]);
    }
    replace(
      this.grid,
      [...groups].map(([title, elements]) =>
        h('div', { class: 'group' }, h('h3', {}, title), h('div', { class: 'grid' }, elements)),
      ),
      groups.size === 0 ? h('p', {}, 'There are no metrics yet.') : null,
    );
    this.draw();
  }

  private draw(): void {
    const axisName = axisNames.find(([axis]) => axis === this.axis)![1];
    const axisFormat = this.axis === 'hours' ? 'number' : 'whole';
    const view: ChartView = { axis: axisName, axisFormat, smoothing: this.smoothing };
    const axes = this.runs.map((run) => axisOf(run, this.axis));
    for (const { entry, chart } of this.charts.values()) chart.set(this.linesOf(entry, axes), view);
  }

  /** Runs are told apart by colour, and the metrics of one chart by dashes; of a single run, by colour. */
  private linesOf({ metrics: forms }: ChartEntry, axes: readonly RunAxis[]): Line[] {
    const names = [
      ...new Set(this.runs.flatMap(({ metrics, timings }) => [...Object.keys(metrics), ...Object.keys(timings)])),
    ];
    const own = forms.flatMap((form) => names.filter((name) => form.test(name)));
    const isOne = this.runs.length === 1;
    return this.runs.flatMap((run, r) => {
      if (!this.shown.has(r)) return [];
      return own.flatMap((name, k): Line[] => {
        const table = run.metrics[name] === undefined ? run.timings : run.metrics;
        const y = table[name];
        if (y === undefined) return [];
        const error = table[errorOf(name)];
        const label = lineLabel(name);
        const what = own.length === 1 ? run.name : `${run.name}: ${label}`;
        return [
          {
            label: isOne ? label : what,
            x: table === run.timings ? axes[r]!.timings : axes[r]!.metrics,
            y,
            ...(error === undefined ? {} : { error }),
            colour: isOne ? k : r,
            dash: isOne ? 0 : k,
          },
        ];
      });
    });
  }
}

interface RunAxis {
  readonly metrics: readonly number[];
  readonly timings: readonly number[];
}

/** Where the rows of a run's logs stand on an axis. What a rollout without timings took is not known: it stands where the one before does. */
function axisOf({ metrics, timings }: RunData, axis: Axis): RunAxis {
  const rollouts = (table: RunData['metrics']): number[] => (table.rollout ?? []).map((rollout) => rollout ?? 0);
  const own = { metrics: rollouts(metrics), timings: rollouts(timings) };
  if (axis === 'rollout') return own;
  const parts = axis === 'hours' ? phases : ['tokens/trained'];
  const unit = axis === 'hours' ? 3600 : 1;
  const at = new Map<number, number>();
  let sum = 0;
  for (const [i, rollout] of own.timings.entries()) {
    for (const part of parts) sum += (timings[part]?.[i] ?? 0) / unit;
    at.set(rollout, sum);
  }
  const place = (rows: readonly number[]): number[] => {
    let last = 0;
    return rows.map((rollout) => {
      last = at.get(rollout) ?? last;
      return last;
    });
  };
  return { metrics: place(own.metrics), timings: place(own.timings) };
}

const exactly = (name: string): RegExp => new RegExp(`^${name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
