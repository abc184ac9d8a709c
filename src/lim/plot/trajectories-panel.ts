/** Trajectories against the average curve, as figure 2 of the paper. */
import type { Trajectories } from '../trajectories.js';
import { averageColour, shade } from './colour.js';
import { axes, type Box, element, linearScale, polyline, text } from './svg.js';

/** Trajectories that are drawn: evenly over the ranks of their scores, so that every kind is seen. */
const maxDrawn = 48;
/** The palest line has the score below which this share of the prompts is; the deepest one has 1. */
const paleShare = 0.1;

export function trajectoriesPanel(
  box: Box,
  trajectories: Trajectories,
  scores: Float64Array,
  average: Float64Array,
  signal: string,
): string {
  const { epochs } = trajectories;
  const order = Array.from(scores.keys()).sort((a, b) => scores[a]! - scores[b]!);
  const count = Math.min(maxDrawn, order.length);
  const drawn = Array.from({ length: count }, (_, i) => order[Math.floor(((i + 0.5) * order.length) / count)]!);
  const x = linearScale([1, Math.max(2, epochs)], [box.x, box.x + box.width]);
  const y = linearScale(rangeOf(trajectories), [box.y + box.height, box.y]);
  const line = (row: Float64Array) => Array.from(row, (value, k) => [x(k + 1), y(value)] as const);
  const lowest = scores[order[Math.floor(order.length * paleShare)]!]!;
  const colour = (score: number) => shade(lowest < 1 ? (score - lowest) / (1 - lowest) : 1);
  return [
    axes(box, { x, y }, { title: 'Trajectories and their average', x: 'epoch', y: `mean ${signal}` }, true),
    ...drawn.map((i) =>
      polyline(line(trajectories.row(i)), {
        stroke: colour(scores[i]!),
        'stroke-width': '1.2',
        'stroke-opacity': '0.8',
        'stroke-linejoin': 'round',
      }),
    ),
    polyline(line(average), { stroke: 'white', 'stroke-width': '6', 'stroke-linejoin': 'round' }),
    polyline(line(average), { stroke: averageColour, 'stroke-width': '3', 'stroke-linejoin': 'round' }),
    legend(box, { total: trajectories.length, drawn: count, lowest }),
  ].join('\n');
}

function rangeOf({ values }: Trajectories): readonly [number, number] {
  let [low, high] = [0, 1];
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

interface Drawn {
  readonly total: number;
  readonly drawn: number;
  readonly lowest: number;
}

function legend(box: Box, { total, drawn, lowest }: Drawn): string {
  const y = box.y + box.height + 62;
  const blocks = Array.from({ length: 24 }, (_, i) =>
    element('rect', { x: box.x + 202 + i * 4, y: y - 9, width: 4.2, height: 9, fill: shade(i / 23) }),
  );
  return [
    element('line', { x1: box.x, x2: box.x + 22, y1: y - 4, y2: y - 4, stroke: averageColour, 'stroke-width': '3' }),
    text(box.x + 28, y, 'average'),
    text(box.x + 194, y, `LIM score ${lowest.toFixed(2)}`, { 'text-anchor': 'end' }),
    ...blocks,
    text(box.x + 304, y, '1'),
    text(box.x + box.width, y, `${drawn} of ${total} drawn`, { 'text-anchor': 'end' }),
  ].join('\n');
}
