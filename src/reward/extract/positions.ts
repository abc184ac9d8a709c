/** Index of the first element whose key is at least `value`; keys ascend. */
export function lowerBound(sorted: readonly number[], value: number): number;
export function lowerBound<T>(sorted: readonly T[], value: number, key: (element: T) => number): number;
export function lowerBound<T>(sorted: readonly T[], value: number, key?: (element: T) => number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const element = sorted[middle] as T;
    if ((key ? key(element) : (element as number)) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** All places where a word stands, ascending. */
export function positions(chars: string, word: string): number[] {
  const result: number[] = [];
  for (let at = chars.indexOf(word); at >= 0; at = chars.indexOf(word, at + 1)) result.push(at);
  return result;
}
