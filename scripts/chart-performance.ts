/**
 * Draws what bench/peers.bench.ts measured: cost against batch, context and model size.
 *
 *   npx tsx scripts/chart-performance.ts docs/performance.svg bench/results/<date>-cpu-*.jsonl...
 *
 * Dashed lines say what would be linear, or what counting predicts: a decode step in proportion to its sequences, where it is flatter the
 * weights are read, not multiplied; a prompt's time by its flop (src/plan/time.ts), through the shortest; a token in proportion to the weights.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { prefillWork } from '../src/bench/model-cases.js';
import { modelShape, shapeConfig, shapes } from '../src/bench/shapes.js';
import { averageColour, selectedColour } from '../src/lim/plot/colour.js';
import {
  axes,
  type Box,
  element,
  linearScale,
  type Mark,
  polyline,
  px,
  type Scale,
  text,
} from '../src/lim/plot/svg.js';

interface Row {
  readonly suite: string;
  readonly case: string;
  readonly model: string;
  readonly parameters: number;
  readonly threads: number;
  readonly isa: string;
  readonly amount: number;
  readonly median_s: number;
}
type Point = readonly [x: number, y: number];
interface Line {
  readonly label: string;
  readonly points: readonly Point[];
  readonly dashed?: boolean;
}

const [to, ...from] = process.argv.slice(2);
if (to === undefined || from.length === 0) throw new Error('usage: chart-performance.ts picture.svg results.jsonl...');
const rows = from
  .flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
  .map((line) => JSON.parse(line) as Row)
  .filter(({ isa }) => isa === 'best')
  .filter((row, i, all) => all.findIndex((other) => other.model === row.model && other.case === row.case) === i);

const colours = [selectedColour, '#2e9e6b', '#8e5bb5', '#d98324', '#52606d', '#b5495b'];
const models = [...new Set(rows.map(({ model }) => model))].sort();
const byFirst = (a: Point, b: Point) => a[0] - b[0];

/** "decode b16 c512" -> [16, 512] */
function decodeSize({ case: name }: Row): readonly [batch: number, context: number] {
  const [, batch, context] = /^decode b(\d+) c(\d+)$/.exec(name) ?? [];
  return [Number(batch), Number(context)];
}
const prefillLength = ({ case: name }: Row) => Number(/^prefill (\d+)$/.exec(name)?.[1]);

/** Milliseconds of a decode step by batch, a line for each model and context. */
function batchLines(): Line[] {
  const lines = models.flatMap((model) => {
    const own = rows.filter((row) => row.suite === 'decode' && row.model === model);
    const contexts = [...new Set(own.map((row) => decodeSize(row)[1]))].sort((a, b) => a - b);
    return contexts.map((context) => {
      const points = own
        .filter((row) => decodeSize(row)[1] === context)
        .map((row): Point => [Math.log2(decodeSize(row)[0]), Math.log10(1000 * row.median_s)]);
      return { label: `${model}, ${context} tokens`, points: points.sort(byFirst) };
    });
  });
  const last = lines[0]?.points.at(-1);
  if (last === undefined) return [];
  // log10 of a doubling, for each doubling of the batch.
  const half: Point = [last[0] - 3, last[1] - 3 * Math.log10(2)];
  return [...lines, { label: '', points: [half, last], dashed: true }];
}

/** Microseconds a token of a prompt by its length, and what its flop predict. */
function contextLines(): Line[] {
  return models.flatMap((model) => {
    const own = rows.filter((row) => row.suite === 'prefill' && row.model === model);
    const points = own.map((row): Point => [prefillLength(row), (1e6 * row.median_s) / row.amount]).sort(byFirst);
    const [first] = points;
    if (first === undefined) return [];
    const lines: Line[] = [{ label: model, points }];
    if (points.length < 2 || !Object.hasOwn(shapes, model)) return lines;
    const shape = modelShape(shapeConfig(model), model);
    const perToken = (length: number) => prefillWork(shape, length).flops / length;
    const predicted = points.map(([length]): Point => [length, (first[1] * perToken(length)) / perToken(first[0])]);
    return [...lines, { label: '', points: predicted, dashed: true }];
  });
}

