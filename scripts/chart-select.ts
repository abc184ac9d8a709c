/**
 * Draws what bench/select.bench.ts measured: npx tsx scripts/chart-select.ts bench/results/<date>-cpu-select.jsonl docs/select-scale.svg.
 * Left: CPU seconds by samples on logarithmic axes, where time linear in the samples has slope 1, as the dashed line. Right: peak memory by
 * prompts.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { averageColour, otherColour, selectedColour } from '../src/lim/plot/colour.js';
import { axes, type Box, element, linearScale, polyline, px, text } from '../src/lim/plot/svg.js';

interface Row {
  readonly case: string;
  readonly prompts: number;
  readonly samples: number;
  readonly cpu_ns_per_sample: number;
  readonly peak_rss_mb: number;
}
type Point = readonly [number, number];

const [from, to] = process.argv.slice(2);
if (from === undefined || to === undefined) throw new Error('usage: chart-select.ts results.jsonl picture.svg');
const rows = readFileSync(from, 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as Row);

const series = [
  { name: 'in memory', label: 'collecting and scoring', colour: otherColour },
  { name: 'step files', label: 'and reading the step files', colour: selectedColour },
] as const;

/** @returns the points of each series, by the first coordinate */
const pointsOf = (point: (row: Row) => Point): Point[][] =>
  series.map(({ name }) =>
    rows
      .filter((row) => row.case === name)
      .map(point)
      .sort((a, b) => a[0] - b[0]),
  );

const lines = (points: readonly Point[][], x: (value: number) => number, y: (value: number) => number): string =>
  points
    .map((line, i) => {
      const places = line.map(([a, b]): Point => [x(a), y(b)]);
      const { colour } = series[i]!;
      const dots = places.map(([cx, cy]) => element('circle', { cx, cy, r: 3.5, fill: colour }));
      return [polyline(places, { stroke: colour, 'stroke-width': '2' }), ...dots].join('\n');
    })
    .join('\n');

/** Axes are in powers of ten: the ticks are the exponents' whole numbers. */
function timePanel(box: Box): string {
  const points = pointsOf(({ samples, cpu_ns_per_sample }) => [samples, (samples * cpu_ns_per_sample) / 1e9]);
  const decades = (at: 0 | 1): [number, number] => {
    const values = points.flat().map((point) => Math.log10(point[at]));
    return [Math.floor(Math.min(...values)), Math.ceil(Math.max(...values))];
  };
  const x = linearScale(decades(0), [box.x, box.x + box.width]);
  const y = linearScale(decades(1), [box.y + box.height, box.y]);
  // Slope 1 through the smallest run that was read.
  const [samples, seconds] = points[1]![0]!;
  const shift = Math.log10(seconds / samples);
  const guide = [Math.max(x.domain[0], y.domain[0] - shift), Math.min(x.domain[1], y.domain[1] - shift)];
  return [
    axes(box, { x, y }, { title: 'Time', x: 'log10 of samples', y: 'log10 of CPU seconds' }, true),
    polyline(
      guide.map((at): Point => [x(at), y(at + shift)]),
      { stroke: averageColour, 'stroke-width': '1.5', 'stroke-dasharray': '5 4' },
    ),
    lines(
      points,
      (value) => x(Math.log10(value)),
      (value) => y(Math.log10(value)),
    ),
  ].join('\n');
}

function memoryPanel(box: Box): string {
  const points = pointsOf(({ prompts, peak_rss_mb }) => [prompts / 1000, peak_rss_mb]);
  const most = (at: 0 | 1) => 1.05 * Math.max(...points.flat().map((point) => point[at]));
  const x = linearScale([0, most(0)], [box.x, box.x + box.width]);
  const y = linearScale([0, most(1)], [box.y + box.height, box.y]);
  return [axes(box, { x, y }, { title: 'Peak memory', x: 'thousand prompts', y: 'MB' }), lines(points, x, y)].join(
    '\n',
  );
}

function legend(x: number, y: number): string {
  const entries = [...series, { label: 'linear in the samples', colour: averageColour }];
  return entries
    .map(({ label, colour }, i) => {
      const left = x + 220 * i;
      const mark = element('rect', { x: left, y: y - 5, width: 14, height: 3, fill: colour });
      return mark + text(left + 20, y, label);
    })
    .join('\n');
}

const [width, height] = [1000, 440];
const heading = 'LIM over 21 epochs of 8 samples a prompt';
const style =
  'text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif}' +
  'text.head{font-size:16px;font-weight:600;fill:#1f2933}text.title{font-weight:600;fill:#1f2933}';
const content = [
  '',
  element('title', {}, heading),
  element('style', {}, style),
  element('rect', { width, height, fill: 'white' }),
  text(24, 34, heading, { class: 'head' }),
  timePanel({ x: 70, y: 80, width: 390, height: 260 }),
  memoryPanel({ x: 570, y: 80, width: 390, height: 260 }),
  legend(70, 415),
  '',
].join('\n');
const frame = {
  xmlns: 'http://www.w3.org/2000/svg',
  viewBox: `0 0 ${px(width)} ${px(height)}`,
  width,
  height,
  fill: '#52606d',
};
writeFileSync(to, `${element('svg', frame, content)}\n`);
