/** Which share of one method's selection another method selects too. */
import type { Overlap } from '../overlap.js';
import { shade } from './colour.js';
import { type Box, element, text } from './svg.js';

/** Width of a cell by its height. */
const cellAspect = 2.6;

export function overlapPanel(box: Box, { methods, shares }: Overlap): string {
  const size = box.height / methods.length;
  const cells = shares.flatMap((row, a) =>
    row.flatMap((share, b) => {
      const [x, y] = [box.x + b * size * cellAspect, box.y + a * size];
      return [
        element('rect', { x, y, width: size * cellAspect - 2, height: size - 2, rx: 3, fill: shade(share) }),
        text(x + (size * cellAspect) / 2 - 1, y + size / 2 + 3, `${(100 * share).toFixed(0)}%`, {
          'text-anchor': 'middle',
          fill: share > 0.45 ? 'white' : '#323f4b',
        }),
      ];
    }),
  );
  return [
    text(box.x, box.y - 34, 'Overlap: of what the row selects, the share that the column selects too', {
      class: 'title',
    }),
    ...methods.map((name, a) => text(box.x - 8, box.y + (a + 0.5) * size + 3, name, { 'text-anchor': 'end' })),
    ...methods.map((name, b) =>
      text(box.x + (b + 0.5) * size * cellAspect, box.y - 8, name, { 'text-anchor': 'middle' }),
    ),
    ...cells,
  ].join('\n');
}