/** Microseconds a token by the weights that multiply it, a line a suite. */
function sizeLines(): Line[] {
  const kinds = [
    { label: 'training', take: (row: Row) => row.suite === 'train' },
    { label: 'prefill, 512 tokens', take: (row: Row) => row.case === 'prefill 512' },
    { label: 'decode, one sequence', take: (row: Row) => row.suite === 'decode' && decodeSize(row)[0] === 1 },
  ];
  return kinds.flatMap(({ label, take }) => {
    const points = new Map<number, number>();
    for (const row of rows.filter(take)) {
      const cost = Math.log10((1e6 * row.median_s) / row.amount);
      points.set(row.parameters, Math.min(cost, points.get(row.parameters) ?? Number.POSITIVE_INFINITY));
    }
    const line = [...points].map(([size, cost]): Point => [Math.log10(size / 1e6), cost]).sort(byFirst);
    const [first, last] = [line[0], line.at(-1)];
    if (first === undefined || last === undefined) return [];
    const linear: Point[] = [
      [first[0], last[1] - (last[0] - first[0])],
      [last[0], last[1]],
    ];
    return [
      { label, points: line },
      { label: '', points: linear, dashed: true },
    ];
  });
}

interface Words {
  readonly title: string;
  readonly x: string;
  readonly y: string;
}
/** Axes that hold logarithms, labelled with what they are of. */
interface Logarithms {
  readonly x?: 2 | 10;
  readonly y?: 10;
}

/** 1, 2, 4, 8 ... or 1, 2, 5, 10, 20 ... within a domain of logarithms. */
function marksOf(base: 2 | 10, [low, high]: readonly [number, number]): Mark[] {
  const steps = base === 2 ? [1] : [1, 2, 5];
  const marks: Mark[] = [];
  for (let power = Math.floor(low); power <= high; power += 1) {
    for (const step of steps) {
      const at = power + Math.log10(step);
      if (at >= low && at <= high) marks.push([at, String(Number((step * base ** power).toPrecision(3)))]);
    }
  }
  return marks;
}

const withMarks = (scale: Scale, base: 2 | 10 | undefined): Scale =>
  base === undefined ? scale : Object.assign(scale, { marks: marksOf(base, scale.domain) });

function panel(box: Box, lines: readonly Line[], words: Words, logarithms: Logarithms = {}): string {
  const all = lines.flatMap(({ points }) => points);
  if (all.length === 0) return text(box.x, box.y, `${words.title}: not measured`);
  const span = (at: 0 | 1, zero: boolean): [number, number] => {
    const values = all.map((point) => point[at]);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const room = Math.max(0.05 * (high - low), 0.02);
    return [zero ? 0 : low - room, high + room];
  };
  const x = withMarks(linearScale(span(0, logarithms.x === undefined), [box.x, box.x + box.width]), logarithms.x);
  const y = withMarks(linearScale(span(1, logarithms.y === undefined), [box.y + box.height, box.y]), logarithms.y);
  const drawn = lines.filter(({ dashed }) => dashed !== true);
  const colour = (line: Line) => colours[Math.max(0, drawn.indexOf(line)) % colours.length]!;
  return [
    axes(box, { x, y }, words),
    ...lines.map((line) => draw(line, x, y, line.dashed ? averageColour : colour(line))),
    ...drawn.map((line, i) => {
      const top = box.y + box.height + 62 + 18 * i;
      const mark = element('rect', { x: box.x, y: top - 5, width: 14, height: 3, fill: colour(line) });
      return mark + text(box.x + 20, top, line.label);
    }),
  ].join('\n');
}

function draw({ points, dashed }: Line, x: Scale, y: Scale, colour: string): string {
  const places = points.map(([a, b]): Point => [x(a), y(b)]);
  if (dashed) return polyline(places, { stroke: colour, 'stroke-width': '1.5', 'stroke-dasharray': '5 4' });
  const dots = places.map(([cx, cy]) => element('circle', { cx, cy, r: 3.5, fill: colour }));
  return [polyline(places, { stroke: colour, 'stroke-width': '2' }), ...dots].join('\n');
}

const panels = [batchLines(), contextLines(), sizeLines()] as const;
const most = Math.max(...panels.map((lines) => lines.filter(({ dashed }) => dashed !== true).length));
const [width, height] = [1260, 410 + 18 * most];
const heading = `Cost against batch, context and model size, ${rows[0]?.threads} threads`;
const style =
  'text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif}' +
  'text.head{font-size:16px;font-weight:600;fill:#1f2933}text.title{font-weight:600;fill:#1f2933}';
const box = (i: number): Box => ({ x: 70 + 410 * i, y: 80, width: 330, height: 260 });
const content = [
  '',
  element('title', {}, heading),
  element('style', {}, style),
  element('rect', { width, height, fill: 'white' }),
  text(24, 34, heading, { class: 'head' }),
  panel(box(0), panels[0], { title: 'A decode step', x: 'sequences', y: 'milliseconds' }, { x: 2, y: 10 }),
  panel(box(1), panels[1], { title: 'A token of a prompt', x: 'tokens of the prompt', y: 'microseconds' }),
  panel(box(2), panels[2], { title: 'A token, by model', x: 'million weights', y: 'microseconds' }, { x: 10, y: 10 }),
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
