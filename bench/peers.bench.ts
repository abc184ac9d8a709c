/**
 * Our engine beside others, with the same weights, in one run (bench/peers/README.md says how). Prints a row of JSON a case on stdout,
 * and a table on stderr; without --torch, --llama and --trl our engine runs alone. A ratio is of our speed over theirs: the median, and the
 * interval of 99% of the bootstrapped medians over the turns.
 *
 *   npx tsx bench/peers.bench.ts [--shape qwen2.5-0.5b|smollm2-135m|nano | --model DIR] [--suite gemm,prefill,decode,train,rl,load,tokenize]
 *     [--turns 5] [--threads 2] [--isa avx512|avx2] [--torch PYTHON] [--attention sdpa,eager] [--training master,autocast] [--llama DIR]
 *     [--gguf BF16] [--trl PYTHON] [--also 1,avx512,avx2] [--output FILE] ...
 *
 * --also adds our own engine with another number of threads, or other kernels, as one more peer. `npm run bench -- peers` runs it with the
 * defaults: the shape of the embedded model, no peers.
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { tokens } from '../src/bench/measures.js';
import { modelShape, shapeConfig } from '../src/bench/shapes.js';
import { median, medianDeviation, ratioInterval } from '../src/bench/statistics.js';
import { Engine } from '../src/engine/engine.js';
import { commit } from '../src/launch/commit.js';
import { Peer, type PeerCase, type PeerCommand, type Repetition } from './peers/protocol.js';
import { type SuiteCase, type SuiteOptions, suites } from './peers/suites.js';

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    model: { type: 'string' },
    shape: { type: 'string', default: 'nano' },
    suite: { type: 'string', default: 'prefill,decode,train' },
    turns: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
    isa: { type: 'string', default: '' },
    torch: { type: 'string' },
    attention: { type: 'string', default: 'sdpa' },
    training: { type: 'string', default: 'master' },
    llama: { type: 'string' },
    gguf: { type: 'string', default: 'BF16' },
    trl: { type: 'string' },
    'trl-dtype': { type: 'string', default: 'float32' },
    also: { type: 'string', default: '' },
    'gemm-tokens': { type: 'string', default: '1,16,64,512' },
    'gemm-ops': { type: 'string', default: 'forward,dinp,dweight' },
    'gemm-layers': { type: 'string', default: 'qkv,out,gate_up,down,head' },
    'prefill-tokens': { type: 'string', default: '512' },
    'decode-batch': { type: 'string', default: '1,16,64' },
    'decode-context': { type: 'string', default: '16,512' },
    'decode-steps': { type: 'string', default: '16' },
    'samples-per-prompt': { type: 'string', default: '1' },
    'train-batch': { type: 'string', default: '4x256' },
    checkpointing: { type: 'boolean', default: false },
    rl: { type: 'string', default: '8x8x64+128' },
    'kl-coef': { type: 'string', default: '0.01' },
    texts: { type: 'string' },
    tokenizer: { type: 'string' },
    output: { type: 'string' },
  },
});
const words = (text: string) => text.split(',').filter((word) => word !== '');
const numbers = (text: string) => words(text).map(Number);
const threads = Number(values.threads);

/** What caps everybody to the same instructions. */
const caps: Readonly<Record<string, { readonly aten: string; readonly onednn: string }>> = {
  avx2: { aten: 'avx2', onednn: 'AVX2' },
  avx512: { aten: 'avx512', onednn: 'AVX512_CORE' },
};
const cap = caps[values.isa];
if (values.isa !== '' && cap === undefined)
  throw new Error(`--isa ${values.isa}: known are ${Object.keys(caps).join(', ')}`);

function ours(label: string, count: number, isa: string): PeerCommand & { readonly threads: number } {
  const script = join(here, 'peers/limr/run.ts');
  const env = isa === '' ? {} : { LIMR_CPU: isa };
  const args = ['--import', import.meta.resolve('tsx'), script];
  return { label, threads: count, command: process.execPath, args, env };
}

type Start = PeerCommand & { readonly threads: number };

