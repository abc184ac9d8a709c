/**
 * LIMR's recipe where it is tightest: actor, critic and reference of 7 billion parameters each take turns on one GPU, with random weights
 * of the real shape. One rollout in small, then two updates of the actor and two of the critic, each on a whole micro-batch; seconds of
 * every part, and the most memory that was taken beside what `plan` says. JSON lines on stdout.
 *   node bench/gpu/placement.mjs [--app FOLDER] [--small]        FOLDER: where dist/ is
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { app: { type: 'string' }, small: { type: 'boolean' } } });
/** @param {string} file */
const at = (file) => import(pathToFileURL(resolve(values.app ?? '.', 'dist', file)).href);
const [
  { Engine },
  { loadNative },
  { planTraining },
  { resolveTrainConfig, tokenBudgets },
  { recipes },
  { requireGpu },
] = await Promise.all(
  ['index.js', 'native.js', 'plan/training.js', 'ppo/config.js', 'ppo/recipes.js', 'engine/cuda.js'].map(at),
);

const shape = {
  architectures: ['Qwen2ForCausalLM'],
  model_type: 'qwen2',
  hidden_act: 'silu',
  initializer_range: 0.02,
  rms_norm_eps: 1e-6,
  rope_theta: 10000,
  tie_word_embeddings: false,
  ...(values.small
    ? { vocab_size: 288, hidden_size: 96, intermediate_size: 64, num_hidden_layers: 2, num_attention_heads: 6 }
    : {
        vocab_size: 152064,
        hidden_size: 3584,
        intermediate_size: 18944,
        num_hidden_layers: 28,
        num_attention_heads: 28,
      }),
  num_key_value_heads: values.small ? 2 : 4,
  max_position_embeddings: 4096,
};
const sizes = values.small
  ? { promptMaxLen: 24, generateMaxLen: 8, microTrainMaxTokens: 64, maxBatch: 4 }
  : { promptMaxLen: 1024, generateMaxLen: 3072, microTrainMaxTokens: 16384, maxBatch: 64 };

/** @param {Record<string, unknown>} row */
const print = (row) => process.stdout.write(`${JSON.stringify({ bench: 'placement', ...row })}\n`);
/**
 * @template T
 * @param {string} part
 * @param {() => Promise<T>} body
 * @param {Record<string, unknown>} note
 */
const timed = async (part, body, note = {}) => {
  const began = performance.now();
  const result = await body();
  print({ part, seconds: (performance.now() - began) / 1000, ...note });
  return result;
};

