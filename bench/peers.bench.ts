/**
 * Our engine beside others, with the same weights, in one run (bench/peers/README.md says how). Prints a row of JSON a case on stdout,
 * and a table on stderr; without --torch, --llama and --trl our engine runs alone. A ratio is of our speed over theirs: of the medians, with
 * the interval that holds 99% of the bootstrapped ones.
 *
 *   npx tsx bench/peers.bench.ts [--shape qwen2.5-0.5b|smollm2-135m|nano | --model DIR] [--suite gemm,prefill,decode,train,rl,load,tokenize]
 *     [--turns 5] [--threads 2] [--isa avx512|avx2] [--torch PYTHON] [--attention sdpa,eager] [--training master,autocast] [--llama DIR]
 *     [--gguf BF16] [--trl PYTHON] [--trl-dtype float32,bfloat16] [--also 1,avx512,avx2] [--output FILE], and sizes, as below
 *
 * --also adds our own engine with another number of threads, or other kernels, as one more peer. `npm run bench -- peers` runs it with the
 * defaults: the shape of the embedded model, no peers.
 */
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
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { tokens } from '../src/bench/measures.js';
import { modelShape, shapeConfig } from '../src/bench/shapes.js';
import { readPrompts } from '../src/dataset/prompts.js';
import { Engine } from '../src/engine/engine.js';
import { commit } from '../src/launch/commit.js';
import { multipliedWeights } from '../src/plan/time.js';
import { type Program, Programs } from './peers/programs.js';
import { Peer, type PeerCase, type Repetition } from './peers/protocol.js';
import { linesOf, type Measured, rowOf } from './peers/report.js';
import { type SuiteCase, type SuiteOptions, suites } from './peers/suites.js';

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
    'share-prompts': { type: 'boolean', default: false },
    rl: { type: 'string', default: '8x8x64+128' },
    'kl-coef': { type: 'string', default: '0.01' },
    texts: { type: 'string' }, // a prompt file
    tokenizer: { type: 'string' }, // a folder with tokenizer.json; default: the model's
    output: { type: 'string' },
  },
});
const words = (text: string) => text.split(',').filter((word) => word !== '');
const numbers = (text: string) => words(text).map(Number);
const [threads, turns] = [Number(values.threads), Number(values.turns)];

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

/** The prompts of --texts as rows {text}, which need no reader of data sets. */
async function textsOf(model: string, folder: string): Promise<SuiteOptions['texts']> {
  if (values.texts === undefined) return undefined;
  const { prompts } = await readPrompts(values.texts);
  const file = join(folder, 'texts.jsonl');
  writeFileSync(file, prompts.map(({ prompt }) => `${JSON.stringify({ text: prompt })}\n`).join(''));
  return { file, tokenizer: resolve(values.tokenizer ?? model), count: prompts.length };
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

const machine: PeerCase = { name: 'machine', kind: 'machine' };
const limits = { flops: 0, readBytes: 0 };

/** Each in turn: one repetition to get ready, then `turns` of them. */
async function takeTurns(peers: readonly Peer[], { each, work }: SuiteCase): Promise<Measured[]> {
  const able = peers.filter((peer) => peer.can(each));
  const measured = able.map((peer) => ({ peer, repetitions: [] as Repetition[] }));
  for (let turn = 0; turn <= turns; ++turn) {
    const rates = await peers[0]!.run(machine.name);
    limits.flops = Math.max(limits.flops, rates.flops ?? 0);
    limits.readBytes = Math.max(limits.readBytes, rates.readBytes ?? 0);
    for (const { peer, repetitions } of measured) {
      const repetition = await peer.run(each.name);
      if (turn > 0) repetitions.push(repetition);
      limits.flops = Math.max(limits.flops, (work.flops ?? 0) / repetition.seconds);
    }
  }
  for (const peer of able) await peer.release(each.name);
  return measured;
}

interface SuiteRun {
  readonly suite: string;
  readonly cases: readonly SuiteCase[];
  readonly programs: readonly Program[];
  readonly model: string;
  readonly check: PeerCase;
  readonly about: object;
}

async function runSuite({ suite, cases, programs, model, check, about }: SuiteRun): Promise<void> {
  const setup = { model, cases: [...cases.map(({ each }) => each), check, machine] };
  const peers: Peer[] = [];
  try {
    for (const program of programs) peers.push(await Peer.start(program, { ...setup, threads: program.threads }));
    if (suite === 'prefill' || suite === 'decode') await checkWeights(peers, check);
    for (const each of cases) {
      const row = rowOf(about, suite, each, await takeTurns(peers, each), limits);
      const line = `${JSON.stringify(row)}\n`;
      process.stdout.write(line);
      if (values.output !== undefined) appendFileSync(values.output, line);
      process.stderr.write(`${linesOf(row).join('\n')}\n`);
    }
  } finally {
    for (const peer of peers) await peer.stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), 'limr-peers-'));
try {
  const model = await modelFolder(folder);
  const configFile = join(model, 'config.json');
  const shape = modelShape(JSON.parse(readFileSync(configFile, 'utf8')), configFile);
  const weightFiles = readdirSync(model).filter((name) => name.endsWith('.safetensors'));
  const sizes: SuiteOptions = {
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
    sharePrompts: values['share-prompts'],
    rl: values.rl,
    klCoef: Number(values['kl-coef']),
    texts: await textsOf(model, folder),
    weightBytes: weightFiles.reduce((sum, name) => sum + statSync(join(model, name)).size, 0),
  };
  const { isa, torch, llama, gguf, trl } = values;
  const lists = { attention: words(values.attention), training: words(values.training), also: words(values.also) };
  const trlDtype = words(values['trl-dtype']);
  const programs = new Programs({ threads, isa, torch, llama, gguf, trl, trlDtype, ...lists }, model, folder);
  const about = {
    date: new Date().toISOString(),
    commit: await commit(),
    cpu: cpus()[0]?.model ?? '',
    threads,
    isa: isa === '' ? 'best' : isa,
    model: values.model === undefined ? values.shape : values.model.split('/').at(-1),
    parameters: multipliedWeights(shape),
  };
  const check = { name: 'check', kind: 'check', tokens: Array.from(tokens(48, shape.vocabSize)) };
  for (const suite of words(values.suite)) {
    const make = suites[suite];
    if (make === undefined) throw new Error(`--suite ${suite}: known are ${Object.keys(suites).join(', ')}`);
    await runSuite({ suite, cases: make(shape, sizes), programs: programs.of(suite), model, check, about });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
