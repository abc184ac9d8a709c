/** Colours of the pictures: an alignment in blue, the average in red. */

/** From what is far off the average curve to what follows it. */
const pale: readonly [number, number, number] = [203, 210, 217];
const deep: readonly [number, number, number] = [11, 60, 140];

export const averageColour = '#d64545';
export const selectedColour = '#2f6fb7';
export const otherColour = '#b8c4d0';

/** @param share 0 = pale, 1 = deep; what lies outside is cut */
export function shade(share: number): string {
  const at = Math.min(1, Math.max(0, share));
  return `rgb(${pale.map((from, i) => Math.round(from + (deep[i]! - from) * at)).join(',')})`;
}