/** Those that are asked for and can do a suite; ours first. */
function peersOf(suite: string, gguf: () => string): Start[] {
  const env = {
    ...(cap === undefined ? {} : { ATEN_CPU_CAPABILITY: cap.aten, ONEDNN_MAX_CPU_ISA: cap.onednn }),
  };
  const dtype = cap === undefined ? 'bfloat16' : 'float32';
  const starts: Start[] = [ours('limr', threads, values.isa)];
  for (const word of words(values.also)) {
    const count = Number(word);
    starts.push(
      Number.isInteger(count) ? ours(`limr, ${word} threads`, count, values.isa) : ours(`limr, ${word}`, threads, word),
    );
  }
  const python = (name: string, label: string, command: string, args: readonly string[]): Start => {
    return { label, threads, command, args: [join(here, 'peers', name, 'run.py'), ...args], env };
  };
  const hasModel = ['prefill', 'decode', 'train'].includes(suite);
  if (values.torch !== undefined && (hasModel || suite === 'gemm')) {
    for (const attention of hasModel ? words(values.attention) : ['sdpa']) {
      for (const training of suite === 'train' ? words(values.training) : ['master']) {
        const label = `torch ${[dtype, attention, ...(suite === 'train' ? [training] : [])].join(' ')}`;
        const args = ['--attention', attention, '--dtype', dtype, '--training', training];
        starts.push(python('torch', label, values.torch, args));
      }
    }
  }
  if (values.torch !== undefined && (suite === 'load' || suite === 'tokenize')) {
    for (const how of suite === 'load' ? ['plain', 'transformers'] : ['plain', 'batch']) {
      starts.push(python('hugging_face', `hugging face, ${how}`, values.torch, ['--how', how]));
    }
  }
  if (values.trl !== undefined && suite === 'rl') {
    starts.push(python('trl', `trl ${values['trl-dtype']}`, values.trl, ['--dtype', values['trl-dtype']]));
  }
  if (values.llama !== undefined && (suite === 'prefill' || suite === 'decode')) {
    const script = join(here, 'peers/llama_cpp/run.ts');
    starts.push({
      label: `llama.cpp ${values.gguf}`,
      threads,
      command: process.execPath,
      args: ['--import', import.meta.resolve('tsx'), script, resolve(values.llama), gguf()],
    });
  }
  return starts;
}

/** The model's folder: the given one, or one with random weights. */
async function modelFolder(folder: string): Promise<string> {
  if (values.model !== undefined) return resolve(values.model);
  const dir = join(folder, 'config');
  mkdirSync(dir);
  writeFileSync(join(dir, 'config.json'), JSON.stringify(shapeConfig(values.shape)));
  const engine = Engine.open({ threads });
  const model = await engine.load(dir, { randomSeed: 1, tokenizer: false });
  await model.save(join(folder, 'model'));
  await engine.close();
  return join(folder, 'model');
}

/** The same weights for llama.cpp. */
function writeGguf(model: string, folder: string): string {
  const file = join(folder, `weights.${values.gguf}.gguf`);
  if (values.torch === undefined) throw new Error('--llama also needs --torch, a Python with gguf');
  const script = join(here, 'peers/llama_cpp/write_gguf.py');
  const run = spawnSync(values.torch, [script, model, file, '--type', values.gguf], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  return file;
}

/** Fails unless all that can compute the same log-probability of a text: by the same weights. */
async function checkWeights(peers: readonly Peer[], check: PeerCase): Promise<void> {
  const found: (readonly [string, number])[] = [];
  for (const peer of peers) if (peer.can(check)) found.push([peer.label, (await peer.run(check.name)).seconds]);
  const [first = ['', Number.NaN]] = found;
  for (const [label, value] of found) {
    if (Math.abs(value - first[1]) <= 0.02) continue; // bf16 here and there
    throw new Error(`log-probabilities disagree: ${first[0]} ${first[1]}, ${label} ${value}`);
  }
}

interface Measured {
  readonly peer: Peer;
  readonly repetitions: readonly Repetition[];
}

const machine: PeerCase = { name: 'machine', kind: 'machine' };
const limits = { flops: 0, readBytes: 0 };

/** Each in turn: one repetition to get ready, then `turns` of them. */
async function takeTurns(peers: readonly Peer[], { each }: SuiteCase): Promise<Measured[]> {
  const able = peers.filter((peer) => peer.can(each));
  const repetitions = new Map(able.map((peer) => [peer, [] as Repetition[]]));
  for (let turn = 0; turn <= Number(values.turns); ++turn) {
    const rates = await peers[0]!.run(machine.name);
    limits.flops = Math.max(limits.flops, rates.flops ?? 0);
    limits.readBytes = Math.max(limits.readBytes, rates.readBytes ?? 0);
    for (const peer of able) {
      const repetition = await peer.run(each.name);
      if (turn > 0) repetitions.get(peer)?.push(repetition);
    }
  }
  for (const peer of able) await peer.release(each.name);
  return able.map((peer) => ({ peer, repetitions: repetitions.get(peer) ?? [] }));
}

const rounded = (value: number, digits = 4) => Number(value.toPrecision(digits));

/** What one of them did, in words of the results' files. */
function speedOf({ peer, repetitions }: Measured, { work }: SuiteCase) {
  const seconds = repetitions.map((each) => each.seconds);
  const middle = median(seconds);
  const phases = repetitions[0]?.phases;
  return {
    peer: peer.about.peer,
    label: peer.label,
    versions: peer.about.versions,
    per_second: rounded(work.amount / middle),
    median_s: rounded(middle),
    mad_s: rounded(medianDeviation(seconds), 2),
    seconds: seconds.map((each) => rounded(each)),
    peak_rss_bytes: Math.max(...repetitions.map((each) => each.peakRssBytes)),
    ...(phases === undefined
      ? {}
      : {
          phases: Object.fromEntries(
            Object.keys(phases).map((name) => [
              name,
              rounded(median(repetitions.map((r) => r.phases?.[name] ?? Number.NaN))),
            ]),
          ),
        }),
  };
}

function rowOf(about: object, suite: string, each: SuiteCase, measured: readonly Measured[]) {
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
      const ratio = {
        ratio: rounded(median(seconds) / middle, 3),
        ratio_low: rounded(low, 3),
        ratio_high: rounded(high, 3),
      };
      return { ...speedOf(other, each), ...ratio };
    }),
  };
}

