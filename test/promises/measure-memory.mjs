/**
 * One phase of one model in a process of its own, whose peak of resident memory the kernel keeps. usage:
 *   node measure-memory.mjs '<MemoryCase as JSON>'    prints {plan, baselineBytes, peakBytes, seconds, kvShare}
 * The baseline is this process with the addon loaded and an engine open, but no model.
 */
import { readFileSync } from 'node:fs';
import { Engine } from '../../dist/index.js';

/**
 * @typedef {object} MemoryCase
 * @property {string} dir
 * @property {'score' | 'generate' | 'train'} phase
 * @property {boolean} activationCheckpointing
 * @property {number} numSequences
 * @property {number} length tokens of each, generated ones included
 */
const given = /** @type {MemoryCase} */ (JSON.parse(process.argv[2] ?? ''));
const { dir, phase, activationCheckpointing, numSequences, length } = given;
const numTokens = numSequences * length;
const generated = 16;
const prefillChunk = 512;

/** @param {'VmRSS' | 'VmHWM'} name */
function residentBytes(name) {
  const [, kB] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kB) * 1024;
}

/** Different from each other from the first token on, so that no prefix is shared. @param {number} size */
const sequences = (size) =>
  Array.from({ length: numSequences }, (_, s) =>
    Int32Array.from({ length: size }, (_, i) => 1 + ((37 * s + i) % 1000)),
  );

const engine = Engine.open();
const plan = engine.plan({
  dir,
  head: 'lm',
  trainable: phase === 'train',
  activationCheckpointing,
  trainTokens: phase === 'train' ? numTokens : 0,
  scoreTokens: phase === 'score' ? numTokens : 0,
  maxSequences: numSequences,
  maxBatch: phase === 'generate' ? numSequences : 0,
  prefillChunk,
  contextLength: length,
  kvCacheBytes: 0,
});
const baselineBytes = residentBytes('VmRSS');
const started = performance.now();
const model = await engine.load(dir, { trainable: phase === 'train', activationCheckpointing, tokenizer: false });
let kvShare = null;
if (phase === 'score') {
  await model.score(sequences(length), { maxTokens: numTokens });
} else if (phase === 'generate') {
  const options = { maxTokens: generated, minTokens: generated, temperature: 1, maxBatch: numSequences, prefillChunk };
  const samples = model.generate(
    sequences(length - generated).map((tokens) => ({ tokens })),
    options,
  );
  for (;;) {
    const { done, value } = await samples.next();
    if (!done) continue;
    kvShare = value.peakKvBlocks / value.kvBlocks;
    break;
  }
} else {
  const perToken = (/** @type {number} */ value) => new Float32Array(numTokens).fill(value);
  const weights = perToken(1 / numTokens);
  for (let s = 0; s < numSequences; ++s) weights[s * length] = 0; // a first token has no log-prob
  await model.accumulate(sequences(length), {
    kind: 'policy',
    weights,
    advantages: perToken(1),
    oldLogprobs: perToken(-10),
    refLogprobs: new Float32Array(0),
    epsClipLow: 0.2,
    epsClipHigh: 0.2,
    klCoef: 0,
    klEstimator: 'k1',
    entropyCoef: 0.01,
    temperature: 1,
  });
  await model.step({ learningRate: 1e-6 });
}
const seconds = (performance.now() - started) / 1000;
process.stdout.write(JSON.stringify({ plan, baselineBytes, peakBytes: residentBytes('VmHWM'), seconds, kvShare }));
await engine.close();
