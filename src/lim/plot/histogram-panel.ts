/** How scores are spread, and which are selected. */

import { binEdges } from '../bins.js';
import { averageColour, otherColour, selectedColour } from './colour.js';
import { axes, type Box, element, linearScale, text } from './svg.js';

/**
 * @param scores NaN = none
 * @param selected rows of them
 */
export function histogramPanel(
  box: Box,
  scores: Float64Array,
  selected: Int32Array,
  threshold: number | undefined,
  name: string,
): string {
  const chosen = new Set(selected);
  const known = [...scores.keys()].filter((row) => !Number.isNaN(scores[row]));
  const values = known.map((row) => scores[row]!);
  const edges = binEdges(values, threshold);
  const [low, width] = [edges[0]!, edges[1]! - edges[0]!];
  const bins = edges.slice(1).map(() => ({ chosen: 0, others: 0 }));
  for (const row of known) {
    const at = Math.min(bins.length - 1, Math.max(0, Math.floor((scores[row]! - low) / width + 1e-9)));
    bins[at]![chosen.has(row) ? 'chosen' : 'others'] += 1;
  }
  const tallest = Math.max(1, ...bins.map((bin) => bin.chosen + bin.others));
  const x = linearScale([low, edges.at(-1)!], [box.x, box.x + box.width]);
  const y = linearScale([0, tallest * 1.05], [box.y + box.height, box.y]);
  const bar = (i: number, from: number, to: number, fill: string) =>
    to === from
      ? ''
      : element('rect', {
          x: x(edges[i]!) + 0.5,
          y: y(to),
          width: x(edges[i + 1]!) - x(edges[i]!) - 1,
          height: y(from) - y(to),
          fill,
        });
  return [
    axes(box, { x, y }, { title: 'Scores', x: `${name} score`, y: 'prompts' }),
    ...bins.flatMap((bin, i) => [
      bar(i, 0, bin.chosen, selectedColour),
      bar(i, bin.chosen, bin.chosen + bin.others, otherColour),
    ]),
    ...(threshold === undefined ? [] : [marker(box, x(threshold), `threshold ${threshold}`)]),
    legend(box, selected.length, known.length - selected.length, scores.length - known.length),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

const marker = (box: Box, x: number, words: string): string =>
  element('line', {
    x1: x,
    x2: x,
    y1: box.y,
    y2: box.y + box.height,
    stroke: averageColour,
    'stroke-width': '1.5',
    'stroke-dasharray': '5 4',
  }) + text(x - 6, box.y + 10, words, { 'text-anchor': 'end', fill: averageColour });

function legend(box: Box, selected: number, others: number, unscored: number): string {
  const y = box.y + box.height + 62;
  const square = (x: number, fill: string) => element('rect', { x, y: y - 9, width: 10, height: 10, fill });
  return [
    square(box.x, selectedColour),
    text(box.x + 15, y, `selected ${selected}`),
    square(box.x + 120, otherColour),
    text(box.x + 135, y, `others ${others}`),
    text(box.x + box.width, y, `without a score ${unscored}`, { 'text-anchor': 'end' }),
  ].join('\n');
}
