/** Thrown when a comparison has used up its budget; carries nothing, so it costs no stack trace. */
export const exhausted = Symbol('budget exhausted');

/** What one comparison may cost, counted in steps of roughly a tenth of a microsecond: the same verdict on every machine. */
export class Budget {
  constructor(private left = 150_000) {}

  /** @throws {exhausted} */
  spend(steps: number): void {
    this.left -= steps;
    if (this.left < 0) throw exhausted;
  }
}
