/** Learning trajectories of many prompts: one number an epoch, such as the mean reward of the prompt's samples. */
import { LimrError } from '../errors.js';

/** N trajectories of K epochs in one array, row by row; NaN = the prompt was not seen in that epoch. */
export class Trajectories {
  /**
   * @param epochs K
   * @param values N * K numbers
   * @throws {LimrError} LIMR_SHAPE when they do not make whole rows
   */
  constructor(
    readonly epochs: number,
    readonly values: Float64Array,
  ) {
    if (epochs >= 1 && values.length % epochs === 0) return;
    throw new LimrError('LIMR_SHAPE', `${values.length} values do not make trajectories of ${epochs} epochs`);
  }

  /**
   * Trajectories from lists of values.
   * @throws {LimrError} LIMR_SHAPE when lengths differ, or there is no row
   */
  static of(rows: readonly ArrayLike<number>[]): Trajectories {
    const epochs = rows[0]?.length ?? 0;
    const values = new Float64Array(rows.length * epochs);
    for (const [i, row] of rows.entries()) {
      if (row.length !== epochs) {
        throw new LimrError(
          'LIMR_SHAPE',
          `trajectory ${i} has ${row.length} epochs, the first one ${epochs}`,
          'Every trajectory has an entry for every epoch; NaN stands for one that is missing.',
        );
      }
      values.set(Array.from(row), i * epochs);
    }
    return new Trajectories(epochs, values);
  }

  /** N. */
  get length(): number {
    return this.values.length / this.epochs;
  }

  /** Trajectory i: a view, not a copy. */
  row(i: number): Float64Array {
    return this.values.subarray(i * this.epochs, (i + 1) * this.epochs);
  }
}
