import { describe, expect, it } from 'vitest';
import { ticks } from '../../src/lim/bins.js';
import { coursesOf } from '../../src/lim/methods.js';
import { selectionPicture } from '../../src/lim/plot/selection-picture.js';
import { escapeXml } from '../../src/lim/plot/svg.js';
import { Trajectories } from '../../src/lim/trajectories.js';

/** Tags balance, and no attribute holds a number that is none. */
function checkSvg(svg: string): void {
  const open: string[] = [];
  for (const [, close, name = '', , self] of svg.matchAll(/<(\/?)([a-z]+)((?:\s[\w:-]+="[^"<]*")*)\s*(\/?)>/g)) {
    if (close === '/') expect(open.pop()).toBe(name);
    else if (self !== '/') open.push(name);
  }
  expect(open).toEqual([]);
  expect(svg).not.toMatch(/NaN|Infinity|undefined|="[^"]*(null)[^"]*"/);
}

const rising = (prompts: number, epochs = 6) =>
  Trajectories.of(
    Array.from({ length: prompts }, (_, i) =>
      Array.from({ length: epochs }, (_, k) => Math.tanh((k - (i % 7)) / 2 + Math.sin(i))),
    ),
  );

const picture = (prompts: number, epochs?: number) => {
  const courses = coursesOf(rising(prompts, epochs), 'limr');
  const scores = Float64Array.from({ length: prompts }, (_, i) => (i % 5 === 4 ? Number.NaN : i / prompts));
  return {
    title: 'a < b & "c"',
    method: 'lim',
    scores,
    selected: Int32Array.from(scores.keys()).filter((i) => scores[i]! >= 0.5),
    threshold: 0.5,
    courses,
    signal: 'reward',
    overlap: {
      methods: ['lim', 'random'],
      shares: [
        [1, 0.4],
        [0.4, 1],
      ],
    },
  };
};

describe('the picture of a selection', () => {
  it('has a line a trajectory, the average on top, bars that add up', () => {
    const what = picture(20);
    const svg = selectionPicture(what);
    checkSvg(svg);
    const lines = [...svg.matchAll(/<polyline points="([^"]*)"[^>]*stroke="([^"]*)"/g)];
    expect(lines).toHaveLength(20 + 2);
    expect(new Set(lines.map(([, points]) => points!.split(' ').length))).toEqual(new Set([6]));
    expect(lines.at(-1)![2]).toBe('#d64545');
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
    expect(svg).toContain(`>selected ${what.selected.length}<`);
    expect(svg).toContain('>threshold 0.5<');
    expect(svg).toContain('>without a score 4<');
    expect(svg).toContain('>40%<');
    expect(selectionPicture(picture(20))).toBe(svg);
  });

  it('colours what follows the average deeper', () => {
    const courses = coursesOf(
      Trajectories.of([
        [0, 0.5, 1],
        [0, 0.5, 1],
        [0, 0.5, 1],
        [1, 0.5, 0],
      ]),
      'strict',
    );
    const svg = selectionPicture({ ...picture(4), courses });
    const strokes = [...svg.matchAll(/<polyline points="[^"]*"[^>]*stroke="rgb\((\d+),/g)].map(([, red]) =>
      Number(red),
    );
    expect(strokes[0]).toBe(203);
    expect(Math.max(...strokes.slice(1))).toBeLessThan(60);
  });

  it('draws an even part of many, in a file of bounded size', () => {
    const svg = selectionPicture(picture(5000, 21));
    checkSvg(svg);
    expect(svg).toContain('>48 of 5000 drawn<');
    expect(svg.length).toBeLessThan(60_000);
  });

  it.each([
    ['one epoch', { ...picture(5, 1) }],
    ['one score', { title: '', method: 'lim', scores: Float64Array.of(0.5), selected: Int32Array.of(0) }],
    [
      'equal scores',
      { title: '', method: 'x', scores: Float64Array.of(2, 2, 2), selected: Int32Array.of(1), threshold: 2 },
    ],
  ])('of %s is whole', (_, what) => checkSvg(selectionPicture(what)));

  it('puts every score into a bar', () => {
    const scores = Float64Array.from({ length: 300 }, (_, i) => Math.cos(i) * 3);
    const svg = selectionPicture({ title: '', method: 'lim', scores, selected: new Int32Array(), threshold: 0.6 });
    const bars = [...svg.matchAll(/<rect x="[^"]*" y="[^"]*" width="[^"]*" height="([^"]*)" fill="#b8c4d0"/g)];
    const heights = bars.slice(0, -1).map(([, height]) => Number(height)); // the last one is the legend's
    const edges = scores.map((score) => Math.floor(score / 0.1 + 1e-9));
    const tallest = Math.max(...edges.map((edge) => edges.filter((other) => other === edge).length));
    const unit = 300 / (tallest * 1.05);
    expect(heights.reduce((sum, height) => sum + height, 0) / unit).toBeCloseTo(300, 0);
  });
});

it('stacks what is not selected on what is', () => {
  const scores = Float64Array.from({ length: 40 }, (_, i) => (i < 30 ? 0.05 : 0.95));
  const svg = selectionPicture({
    title: '',
    method: 'lim',
    scores,
    selected: Int32Array.from({ length: 15 }, (_, i) => i),
  });
  const bars = (colour: string) =>
    [...svg.matchAll(new RegExp(`y="([^"]*)" width="[^"]*" height="([^"]*)" fill="${colour}"`, 'g'))]
      .slice(0, -1)
      .map(([, y, height]) => ({ top: Number(y), bottom: Number(y) + Number(height) }));
  const [chosen] = bars('#2f6fb7');
  const [over, alone] = bars('#b8c4d0');
  expect(chosen!.bottom).toBeCloseTo(380, 0);
  expect(over!.bottom).toBeCloseTo(chosen!.top, 0);
  expect(over!.bottom - over!.top).toBeCloseTo(chosen!.bottom - chosen!.top, 0);
  expect(alone!.bottom - alone!.top).toBeCloseTo((10 / 31.5) * 300, 0);
});

it('ticks are round, and inside', () => {
  expect(ticks([0, 1], 6)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
  expect(ticks([-4.09, 0.95], 6)).toEqual([-4, -3, -2, -1, 0]);
  expect(ticks([1, 21], 8)).toEqual([5, 10, 15, 20]);
});

it('text cannot leave its element', () => {
  expect(escapeXml('</text><script>"\u0000')).toBe('&lt;/text&gt;&lt;script&gt;&quot; ');
});
