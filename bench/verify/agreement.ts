/** Counts of who says what: a grader, Math-Verify, and the truth where it is known. */
import type { Pair, PeerVerdict } from './pairs.js';

export interface Counts {
  pairs: number;
  /** Pairs on which Math-Verify gave a verdict, and those of them on which the grader that follows it says the same. */
  judged: number;
  agreed: number;
  /** The same without pairs of equal strings. */
  judgedApart: number;
  agreedApart: number;
  knownSame: number;
  knownDifferent: number;
  /** Known to be the same but called different, and the other way round. */
  missed: number;
  falselyEqual: number;
  peerMissed: number;
  peerFalselyEqual: number;
}

const none = (): Counts => ({
  pairs: 0,
  judged: 0,
  agreed: 0,
  judgedApart: 0,
  agreedApart: 0,
  knownSame: 0,
  knownDifferent: 0,
  missed: 0,
  falselyEqual: 0,
  peerMissed: 0,
  peerFalselyEqual: 0,
});

/** One pair with all that was said of it. */
export interface Judged {
  readonly pair: Pair;
  readonly peer: PeerVerdict | undefined;
  /** Of the grader whose truth is counted. */
  readonly equal: boolean;
  /** Of the grader that follows Math-Verify. */
  readonly following: boolean;
}

export const disagrees = ({ peer, following }: Judged) =>
  peer !== undefined && peer.verdict !== null && peer.verdict !== following;

function add(counts: Counts, judged: Judged): void {
  const { pair, peer, equal } = judged;
  counts.pairs += 1;
  if (peer !== undefined && peer.verdict !== null) {
    const agreed = disagrees(judged) ? 0 : 1;
    counts.judged += 1;
    counts.agreed += agreed;
    if (pair.gold !== pair.pred) {
      counts.judgedApart += 1;
      counts.agreedApart += agreed;
    }
  }
  if (pair.same === true) {
    counts.knownSame += 1;
    if (!equal) counts.missed += 1;
    if (peer?.verdict === false) counts.peerMissed += 1;
  } else if (pair.same === false) {
    counts.knownDifferent += 1;
    if (equal) counts.falselyEqual += 1;
    if (peer?.verdict === true) counts.peerFalselyEqual += 1;
  }
}

/** Counts by key, and of all pairs under `all`. */
export function count(rows: Iterable<Judged>, key: (pair: Pair) => string): Map<string, Counts> {
  const counts = new Map<string, Counts>([['all', none()]]);
  for (const row of rows) {
    for (const name of ['all', key(row.pair)]) {
      const found = counts.get(name) ?? none();
      add(found, row);
      counts.set(name, found);
    }
  }
  return counts;
}

const percent = (part: number, whole: number) => (whole === 0 ? '-' : `${((100 * part) / whole).toFixed(2)}%`);

/** A class a line: agreement, then misses and false equals of known truth, with Math-Verify's in brackets. */
export function table(counts: ReadonlyMap<string, Counts>, grader: string): string {
  const widest = Math.max(...[...counts.keys()].map((name) => name.length), 5);
  const line = (cells: readonly string[]) =>
    cells.map((cell, k) => (k === 0 ? cell.padEnd(widest) : cell.padStart(20))).join(' ');
  const rows = [...counts].map(([name, c]) =>
    line([
      name,
      `${c.pairs}`,
      `${percent(c.agreed, c.judged)} (${c.judged - c.agreed})`,
      percent(c.agreedApart, c.judgedApart),
      `${c.missed} (${c.peerMissed}) of ${c.knownSame}`,
      `${c.falselyEqual} (${c.peerFalselyEqual}) of ${c.knownDifferent}`,
    ]),
  );
  const head = ['class', 'pairs', 'agreed (not)', 'of unequal strings', 'missed', 'falsely equal'];
  return [`truth: ${grader}, Math-Verify in brackets`, line(head), ...rows].join('\n');
}

/** A disagreement or an error in a line, for reading. */
export function describe({ pair, peer, equal, following }: Judged): string {
  const tail = pair.bare ? pair.pred : `...${pair.pred.slice(-120)}`;
  const said = `same ${pair.same} ours ${equal} following ${following} Math-Verify ${peer?.verdict}`;
  const parsed = peer === undefined ? '' : ` | ${peer.gold[0] ?? 'nothing'} | ${peer.pred[0] ?? 'nothing'}`;
  return `${pair.id} ${pair.class} [${said}] ${pair.gold} | ${tail}${parsed}`.replaceAll('\n', '⏎');
}