/** Bytes of the GPU that are in use, looked at ten times a second; undefined without nvidia-smi. */
function watchMemory() {
  let most = Number.NaN;
  const child = spawn('nvidia-smi', ['--query-gpu=memory.used', '--format=csv,noheader,nounits', '--loop-ms=100'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.on('error', () => {});
  child.stdout.on('data', (text) => {
    for (const line of String(text).trim().split('\n')) {
      const bytes = Number(line) * 2 ** 20;
      if (Number.isFinite(bytes)) most = Math.max(Number.isNaN(most) ? 0 : most, bytes);
    }
  });
  return { most: () => (Number.isNaN(most) ? undefined : most), stop: () => child.kill() };
}

const folder = await mkdtemp(join(tmpdir(), 'limr-placement-'));
const memory = watchMemory();
try {
  await writeFile(join(folder, 'config.json'), JSON.stringify(shape));
  const addon = loadNative();
  const { memoryBytes: hostBytes, cpus } = addon.machine();
  const gpu = requireGpu(0);
  const limitBytes = gpu.freeBytes;
  const config = resolveTrainConfig({ ...recipes.limr, ...sizes, optimizerMoments: '8bit' });
  const plan = planTraining({
    config,
    dir: folder,
    threads: cpus,
    limitBytes: values.small ? limitBytes : Math.min(limitBytes, 80e9),
    gpuHostBytes: hostBytes,
    numPrompts: 1389,
    planModel: addon.plan,
  });
  print({
    part: 'plan',
    fits: plan.fits,
    placement: plan.memory.placement,
    gpu_bytes: plan.memory.totalBytes,
    host_bytes: plan.memory.hostBytes,
    limit_bytes: limitBytes,
  });

  const engine = Engine.open({ device: 'cuda', memoryLimit: limitBytes });
  /**
   * @param {string} role
   * @param {Record<string, unknown>} options
   */
  const load = (role, options) =>
    timed(`load ${role}`, () =>
      engine.load(folder, {
        randomSeed: 1,
        tokenizer: false,
        takeTurns: true,
        ...(options.trainable ? { optimizerOnHost: true, moments: '8bit' } : {}),
        ...options,
      }),
    );
  const actor = await load('actor', { trainable: true });
  const critic = await load('critic', { trainable: true, head: 'value' });
  const reference = await load('reference', {});

  const tokens = tokenBudgets(config).train;
  const length = Math.min(config.promptMaxLen + config.generateMaxLen, tokens);
  /**
   * @param {number} count
   * @param {number} start
   */
  const ids = (count, start) =>
    Int32Array.from({ length: count }, (_, i) => (Math.imul(start + i + 1, 0x9e3779b1) >>> 8) % shape.vocab_size);
  const packed = Array.from({ length: Math.floor(tokens / length) }, (_, s) => ids(length, s * length));
  const count = packed.length * length;

  const prompts = Array.from({ length: values.small ? 1 : 8 }, (_, p) => ({
    tokens: ids(config.promptMaxLen, p * 7919),
  }));
  const newTokens = values.small ? 8 : 64;
  await timed(
    'generate',
    async () => {
      const stream = actor.generate(prompts, {
        samplesPerPrompt: config.maxBatch / prompts.length,
        maxTokens: newTokens,
        minTokens: newTokens,
        maxBatch: config.maxBatch,
        temperature: 1.2,
      });
      for (;;) {
        const next = await stream.next();
        if (next.done) return next.value;
      }
    },
    { tokens: config.maxBatch * newTokens },
  );
  await timed('score reference', () => reference.score(packed, { maxTokens: count, temperature: 1.2 }), {
    tokens: count,
  });
  const { values: oldValues } = await timed('score critic', () => critic.score(packed, { maxTokens: count }), {
    tokens: count,
  });
  const { logprobs: oldLogprobs } = await timed(
    'score actor',
    () => actor.score(packed, { maxTokens: count, temperature: 1.2 }),
    { tokens: count },
  );

  const weights = Float32Array.from({ length: count }, (_, i) => (i % length === 0 ? 0 : 1 / (count - packed.length)));
  /** @param {Float32Array} array */
  const known = (array) => array.map((x) => (Number.isNaN(x) ? 0 : x));
  const policyLoss = {
    kind: 'policy',
    weights,
    advantages: weights.map((_, i) => Math.sin(i)),
    oldLogprobs: known(oldLogprobs),
    refLogprobs: new Float32Array(),
    epsClipLow: 0.2,
    epsClipHigh: 0.2,
    klCoef: 0,
    klEstimator: 'k1',
    entropyCoef: 0,
    temperature: 1.2,
  };
  const valueLoss = {
    kind: 'value',
    weights,
    oldValues: known(oldValues),
    returns: weights.map((_, i) => Math.cos(i)),
    valueClip: 0.2,
  };
  /** @type {[string, typeof actor, Record<string, unknown>, number][]} */
  const updates = [
    ['actor', actor, policyLoss, 5e-7],
    ['critic', critic, valueLoss, 9e-6],
  ];
  for (const [role, model, loss, learningRate] of updates) {
    for (const update of [1, 2]) {
      const terms = await timed(`${role} accumulate ${update}`, () => model.accumulate(packed, loss), {
        tokens: count,
      });
      const step = await timed(`${role} step ${update}`, () => model.step({ learningRate }));
      const total = terms.losses.reduce((/** @type {number} */ sum, /** @type {number} */ x) => sum + x, 0);
      print({ part: `${role} update ${update}`, loss: total, grad_norm: step.gradNorm });
      if (terms.nonFinite !== '' || step.skipped || !Number.isFinite(total))
        throw new Error(`${role} update ${update} is not finite: ${terms.nonFinite}`);
    }
  }
  memory.stop();
  // What a process without a model has is not counted: the driver's context.
  const most = memory.most();
  const measured = most === undefined ? null : most - (gpu.memoryBytes - gpu.freeBytes);
  print({
    part: 'memory',
    planned_gpu_bytes: plan.memory.totalBytes,
    measured_gpu_bytes: measured,
    planned_host_bytes: plan.memory.hostBytes,
    process_bytes: process.resourceUsage().maxRSS * 1024,
  });
  await engine.close();
  if (measured !== null && !values.small && measured > plan.memory.totalBytes * 1.02)
    throw new Error(`${measured} bytes of the GPU were taken, ${plan.memory.totalBytes} were planned`);
} finally {
  memory.stop();
  await rm(folder, { recursive: true });
}
