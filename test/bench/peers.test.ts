/** The peers' driver: what its suites count, its protocol, and a run of our engine alone. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Peer } from '../../bench/peers/protocol.js';
import { linesOf, type Measured, type Row, rowOf } from '../../bench/peers/report.js';
import { type SuiteOptions, suites } from '../../bench/peers/suites.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const cases = [
  { name: 'a', kind: 'known' },
  { name: 'b', kind: 'unknown' },
];
const setup = { threads: 2, model: '/nowhere', cases };

/** A peer in a few lines: it answers a run with the number of commands so far. */
const program = `
  const lines = require('readline').createInterface({ input: process.stdin });
  let count = -1;
  lines.on('line', (line) => {
    count += 1;
    const message = JSON.parse(line);
    if (count === 0) console.log(JSON.stringify({ peer: 'p ' + message.threads, versions: {}, kinds: ['known'] }));
    else if (message.case === 'b') { console.error('no such case'); process.exit(3); }
    else console.log(JSON.stringify(message.do === 'run' ? { seconds: count, peakRssBytes: 1e9 } : {}));
  });`;
const start = () => Peer.start({ label: 'fake', command: process.execPath, args: ['-e', program] }, setup);

describe('a peer', () => {
  it('says what it is, runs and releases cases, and ends', async () => {
    const peer = await start();
    expect(peer.about.peer).toBe('p 2');
    expect(cases.map((each) => peer.can(each))).toEqual([true, false]);
    expect((await peer.run('a')).seconds).toBe(1);
    await peer.release('a');
    expect((await peer.run('a')).seconds).toBe(3);
    await peer.stop();
    await peer.stop();
  });

  it('that fails says why', async () => {
    const peer = await start();
    await expect(peer.run('b')).rejects.toThrow(/fake ended \(exit code 3\): no such case/);
    await expect(peer.run('a')).rejects.toThrow(/fake ended/);
  });

  it('that does not start says why', async () => {
    const command = { label: 'none', command: process.execPath, args: ['-e', 'throw new Error("not installed")'] };
    await expect(Peer.start(command, setup)).rejects.toThrow(/none ended .*not installed/s);
  });
});

const shape = { layers: 2, hiddenSize: 8, intermediateSize: 10, heads: 2, kvHeads: 1, headDim: 4, vocabSize: 100 };
const sizes: SuiteOptions = {
  sharePrompts: false,
  gemmTokens: [1, 2],
  gemmOps: ['forward', 'dweight'],
  gemmLayers: ['down'],
  prefillTokens: [3],
  decodeBatches: [3, 4],
  decodeContexts: [16],
  decodeSteps: 4,
  samplesPerPrompt: 2,
  trainBatches: ['2x3'],
  checkpointing: true,
  rl: '2x3x4+5',
  klCoef: 0.1,
  texts: { file: 'f', tokenizer: 't', count: 7 },
  weightBytes: 11,
};
const made = (suite: string) => suites[suite]!(shape, sizes);

describe('suites', () => {
  it('count what their cases do', () => {
    expect(made('gemm').map(({ work }) => work.flops)).toEqual([160, 320, 160, 320]);
    expect(made('gemm')[2]!.work.bytes).toBe(2 * 18 + 8 * 80);
    expect(made('prefill')[0]!.work.amount).toBe(3);
    expect(made('decode').map(({ each }) => each.samplesPerPrompt)).toEqual([1, 2]); // 3 is no multiple of 2
    expect(made('train')[0]).toMatchObject({
      each: { sequences: 2, length: 3, checkpointing: true },
      work: { amount: 6 },
    });
    expect(made('rl')[0]).toMatchObject({
      each: { prompts: 2, samples: 3, promptTokens: 4, maxTokens: 5 },
      work: { amount: 6 },
    });
    expect([made('load')[0]!.work.amount, made('tokenize')[0]!.work.amount]).toEqual([11, 7]);
  });

  it('have names of their own', () => {
    const names = Object.keys(suites).flatMap((suite) => made(suite).map(({ each }) => each.name));
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a row', () => {
  const measured = (label: string, seconds: readonly number[]): Measured => ({
    peer: { label, about: { peer: label, versions: {}, kinds: [] } } as unknown as Peer,
    repetitions: seconds.map((each, i) => ({
      seconds: each,
      peakRssBytes: 1e9 * (i + 1),
      phases: { sampling: each / 2 },
    })),
  });
  const each = { each: { name: 'c', kind: 'k' }, unit: 'tokens', work: { amount: 10, flops: 100, bytes: 50 } };
  const row = rowOf({ model: 'm' }, 's', each, [measured('ours', [1, 2, 3]), measured('theirs', [4, 4, 4])], {
    flops: 200,
    readBytes: 100,
  });

  it('has medians, shares of the limits, peaks and phases', () => {
    expect(row).toMatchObject({ model: 'm', suite: 's', case: 'c', per_second: 5, median_s: 2, mad_s: 1 });
    expect(row).toMatchObject({ mfu: 0.25, bandwidth: 0.25, peak_rss_bytes: 3e9, phases: { sampling: 1 } });
  });

  it('has ratios of speeds with an interval', () => {
    const [other] = row.peers;
    expect(other).toMatchObject({ label: 'theirs', ratio: 2, ratio_low: 4 / 3 - (4 / 3 - 1.33), ratio_high: 4 });
    expect(linesOf(row)[1]).toMatch(/theirs .*2\.50 tokens\/s .*x2 \[1\.33, 4\]/);
  });
});

describe('bench/peers.bench.ts', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'limr-peers-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('runs our engine alone, with another number of threads as a peer', () => {
    const output = join(folder, 'rows.jsonl');
    const small = [
      ...['--gemm-tokens', '2', '--gemm-layers', 'down', '--prefill-tokens', '8', '--decode-batch', '2'],
      ...['--decode-context', '8', '--decode-steps', '2', '--train-batch', '2x8', '--rl', '2x2x4+4'],
    ];
    const suite = ['--suite', 'gemm,prefill,decode,train,rl,load', '--turns', '1', '--threads', '2', '--also', '1'];
    const args = ['--import', 'tsx', 'bench/peers.bench.ts', ...suite, ...small, '--output', output];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    expect(stdout).toBe(readFileSync(output, 'utf8'));
    const rows = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Row & { suite: string });
    expect(rows.map(({ suite: name }) => name)).toEqual([
      'gemm',
      'gemm',
      'gemm',
      'prefill',
      'decode',
      'train',
      'rl',
      'load',
    ]);
    for (const { case: name, per_second, seconds, peers } of rows) {
      expect(per_second, name).toBeGreaterThan(0);
      expect(seconds, name).toHaveLength(1);
      expect(peers[0]?.label, name).toBe('limr, threads: 1');
      expect(peers[0]?.ratio, name).toBeGreaterThan(0);
    }
  });
});
