/** How far methods agree. */

export interface Overlap {
  readonly methods: readonly string[];
  /** shares[a][b] = |A and B| / |A|: of what method a selects, the share that method b selects too. */
  readonly shares: readonly (readonly number[])[];
}

/**
 * How much selections have in common.
 * @param selections rows that each method selects, by its name
 */
export function overlapOf(selections: Readonly<Record<string, Int32Array>>): Overlap {
  const sets = Object.values(selections).map((rows) => new Set(rows));
  return {
    methods: Object.keys(selections),
    shares: sets.map((a) => sets.map((b) => [...a].filter((row) => b.has(row)).length / a.size)),
  };
}
