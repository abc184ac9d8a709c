/** What a run found: a row of JSON a case for the results' files, and lines for people. */
import { median, medianDeviation, ratioInterval } from '../../src/bench/statistics.js';
import type { Peer, Repetition } from './protocol.js';
import type { SuiteCase } from './suites.js';

export interface Measured {
  readonly peer: Peer;
  readonly repetitions: readonly Repetition[];
}

/** The best rates that anybody showed in this run. */
export interface Limits {
  readonly flops: number;
  readonly readBytes: number;
}

const rounded = (value: number, digits = 4) => Number(value.toPrecision(digits));

function speedOf({ peer, repetitions }: Measured, { work }: SuiteCase) {
  const seconds = repetitions.map((each) => each.seconds);
  const middle = median(seconds);
  const phases = Object.keys(repetitions[0]?.phases ?? {}).map((name) => {
    return [name, rounded(median(repetitions.map((each) => each.phases?.[name] ?? Number.NaN)))] as const;
  });
  return {
    peer: peer.about.peer,
    label: peer.label,
    versions: peer.about.versions,
    per_second: rounded(work.amount / middle),
    median_s: rounded(middle),
    mad_s: rounded(medianDeviation(seconds), 2),
    seconds: seconds.map((each) => rounded(each)),
    peak_rss_bytes: Math.max(...repetitions.map((each) => each.peakRssBytes)),
    ...(phases.length === 0 ? {} : { phases: Object.fromEntries(phases) }),
  };
}

/** @param measured ours first */
export function rowOf(about: object, suite: string, each: SuiteCase, measured: readonly Measured[], limits: Limits) {
  const [mine, ...theirs] = measured;
  if (mine === undefined) throw new Error(`nobody ran ${each.each.name}`);
  const own = mine.repetitions.map(({ seconds }) => seconds);
  const { flops, bytes, amount } = each.work;
  const middle = median(own);
  return {
    ...about,
    suite,
    case: each.each.name,
    unit: each.unit,
    amount,
    limits: { flops: rounded(limits.flops), read_bytes: rounded(limits.readBytes) },
    ...(flops === undefined ? {} : { mfu: rounded(flops / middle / limits.flops, 3) }),
    ...(bytes === undefined ? {} : { bandwidth: rounded(bytes / middle / limits.readBytes, 3) }),
    ...speedOf(mine, each),
    peers: theirs.map((other) => {
      const seconds = other.repetitions.map((repetition) => repetition.seconds);
      const { low, high } = ratioInterval(own, seconds);
      return {
        ...speedOf(other, each),
        ratio: rounded(median(seconds) / middle, 3),
        ratio_low: rounded(low, 3),
        ratio_high: rounded(high, 3),
      };
    }),
  };
}

export type Row = ReturnType<typeof rowOf>;

const prefixes = ['', 'k', 'M', 'G', 'T'];

/** "12.3 ktokens/s": three digits. */
function scaled(value: number, unit: string): string {
  let [shown, at] = [value, 0];
  for (; shown >= 999.5 && at + 1 < prefixes.length; ++at) shown /= 1000;
  return `${shown.toPrecision(3)} ${prefixes[at]}${unit}/s`;
}

const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;

export function linesOf(row: Row): string[] {
  const share = (name: string, value: number | undefined) =>
    value === undefined ? [] : [`${name} ${(100 * value).toFixed(0)}%`];
  const mine = [
    row.case.padEnd(36),
    scaled(row.per_second, row.unit).padStart(18),
    gigabytes(row.peak_rss_bytes),
    ...share('MFU', row.mfu),
    ...share('bandwidth', row.bandwidth),
  ];
  const others = row.peers.map((other) =>
    [
      `    ${other.label}`.padEnd(36),
      scaled(other.per_second, row.unit).padStart(18),
      gigabytes(other.peak_rss_bytes),
      `x${other.ratio} [${other.ratio_low}, ${other.ratio_high}]`,
    ].join('  '),
  );
  return [mine.join('  '), ...others];
}
