/**
 * The rows of bench/peers.bench.ts as Markdown tables, one a suite, for docs/performance.md.
 *
 *   npx tsx scripts/table-performance.ts bench/results/<date>-cpu-*.jsonl...
 */
import { readFileSync } from 'node:fs';
import type { Row } from '../bench/peers/report.js';

type Printed = Row & {
  readonly model: string;
  readonly threads: number;
  readonly isa: string;
  readonly commit: string;
};

const files = process.argv.slice(2);
if (files.length === 0) throw new Error('usage: table-performance.ts results.jsonl...');
const rows = files
  .flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
  .map((line) => JSON.parse(line) as Printed);

const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(0)}%`);
const scale = (unit: string) => (unit === 'FLOP' || unit === 'B' ? 1e9 : 1);
const named = (unit: string) => (unit === 'FLOP' ? 'GFLOP/s' : unit === 'B' ? 'GB/s' : `${unit}/s`);
const digits = (value: number) => (value >= 99.5 ? value.toFixed(0) : value.toPrecision(3));

/** "23.1 (x1.30, 1.21-1.42)" */
function other(row: Printed, label: string): string {
  const peer = row.peers.find((each) => each.label === label);
  if (peer === undefined) return '';
  const speed = digits(peer.per_second / scale(row.unit));
  return `${speed} (x${digits(peer.ratio)}, ${digits(peer.ratio_low)}-${digits(peer.ratio_high)})`;
}

const groups = new Map<string, Printed[]>();
for (const row of rows) {
  const key = `${row.suite}, ${row.threads} threads${row.isa === 'best' ? '' : `, ${row.isa}`}`;
  groups.set(key, [...(groups.get(key) ?? []), row]);
}
for (const [name, own] of groups) {
  const labels = [...new Set(own.flatMap(({ peers }) => peers.map(({ label }) => label)))];
  const head = ['model', 'case', `limr ${named(own[0]!.unit)}`, '\u00b1', 'MFU', 'bandwidth', ...labels];
  const lines = own.map((row) => [
    row.model,
    row.case,
    digits(row.per_second / scale(row.unit)),
    percent(row.mad_s / row.median_s),
    percent(row.mfu),
    percent(row.bandwidth),
    ...labels.map((label) => other(row, label)),
  ]);
  const print = (cells: readonly string[]) => console.log(`| ${cells.join(' | ')} |`);
  console.log(`### ${name}\n`);
  print(head);
  print(head.map((_, column) => (column < 2 ? '---' : '---:')));
  for (const line of lines) print(line);
  console.log('');
}
