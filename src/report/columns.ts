/** Rows of a log as columns: a tenth of the bytes, and what charts take. */
import type { Columns } from './data.js';

/** Digits that a page shows of; metrics.jsonl has them all. */
const digits = 7;

export class ColumnTable {
  private readonly columns = new Map<string, (number | null)[]>();
  private count = 0;

  /** Rows so far. */
  get length(): number {
    return this.count;
  }

  /** Values that are no numbers are left out. */
  add(row: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(row)) {
      if (typeof value !== 'number' && value !== null) continue;
      let column = this.columns.get(name);
      if (column === undefined) {
        column = new Array<number | null>(this.count).fill(null);
        this.columns.set(name, column);
      }
      column.push(value === null ? null : Number(value.toPrecision(digits)));
    }
    this.count += 1;
    for (const column of this.columns.values()) if (column.length < this.count) column.push(null);
  }

  /** The rows from `first` on; columns without a value in them are left out. */
  from(first: number): Columns {
    const slices = [...this.columns].map(([name, column]) => [name, column.slice(first)] as const);
    return Object.fromEntries(slices.filter(([, values]) => values.some((value) => value !== null)));
  }
}
