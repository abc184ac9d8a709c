/** One picture of a selection: trajectories, scores, overlap of methods. */
import { limScores } from '../alignment.js';
import type { Courses } from '../methods.js';
import type { Overlap } from '../overlap.js';
import { histogramPanel } from './histogram-panel.js';
import { overlapPanel } from './overlap-panel.js';
import { element, px, text } from './svg.js';
import { trajectoriesPanel } from './trajectories-panel.js';

/** What a picture of a selection shows. */
export interface SelectionPicture {
  readonly title: string;
  /** Name of the method. */
  readonly method: string;
  /** Of every prompt; NaN = none. */
  readonly scores: Float64Array;
  /** Rows of them. */
  readonly selected: Int32Array;
  readonly threshold?: number;
  /** Where there are samples, with the signal that they hold. */
  readonly courses?: Courses;
  readonly signal?: string;
  readonly overlap?: Overlap;
}

const style =
  'text{font:12px system-ui,-apple-system,"Segoe UI",sans-serif}' +
  'text.head{font-size:16px;font-weight:600;fill:#1f2933}text.title{font-weight:600;fill:#1f2933}';

/** @returns an SVG document; the same input gives the same bytes */
export function selectionPicture(what: SelectionPicture): string {
  const { courses, overlap } = what;
  const left = courses === undefined ? 70 : 650;
  const panels = [
    courses === undefined
      ? ''
      : trajectoriesPanel(
          { x: 70, y: 80, width: 470, height: 300 },
          courses.trajectories,
          limScores(courses.trajectories, courses.average),
          courses.average,
          what.signal ?? 'reward',
        ),
    histogramPanel(
      { x: left, y: 80, width: courses === undefined ? 570 : 400, height: 300 },
      what.scores,
      what.selected,
      what.threshold,
      what.method,
    ),
    overlap === undefined || overlap.methods.length < 2
      ? ''
      : overlapPanel({ x: 120, y: 540, width: 400, height: 34 * overlap.methods.length }, overlap),
  ];
  const width = Math.max(left + 440, 680);
  const height = panels[2] === '' ? 470 : 570 + 34 * (overlap?.methods.length ?? 0);
  return `${element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${px(width)} ${px(height)}`,
      width,
      height,
      fill: '#52606d',
    },
    [
      '',
      element('style', {}, style),
      element('rect', { width, height, fill: 'white' }),
      text(24, 34, what.title, { class: 'head' }),
      ...panels.filter((panel) => panel !== ''),
      '',
    ].join('\n'),
  )}\n`;
}
