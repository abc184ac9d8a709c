/** A choice that shows every kind: as many of each stratum as can be, whatever their shares are. */
import { philox } from '../random.js';

/** "rep" in ASCII: the purpose of the draw. */
const key = [0, 0x726570] as const;

interface Candidate<T> {
  readonly priority: number;
  readonly value: T;
}

/**
 * Takes items as they come, keeps the ones that may be chosen, and depends on nothing but the items: each has a number of its own,
 * which a Philox word turns into its priority.
 */
export class StratifiedChoice<T> {
  private readonly strata = new Map<string, Candidate<T>[]>();

  /** @param perStratum kept of one stratum, at most */
  constructor(private readonly perStratum: number) {}

  /** @param identity two numbers that no other item has */
  offer(stratum: string, identity: readonly [number, number], make: () => T): void {
    let own = this.strata.get(stratum);
    if (own === undefined) {
      own = [];
      this.strata.set(stratum, own);
    }
    const [priority] = philox([...identity, 0, 0], key);
    if (own.length >= this.perStratum && priority >= own.at(-1)!.priority) return;
    const at = own.findIndex((other) => other.priority > priority);
    own.splice(at === -1 ? own.length : at, 0, { priority, value: make() });
    if (own.length > this.perStratum) own.pop();
  }

  /**
   * One of every stratum, then a second of every stratum, and so on.
   * @param limit items, at most
   * @param budget of the sizes, at most
   */
  choose(limit: number, budget: number, sizeOf: (value: T) => number): T[] {
    const names = [...this.strata.keys()].sort();
    const chosen: T[] = [];
    let size = 0;
    for (let turn = 0; turn < this.perStratum; ++turn) {
      for (const name of names) {
        const candidate = this.strata.get(name)![turn];
        if (candidate === undefined) continue;
        size += sizeOf(candidate.value);
        if (chosen.length >= limit || size > budget) return chosen;
        chosen.push(candidate.value);
      }
    }
    return chosen;
  }
}
