/** What a chart of lines is made of; pure, so it runs without a browser. */

export interface Line {
  readonly label: string;
  /** Ascending; lines of one run share the array. */
  readonly x: readonly number[];
  readonly y: readonly (number | null)[];
  /** Half the length of the error bar at each point. */
  readonly error?: readonly (number | null)[];
  /** Index of the colour, and of the pattern of dashes. */
  readonly colour: number;
  readonly dash: number;
}

/** The points that are there. */
export const points = ({ x, y }: Pick<Line, 'x' | 'y'>): readonly (readonly [number, number])[] =>
  y.flatMap((value, i) => (value === null ? [] : [[x[i]!, value] as const]));

/**
 * Exponential mean of what came before, without the bias to its start: s_i = sum_j w^(i-j) y_j / sum_j w^(i-j), j <= i. Gaps stay.
 * @param weight in [0, 1); 0 = as it is
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  let [sum, mass] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    sum = sum * weight + value;
    mass = mass * weight + 1;
    return sum / mass;
  });
}

/** A sentence for those who do not see the chart. */
export function describe(lines: readonly Line[], write: (value: number) => string, axis: string): string {
  const sentences = lines.flatMap((line) => {
    const seen = points(line);
    const [first, last] = [seen[0], seen.at(-1)];
    if (first === undefined || last === undefined) return [];
    if (seen.length === 1) return [`${line.label}: ${write(first[1])} at ${axis} ${write(first[0])}`];
    const least = seen.reduce((low, [, value]) => Math.min(low, value), first[1]);
    const most = seen.reduce((high, [, value]) => Math.max(high, value), first[1]);
    return [
      `${line.label}: from ${write(first[1])} to ${write(last[1])} over ${seen.length} points, between ${write(least)} and ${write(most)}`,
    ];
  });
  return sentences.join('. ');
}
