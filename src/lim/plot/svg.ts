/** The little of SVG that the pictures need. */
import { ticks } from '../bins.js';

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Maps a domain linearly onto a range of pixels. */
export interface Scale {
  (value: number): number;
  readonly domain: readonly [number, number];
  /** Where an axis has its labels; round numbers when absent. */
  readonly marks?: readonly Mark[];
}
export type Mark = readonly [value: number, label: string];

export function linearScale(domain: readonly [number, number], range: readonly [number, number]): Scale {
  const [low, high] = domain;
  const map = (value: number) => range[0] + ((value - low) / (high - low)) * (range[1] - range[0]);
  return Object.assign(map, { domain });
}

/** Text as XML has it; control characters, which XML has not, become spaces. */
export const escapeXml = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** Pixels with one decimal: enough for the eye. */
export const px = (value: number): string => String(Number(value.toFixed(1)));

export function element(name: string, attributes: Readonly<Record<string, string | number>>, content = ''): string {
  const list = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === 'number' ? px(value) : escapeXml(value)}"`,
  );
  return content === '' ? `<${name}${list.join('')}/>` : `<${name}${list.join('')}>${content}</${name}>`;
}

export const text = (
  x: number,
  y: number,
  words: string,
  attributes: Readonly<Record<string, string | number>> = {},
): string => element('text', { x, y, ...attributes }, escapeXml(words));

/** A line through points, in pixels. */
export function polyline(points: readonly (readonly [number, number])[], attributes: Readonly<Record<string, string>>) {
  return element('polyline', {
    points: points.map(([x, y]) => `${px(x)},${px(y)}`).join(' '),
    fill: 'none',
    ...attributes,
  });
}

/** The frame of a panel: title, axes with ticks and names. */
export function axes(
  box: Box,
  scales: { readonly x: Scale; readonly y: Scale },
  words: { readonly title: string; readonly x: string; readonly y: string },
  wholeX = false,
): string {
  const bottom = box.y + box.height;
  const right = box.x + box.width;
  const grid = { stroke: '#e4e7eb', 'stroke-width': '1' };
  const marks = (scale: Scale, count: number) =>
    scale.marks ?? ticks(scale.domain, count).map((value): Mark => [value, String(value)]);
  const vertical = marks(scales.y, 6).map(
    ([value, label]) =>
      element('line', { x1: box.x, x2: right, y1: scales.y(value), y2: scales.y(value), ...grid }) +
      text(box.x - 8, scales.y(value) + 4, label, { 'text-anchor': 'end' }),
  );
  const horizontal = marks(scales.x, 8)
    .filter(([value]) => !wholeX || Number.isInteger(value))
    .map(([value, label]) => text(scales.x(value), bottom + 18, label, { 'text-anchor': 'middle' }));
  return [
    text(box.x, box.y - 14, words.title, { class: 'title' }),
    ...vertical,
    ...horizontal,
    element('line', { x1: box.x, x2: right, y1: bottom, y2: bottom, stroke: '#52606d' }),
    text(box.x + box.width / 2, bottom + 38, words.x, { 'text-anchor': 'middle' }),
    text(0, 0, words.y, {
      'text-anchor': 'middle',
      transform: `translate(${px(box.x - 46)} ${px(box.y + box.height / 2)}) rotate(-90)`,
    }),
  ].join('\n');
}
