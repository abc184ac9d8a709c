/**
 * Our graders over a file of pairs, beside Math-Verify: agreement with it, errors where the truth is known, speed.
 *
 *   python bench/peers/math_verify/generate.py --data DIR --output pairs.jsonl
 *   python bench/peers/math_verify/run.py pairs.jsonl verdicts.jsonl
 *   npx tsx bench/verify.bench.ts --pairs pairs.jsonl --verdicts verdicts.jsonl [--grader standard] [--following math-verify]
 *     [--peer path/to/python] [--peer-pairs 2000] [--by group|class] [--show N] [--output FILE]
 *
 * `npm run bench -- verify` runs a small built-in set. The truth is counted of --grader, agreement of --following. Math-Verify's
 * times are those of the verdicts file; with --peer it also grades a sample of the pairs in this same run, on one process and on
 * two, and the ratios are taken from there. One row of JSON on stdout, a table (and --show: so many disagreements, and so many
 * errors) on stderr. Exit code 1 when a pair known to differ was called equal by --grader.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { graderOf } from '../src/reward/create-reward.js';
import { count, describe, disagrees, type Judged, table } from './verify/agreement.js';
import { builtInPairs, judge, type PeerVerdict, readPairs, readVerdicts } from './verify/pairs.js';
import { median, quantile, throughput, timePairs } from './verify/speed.js';

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    pairs: { type: 'string' },
    verdicts: { type: 'string' },
    grader: { type: 'string', default: 'standard' },
    following: { type: 'string', default: 'math-verify' },
    peer: { type: 'string' },
    'peer-pairs': { type: 'string', default: '2000' },
    by: { type: 'string', default: 'group' },
    show: { type: 'string', default: '0' },
    output: { type: 'string' },
  },
});

const rounded = (value: number, digits = 4) => Number(value.toFixed(digits));

const summary = (milliseconds: Iterable<number>) => {
  const times = Float64Array.from(milliseconds);
  return {
    median_ms: rounded(median(times)),
    p99_ms: rounded(quantile(times, 0.99)),
    max_ms: rounded(quantile(times, 1), 2),
  };
};

/** Math-Verify's times without the first pair of each process, which compiles its regular expressions. */
function peerSummary(verdicts: Iterable<PeerVerdict>) {
  const times = [...verdicts].filter((v) => v.order !== 0).map((v) => v.ms);
  const seconds = times.reduce((a, b) => a + b, 0) / 1000;
  return { pairs: times.length, ...summary(times), pairs_per_s: rounded(times.length / seconds, 1) };
}

/** Math-Verify on a sample of the pairs, now: seconds of wall time between its first verdict and its last. */
function measurePeer(python: string, pairs: string, limit: number, processes: number) {
  const folder = mkdtempSync(join(tmpdir(), 'limr-verify-'));
  try {
    const script = join(dirname(fileURLToPath(import.meta.url)), 'peers', 'math_verify', 'run.py');
    const file = join(folder, 'verdicts.jsonl');
    const options = ['--processes', `${processes}`, '--limit', `${limit}`, '--nice', '0'];
    const run = spawnSync(python, [script, pairs, file, ...options], { encoding: 'utf8' });
    if (run.status !== 0) throw new Error(`${python} ${script} failed: ${run.stderr}`);
    const report = JSON.parse(run.stdout) as { peer: string; pairs_per_s: number };
    return { peer: report.peer, pairsPerSecond: report.pairs_per_s, verdicts: readVerdicts(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function speed(name: string, file: string | null, pairs: Parameters<typeof timePairs>[1]) {
  const { warm, cold } = timePairs(name, pairs);
  return {
    ...summary(warm),
    cold_max_ms: rounded(quantile(cold, 1), 2),
    pairs_per_s: rounded(await throughput(name, file, 1), 0),
    pairs_per_s_2_threads: rounded(await throughput(name, file, 2), 0),
  };
}

const file = values.pairs ?? null;
const pairs = file === null ? builtInPairs() : readPairs(file);
const verdicts = values.verdicts === undefined ? new Map<string, PeerVerdict>() : readVerdicts(values.verdicts);
const ids = new Set(pairs.map((pair) => pair.id));
if ([...verdicts.keys()].some((id) => !ids.has(id))) throw new Error('--verdicts are of another file of pairs');
const truth = graderOf(values.grader);
const following = graderOf(values.following);
const rows: Judged[] = pairs.map((pair) => ({
  pair,
  peer: verdicts.get(pair.id),
  equal: judge(truth, pair).equal,
  following: judge(following, pair).equal,
}));
const counts = count(rows, (pair) =>
  values.by === 'class' ? pair.class : pair.class.slice(0, Math.max(pair.class.indexOf('/'), 1)),
);
process.stderr.write(`${table(counts, values.grader)}\n`);

const shown = Number(values.show);
const wrong = rows.filter(({ pair, equal }) => pair.same !== null && pair.same !== equal);
wrong.sort((a, b) => Number(a.pair.same) - Number(b.pair.same));
for (const row of [...rows.filter(disagrees).slice(0, shown), ...wrong.slice(0, shown)]) {
  process.stderr.write(`${describe(row)}\n`);
}

const all = counts.get('all');
if (all === undefined) throw new Error('no pairs');
const ours = await speed(values.grader, file, pairs);
const followingSpeed = await speed(values.following, file, pairs);
const limit = Number(values['peer-pairs']);
const peers =
  values.peer === undefined || file === null
    ? []
    : [1, 2].map((processes) => measurePeer(values.peer ?? '', file, limit, processes));
const [one, two] = peers;
const line = JSON.stringify({
  pairs: pairs.length,
  grader: values.grader,
  following: values.following,
  judged: all.judged,
  agreement: all.judged === 0 ? null : rounded(all.agreed / all.judged, 5),
  agreement_of_unequal_strings: all.judgedApart === 0 ? null : rounded(all.agreedApart / all.judgedApart, 5),
  known_different: all.knownDifferent,
  falsely_equal: all.falselyEqual,
  known_same: all.knownSame,
  missed: all.missed,
  peer_falsely_equal: all.peerFalselyEqual,
  peer_missed: all.peerMissed,
  peer_hung: [...verdicts.values()].filter((v) => v.verdict === null).length,
  peer_timed_out: [...verdicts.values()].filter((v) => v.timeouts.length > 0).length,
  cpu: cpus()[0]?.model,
  [values.grader]: ours,
  [values.following]: followingSpeed,
  ...(verdicts.size === 0 ? {} : { peer_file: peerSummary(verdicts.values()) }),
  ...(one === undefined || two === undefined
    ? {}
    : {
        peer: one.peer,
        peer_now: { ...peerSummary(one.verdicts.values()), pairs_per_s_2_processes: two.pairsPerSecond },
        ratio: rounded(ours.pairs_per_s / one.pairsPerSecond, 1),
        ratio_2: rounded(ours.pairs_per_s_2_threads / two.pairsPerSecond, 1),
      }),
});
process.stdout.write(`${line}\n`);
if (values.output !== undefined) appendFileSync(values.output, `${line}\n`);
if (all.falselyEqual > 0) process.exitCode = 1;