type Row = ReturnType<typeof rowOf>;

const prefixes = ['', 'k', 'M', 'G', 'T'];
function scaled(value: number, unit: string): string {
  const at = Math.max(0, Math.min(prefixes.length - 1, Math.floor(Math.log10(value / 10) / 3)));
  return `${(value / 1000 ** at).toPrecision(3)} ${prefixes[at]}${unit}/s`;
}

function say(row: Row): void {
  const share = (name: string, value: number | undefined) =>
    value === undefined ? [] : [`${name} ${(100 * value).toFixed(0)}%`];
  const mine = [
    row.case.padEnd(36),
    scaled(row.per_second, row.unit).padStart(18),
    ...share('MFU', row.mfu),
    ...share('bandwidth', row.bandwidth),
    `${(row.peak_rss_bytes / 1e9).toFixed(1)} GB`,
  ];
  const others = row.peers.map((other) => {
    const range = `x${other.ratio} [${other.ratio_low}, ${other.ratio_high}]`;
    return `    ${other.label.padEnd(32)}${scaled(other.per_second, row.unit).padStart(18)}  ${range}  ${(other.peak_rss_bytes / 1e9).toFixed(1)} GB`;
  });
  process.stderr.write(`${[mine.join('  '), ...others].join('\n')}\n`);
}

const folder = mkdtempSync(join(tmpdir(), 'limr-peers-'));
try {
  const model = await modelFolder(folder);
  const configFile = join(model, 'config.json');
  const shape = modelShape(JSON.parse(readFileSync(configFile, 'utf8')), configFile);
  const weightFiles = readdirSync(model).filter((name) => name.endsWith('.safetensors'));
  const options: SuiteOptions = {
    gemmTokens: numbers(values['gemm-tokens']),
    gemmOps: words(values['gemm-ops']),
    gemmLayers: words(values['gemm-layers']),
    prefillTokens: numbers(values['prefill-tokens']),
    decodeBatches: numbers(values['decode-batch']),
    decodeContexts: numbers(values['decode-context']),
    decodeSteps: Number(values['decode-steps']),
    samplesPerPrompt: Number(values['samples-per-prompt']),
    trainBatches: words(values['train-batch']),
    checkpointing: values.checkpointing,
    rl: values.rl,
    klCoef: Number(values['kl-coef']),
    texts:
      values.texts === undefined
        ? undefined
        : {
            file: resolve(values.texts),
            tokenizer: resolve(values.tokenizer ?? model),
            count: readFileSync(values.texts, 'utf8')
              .split('\n')
              .filter((line) => line !== '').length,
          },
    weightBytes: weightFiles.reduce((sum, name) => sum + statSync(join(model, name)).size, 0),
  };
  const about = {
    date: new Date().toISOString(),
    commit: await commit(),
    cpu: cpus()[0]?.model ?? '',
    threads,
    isa: values.isa === '' ? 'best' : values.isa,
    model: values.model === undefined ? values.shape : values.model.split('/').at(-1),
  };
  let written: string | undefined;
  const gguf = () => {
    written ??= writeGguf(model, folder);
    return written;
  };
  for (const suite of words(values.suite)) {
    const make = suites[suite];
    if (make === undefined) throw new Error(`--suite ${suite}: known are ${Object.keys(suites).join(', ')}`);
    const cases = make(shape, options);
    const check = { name: 'check', kind: 'check', tokens: Array.from(tokens(48, shape.vocabSize)) };
    const setup = { model, cases: [...cases.map(({ each }) => each), check, machine] };
    const peers: Peer[] = [];
    try {
      for (const start of peersOf(suite, gguf)) {
        peers.push(await Peer.start(start, { ...setup, threads: start.threads }));
      }
      if (suite === 'prefill' || suite === 'decode') await checkWeights(peers, check);
      for (const each of cases) {
        const row = rowOf(about, suite, each, await takeTurns(peers, each));
        const line = `${JSON.stringify(row)}\n`;
        process.stdout.write(line);
        if (values.output !== undefined) appendFileSync(values.output, line);
        say(row);
      }
    } finally {
      for (const peer of peers) await peer.stop();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
