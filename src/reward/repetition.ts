import { codePoints } from './python-text.js';

const minPeriod = 5;
const minRepeats = 5;
const newline = 10;

/**
 * Whether a block of at least five code points without a newline stands five times in a row: the verdict of LIMR's
 * `(.{5,}?)\1{4,}`, in O(n log n) whatever the text; the regular expression itself is cubic.
 */
export function hasRepetition(text: string): boolean {
  const points = codePoints(text);
  const prefixes = new Uint32Array(Math.floor(points.length / minRepeats) + 1);
  for (let begin = 0; begin < points.length; ) {
    let end = points.indexOf(newline, begin);
    if (end < 0) end = points.length;
    if (lineRepeats(points.subarray(begin, end), prefixes)) return true;
    begin = end + 1;
  }
  return false;
}

/**
 * A five-fold block of length p is a stretch of 5p points in which each point but the last p equals the one p further on.
 * Periods are searched by scale, P <= p < 2P for P = 5, 10, 20, ... Such a stretch contains one of the anchors 0, 3P, 6P,
 * ..., with at least 4p - 3P + 1 > P equal pairs (x, x + p) from the anchor on. So at each anchor the Z-function of the
 * next 3P points names the periods worth a look, and only these are extended to both sides.
 *
 * Cost of a scale: the Z-functions are linear in the line. Two candidates of one anchor that differ by g < P/5 would make g
 * the period of a stretch of more than P points, hence a five-fold block that an earlier scale reported (of length g, or of
 * a multiple below 9 when g < 5 and P >= 40). So an anchor has boundedly many candidates, each extended by at most 4p points.
 */
function lineRepeats(line: Uint32Array, prefixes: Uint32Array): boolean {
  const maxPeriod = Math.floor(line.length / minRepeats);
  for (let scale = minPeriod; scale <= maxPeriod; scale *= 2) {
    const last = Math.min(2 * scale - 1, maxPeriod);
    for (let anchor = 0; anchor + scale < line.length; anchor += 3 * scale) {
      const window = Math.min(3 * scale, line.length - anchor);
      commonPrefixes(line, anchor, window, last, prefixes);
      for (let period = scale; period <= last && period < window; period += 1) {
        const equal = prefixes[period]!;
        if (equal < Math.min(4 * period - 3 * scale + 1, 3 * scale - period)) continue;
        if (runLength(line, anchor, equal, period) >= (minRepeats - 1) * period) return true;
      }
    }
  }
  return false;
}

/**
 * The Z-function of line[anchor, anchor + window), for shifts 1..last: how many points from `anchor` on equal those from
 * `anchor + shift` on, within the window. O(window).
 */
function commonPrefixes(line: Uint32Array, anchor: number, window: number, last: number, prefixes: Uint32Array): void {
  let left = 0;
  let right = 0; // [left, right) equals a prefix and reaches furthest so far
  for (let shift = 1; shift <= last && shift < window; shift += 1) {
    let length = shift < right ? Math.min(right - shift, prefixes[shift - left]!) : 0;
    while (shift + length < window && line[anchor + length] === line[anchor + shift + length]) length += 1;
    prefixes[shift] = length;
    if (shift + length > right) {
      left = shift;
      right = shift + length;
    }
  }
}

/** Number of adjoining points around `anchor` that equal the one `period` further on; counting stops at 4 periods. */
function runLength(line: Uint32Array, anchor: number, equal: number, period: number): number {
  const enough = (minRepeats - 1) * period;
  let end = anchor + equal;
  while (end - anchor < enough && end + period < line.length && line[end] === line[end + period]) end += 1;
  let begin = anchor;
  while (end - begin < enough && begin > 0 && line[begin - 1] === line[begin - 1 + period]) begin -= 1;
  return end - begin;
}
