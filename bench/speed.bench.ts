/**
 * First speeds: prefill, decode and training of a random model, beside PyTorch in the same run. The cases and their counts of
 * flops are those of bench/peers/torch_speed.py; engine and peer take turns, and a ratio is one of medians over the turns.
 *
 *   npx tsx bench/speed.bench.ts [--model nano|qwen2.5-0.5b] [--turns 3] [--threads 2] [--peer path/to/python] [--output FILE]
 *
 * `npm run bench -- speed` runs it with the defaults. Without --peer only the engine runs. Prints a row of JSON a case.
 */
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadNative, type NativeContext, type NativeModel } from '../src/native.js';

const shapes = {
  'qwen2.5-0.5b': {
    vocab_size: 151936,
    hidden_size: 896,
    intermediate_size: 4864,
    num_hidden_layers: 24,
    num_attention_heads: 14,
    num_key_value_heads: 2,
  },
  nano: {
    vocab_size: 512,
    hidden_size: 256,
    intermediate_size: 704,
    num_hidden_layers: 6,
    num_attention_heads: 4,
    num_key_value_heads: 2,
  },
} as const;

const prefillTokens = 512;
const decodeContext = 64;
const decodeTokens = 16;
const decodeBatches = [1, 16, 64];
const trainSequences = 4;
const trainLength = 256;

/** Seconds for `tokens` tokens. */
interface Timing {
  readonly case: string;
  readonly tokens: number;
  readonly seconds: number;
}

function ids(count: number, vocabSize: number): Int32Array {
  let state = 1;
  return Int32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state >>> 8) % vocabSize;
  });
}

function sequences(count: number, length: number, vocabSize: number) {
  return {
    tokens: ids(count * length, vocabSize),
    offsets: Int32Array.from({ length: count + 1 }, (_, s) => s * length),
  };
}

async function generateOnce(model: NativeModel, batch: number, promptLength: number, maxTokens: number) {
  return model.generate(
    {
      ...sequences(batch, promptLength, model.info.vocabSize),
      rows: Int32Array.from({ length: batch }, (_, i) => i),
      samplesPerPrompt: 1,
      seed: 1,
      purpose: 0,
      rollout: 0,
      temperature: 0,
      topK: 0,
      topP: 1,
      minP: 0,
      logprobTemperature: 1,
      minTokens: maxTokens,
      maxTokens,
      eosTokenIds: new Int32Array(0),
      stopStrings: [],
      bannedTokenIds: new Int32Array(0),
      maxBatch: batch,
      prefillChunk: 1 << 16,
      kvCacheBytes: 0,
      maxUnacknowledged: 0,
    },
    () => undefined,
  );
}

/** Every case once, on a model that has been warmed up. */
async function measure(model: NativeModel): Promise<Timing[]> {
  const timings: Timing[] = [];
  const prefill = await generateOnce(model, 1, prefillTokens + 1, 1);
  timings.push({ case: `prefill-${prefillTokens}`, tokens: prefillTokens, seconds: prefill.prefillSeconds });
  for (const batch of decodeBatches) {
    const stats = await generateOnce(model, batch, decodeContext + 1, decodeTokens);
    timings.push({
      case: `decode-b${batch}`,
      tokens: batch,
      seconds: stats.decodeSeconds / stats.decodeSteps,
    });
  }
  const batch = sequences(trainSequences, trainLength, model.info.vocabSize);
  const weights = new Float32Array(batch.tokens.length).fill(1 / batch.tokens.length);
  for (let s = 0; s < trainSequences; s++) weights[s * trainLength] = 0;
  const start = performance.now();
  await model.accumulate(batch, { kind: 'cross_entropy', weights, temperature: 1 });
  await model.step({ learningRate: 1e-6, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0, maxGradNorm: 1 });
  timings.push({
    case: `train-${trainSequences}x${trainLength}`,
    tokens: batch.tokens.length,
    seconds: (performance.now() - start) / 1000,
  });
  return timings;
}

/** One turn of the engine, which then frees its memory: at 0.5B the peer alone takes 14 GB. */
async function measureEngine(context: NativeContext, folder: string): Promise<Timing[]> {
  const model = await context.load({
    dir: folder,
    head: 'lm',
    trainable: true,
    randomSeed: 1,
    valueHeadSeed: 0,
    activationCheckpointing: false,
  });
  await measure(model); // warm-up: pages are touched for the first time
  const timings = await measure(model);
  await model.close();
  return timings;
}

/** The peer's rows for the same model, seconds by case. */
function measurePeer(python: string, model: string, threads: number): { name: string; seconds: Map<string, number> } {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'peers', 'torch_speed.py');
  const run = spawnSync(python, [script, '--model', model, '--threads', `${threads}`, '--runs', '3'], {
    encoding: 'utf8',
  });
  if (run.status !== 0) throw new Error(`${python} ${script} failed: ${run.stderr}`);
  const rows = run.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { peer: string; case: string; median_s: number });
  return { name: rows[0]?.peer ?? 'none', seconds: new Map(rows.map((r) => [r.case, r.median_s])) };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

const { values } = parseArgs({
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    model: { type: 'string', default: 'nano' },
    turns: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    peer: { type: 'string' },
    output: { type: 'string' },
  },
});
const shape = shapes[values.model as keyof typeof shapes];
if (shape === undefined) throw new Error(`--model ${values.model}: known are ${Object.keys(shapes).join(', ')}`);
const threads = Number(values.threads);
const folder = mkdtempSync(join(tmpdir(), 'limr-speed-'));
try {
  writeFileSync(
    join(folder, 'config.json'),
    JSON.stringify({
      ...shape,
      model_type: 'qwen2',
      hidden_act: 'silu',
      rms_norm_eps: 1e-6,
      rope_theta: 1e6,
      max_position_embeddings: 4096,
      tie_word_embeddings: true,
    }),
  );
  const context = loadNative().createContext({ threads, isa: '', memoryLimitBytes: 0, checkNans: false });
  const ours = new Map<string, number[]>();
  const theirs = new Map<string, number[]>();
  const tokens = new Map<string, number>();
  let peerName = '';
  for (let turn = 0; turn < Number(values.turns); turn++) {
    for (const t of await measureEngine(context, folder)) {
      ours.set(t.case, [...(ours.get(t.case) ?? []), t.seconds]);
      tokens.set(t.case, t.tokens);
    }
    if (values.peer !== undefined) {
      const peer = measurePeer(values.peer, values.model, threads);
      peerName = peer.name;
      for (const [name, seconds] of peer.seconds) theirs.set(name, [...(theirs.get(name) ?? []), seconds]);
    }
  }
  for (const [name, seconds] of ours) {
    const mine = median(seconds);
    const other = theirs.has(name) ? median(theirs.get(name) ?? []) : undefined;
    const line = JSON.stringify({
      model: values.model,
      case: name,
      isa: context.isa,
      threads,
      cpu: cpus()[0]?.model,
      turns: seconds.length,
      tokens_per_s: Number(((tokens.get(name) ?? 0) / mine).toFixed(1)),
      ...(other === undefined
        ? {}
        : {
            peer: peerName,
            peer_tokens_per_s: Number(((tokens.get(name) ?? 0) / other).toFixed(1)),
            ratio: Number((other / mine).toFixed(2)),
          }),
    });
    process.stdout.write(`${line}\n`);
    if (values.output !== undefined) appendFileSync(values.output, `${line}\n`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
