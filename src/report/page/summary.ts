/** The section at the top: of every run, how far it is and what came of it. */
import type { Columns, RunData } from '../data.js';
import { lineLabel } from './catalogue.js';
import { h, replace, untrusted } from './dom.js';
import { count, duration, type Format, write } from './numbers.js';

const phases = ['sampling', 'scoring', 'update', 'evaluation'];

export class Summary {
  readonly element = h('section', { id: 'summary', 'aria-label': 'Summary' });

  constructor(
    runs: readonly RunData[],
    private readonly onChoice: (shown: ReadonlySet<number>) => void,
  ) {
    this.set(runs);
  }

  private hidden = new Set<number>();

  set(runs: readonly RunData[]): void {
    replace(
      this.element,
      h(
        'div',
        { class: 'grid' },
        runs.map((run, i) => this.card(run, i, runs.length)),
      ),
    );
  }

  private card(run: RunData, index: number, runs: number): HTMLElement {
    const { name, done, rollouts, samples, notes, record } = run;
    const progress = rollouts === null ? `${count(done)} rollouts` : `${count(done)} of ${count(rollouts)} rollouts`;
    const began = record?.about.started;
    return h(
      'article',
      { class: 'card' },
      h('h2', { class: 'run-name' }, runs === 1 ? null : this.check(index, runs), ...untrusted(name)),
      h(
        'p',
        { class: 'note' },
        [
          progress,
          typeof began === 'string' ? `, begun ${began.slice(0, 16).replace('T', ' ')} UTC` : '',
          `, ${count(samples.totals.train)} samples`,
        ].join(''),
      ),
      h(
        'dl',
        { class: 'numbers' },
        numbers(run).flatMap(([label, value]) => [h('dt', {}, ...untrusted(label)), h('dd', {}, value)]),
      ),
      notes.length === 0
        ? null
        : h(
            'ul',
            { class: 'notes' },
            notes.map((note) => h('li', {}, ...untrusted(note))),
          ),
    );
  }

  /** Whether a run is in the curves, with its colour. */
  private check(index: number, runs: number): HTMLElement {
    const box = h('input', {
      type: 'checkbox',
      checked: !this.hidden.has(index),
      'aria-label': 'in the curves',
      onchange: () => {
        if (box.checked) this.hidden.delete(index);
        else this.hidden.add(index);
        this.onChoice(new Set(Array.from({ length: runs }, (_, i) => i).filter((i) => !this.hidden.has(i))));
      },
    });
    const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' });
    swatch.style.backgroundColor = `var(--line-${index % 8})`;
    return h('span', {}, box, swatch);
  }
}

function numbers({ metrics, timings }: RunData): (readonly [string, string])[] {
  const found: (readonly [string, string])[] = [];
  for (const name of Object.keys(metrics)) {
    if (!/^eval\/.+\/accuracy$/.test(name)) continue;
    found.push([`accuracy, ${lineLabel(name)}`, course(metrics, name, 'share', `${name}_se`)]);
  }
  const add = (label: string, name: string, format: Format) => {
    if (metrics[name] !== undefined) found.push([label, course(metrics, name, format)]);
  };
  add('reward in training', 'reward/mean', 'number');
  add('accuracy in training', 'reward/accuracy', 'share');
  add('length in tokens', 'length/mean', 'number');
  const seconds = phases.reduce((sum, phase) => sum + total(timings[`seconds/${phase}`]), 0);
  const sampled = total(timings['seconds/sampling']);
  if (seconds > 0) found.push(['time', duration(seconds)]);
  if (sampled > 0) found.push(['sampling', `${count(total(timings['tokens/generated']) / sampled)} tokens/s`]);
  const memory = last(timings['memory/peak_rss_bytes']);
  if (memory !== undefined) found.push(['peak memory', write(memory, 'bytes')]);
  return found;
}

/** First and last value: "61% ± 2% → 91% ± 1.2%". */
function course(columns: Columns, name: string, format: Format, errors?: string): string {
  const values = columns[name]!;
  const at = (i: number): string => {
    const error = errors === undefined ? null : columns[errors]?.[i];
    return `${write(values[i], format)}${typeof error === 'number' ? ` ± ${write(error, format)}` : ''}`;
  };
  const [first, final] = [values.findIndex((value) => value !== null), values.findLastIndex((value) => value !== null)];
  return first === final ? at(final) : `${at(first)} → ${at(final)}`;
}

const total = (values: readonly (number | null)[] | undefined): number =>
  (values ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0);

const last = (values: readonly (number | null)[] | undefined): number | undefined =>
  values?.findLast((value) => value !== null) ?? undefined;
