/**
 * A language model small enough to train in a test: the next token depends on the present one alone, through a table of
 * logits (a value head has one number a token instead). Gradients, AdamW and random numbers are real, and it keeps the
 * engine's contract: samples finish in an order of their own, log-probs of sampler and trainer are the same bits.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EngineModel } from '../../src/engine/port.js';
import { LimrError } from '../../src/errors.js';
import type {
  NativeGenerateRequest,
  NativeGenerateStats,
  NativeLoss,
  NativeLossTerms,
  NativePacked,
  NativeSample,
  NativeScoreRequest,
  NativeScores,
  NativeStepOptions,
  NativeStepResult,
} from '../../src/native.js';
import type { ModelLoader, ModelRole } from '../../src/ppo/models.js';
import { philox } from '../../src/random.js';
import { computed } from '../engine/computed.js';

export const vocabSize = 12;

export interface BigramHooks {
  /** Called at every point where a test may want to act: a verb and how far it is. */
  readonly at?: (point: string) => void;
  /** Makes the gradients of these optimizer steps (counted from 1) NaN. */
  readonly poison?: (role: ModelRole, step: number) => boolean;
  /** Sees every loss that the trainer sends. */
  readonly onAccumulate?: (role: ModelRole, batch: NativePacked, loss: NativeLoss) => void;
}

/** Loads fresh models, or those that `save` wrote. */
export const bigramLoader =
  (hooks: BigramHooks = {}): ModelLoader =>
  async (role, dir) => {
    const model = new BigramModel(role, hooks);
    if (dir !== null) await model.load(dir);
    return model;
  };

class BigramModel implements EngineModel {
  private readonly weights: Float64Array;
  private readonly gradient: Float64Array;
  private readonly expAvg: Float64Array;
  private readonly expAvgSq: Float64Array;
  private steps = 0;
  private aborted = false;
  private running = false;

  constructor(
    private readonly role: ModelRole,
    private readonly hooks: BigramHooks,
  ) {
    const size = role === 'critic' ? vocabSize : vocabSize * vocabSize;
    this.weights = Float64Array.from({ length: size }, (_, i) => philox([i, 0, 0, 0], [1, 2])[0] / 2 ** 32 - 0.5);
    this.gradient = new Float64Array(size);
    this.expAvg = new Float64Array(size);
    this.expAvgSq = new Float64Array(size);
  }

  async *generate(request: NativeGenerateRequest): AsyncGenerator<NativeSample, NativeGenerateStats, void> {
    this.begin('generate');
    try {
      const samples: NativeSample[] = [];
      for (let prompt = 0; prompt + 1 < request.offsets.length; ++prompt)
        for (let sample = 0; sample < request.samplesPerPrompt; ++sample)
          samples.push(this.draw(request, prompt, sample));
      samples.sort((a, b) => a.tokens.length - b.tokens.length || b.prompt - a.prompt);
      for (const [i, sample] of samples.entries()) {
        if (i % 4 === 0) await new Promise(setImmediate);
        this.point('generate');
        yield sample;
      }
      const generatedTokens = samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
      const none = { prefillTokens: 0, preemptions: 0, decodeSteps: 0, waitSeconds: 0, kvBlocks: 0, peakKvBlocks: 0 };
      return { ...none, promptTokens: request.tokens.length, generatedTokens, prefillSeconds: 0, decodeSeconds: 0 };
    } finally {
      this.running = false;
    }
  }

  private draw(request: NativeGenerateRequest, prompt: number, sample: number): NativeSample {
    const tokens: number[] = [];
    const logprobs: number[] = [];
    let last = request.tokens[request.offsets[prompt + 1]! - 1]!;
    for (let position = 0; position < request.maxTokens; ++position) {
      const counter = [request.rollout, request.rows[prompt]!, sample, position] as const;
      const u = philox([...counter], [request.seed, request.purpose])[0] / 2 ** 32;
      last = this.pick(last, request.temperature, u);
      const before = tokens.at(-1) ?? request.tokens[request.offsets[prompt + 1]! - 1]!;
      logprobs.push(Math.fround(this.logSoftmax(before, request.logprobTemperature)[last]!));
      tokens.push(last);
      if (request.eosTokenIds.includes(last)) break;
    }
    const stopReason = request.eosTokenIds.includes(last) ? 'eos' : 'length';
    return { prompt, sample, tokens: Int32Array.from(tokens), logprobs: Float32Array.from(logprobs), stopReason };
  }

  private pick(last: number, temperature: number, u: number): number {
    const logprobs = this.logSoftmax(last, temperature === 0 ? 1 : temperature);
    if (temperature === 0) return logprobs.indexOf(Math.max(...logprobs));
    let sum = 0;
    const found = logprobs.findIndex((logprob) => {
      sum += Math.exp(logprob);
      return u < sum;
    });
    return found === -1 ? vocabSize - 1 : found;
  }

  async score({ tokens, offsets, temperature }: NativeScoreRequest): Promise<NativeScores> {
    this.begin('score');
    await new Promise(setImmediate);
    this.running = false;
    const output = new Float32Array(tokens.length).fill(Number.NaN);
    const entropy = new Float32Array(tokens.length).fill(Number.NaN);
    for (let s = 0; s + 1 < offsets.length; ++s)
      for (let i = offsets[s]! + 1; i < offsets[s + 1]!; ++i) {
        const before = tokens[i - 1]!;
        output[i] = this.role === 'critic' ? this.weights[before]! : this.logSoftmax(before, temperature)[tokens[i]!]!;
        entropy[i] = this.role === 'critic' ? 0 : entropyOf(this.logSoftmax(before, temperature));
      }
    const empty = new Float32Array();
    return this.role === 'critic'
      ? { logprobs: empty, entropy: empty, values: output, ...computed({ tokens, offsets }) }
      : { logprobs: output, entropy, values: empty, ...computed({ tokens, offsets }) };
  }

  async accumulate(batch: NativePacked, loss: NativeLoss): Promise<NativeLossTerms> {
    this.begin('accumulate');
    this.hooks.onAccumulate?.(this.role, batch, loss);
    await new Promise(setImmediate);
    this.point('accumulate');
    this.running = false;
    const { tokens } = batch;
    const out = { losses: zeros(tokens), outputs: zeros(tokens), entropy: zeros(tokens) };
    for (const [i, weight] of loss.weights.entries()) {
      if (weight === 0) continue;
      const before = tokens[i - 1]!;
      if (loss.kind === 'value') this.valueTerm(loss, out, i, before);
      else if (loss.kind === 'policy') this.policyTerm(loss, out, i, before, tokens[i]!);
      else throw new LimrError('LIMR_UNSUPPORTED', 'no cross entropy here');
    }
    const poisoned = this.hooks.poison?.(this.role, this.steps + 1) === true;
    if (poisoned) this.gradient.fill(Number.NaN);
    return {
      ...out,
      entropy: loss.kind === 'value' ? new Float32Array() : out.entropy,
      nonFinite: poisoned ? 'lm_head' : '',
      ...computed(batch),
    };
  }

  private valueTerm(loss: NativeLoss & { kind: 'value' }, out: Terms, i: number, before: number): void {
    const [value, old, target] = [Math.fround(this.weights[before]!), loss.oldValues[i]!, loss.returns[i]!];
    const clip = loss.valueClip > 0 ? loss.valueClip : Number.POSITIVE_INFINITY;
    const clipped = old + Math.min(clip, Math.max(-clip, value - old));
    const free = (value - target) ** 2 >= (clipped - target) ** 2;
    out.outputs[i] = value;
    out.losses[i] = 0.5 * Math.max((value - target) ** 2, (clipped - target) ** 2) * loss.weights[i]!;
    if (free || clipped === value) this.gradient[before]! += loss.weights[i]! * (value - target);
  }

  private policyTerm(
    loss: NativeLoss & { kind: 'policy' },
    out: Terms,
    i: number,
    before: number,
    token: number,
  ): void {
    const logprobs = this.logSoftmax(before, loss.temperature);
    const logprob = Math.fround(logprobs[token]!);
    const [advantage, weight] = [loss.advantages[i]!, loss.weights[i]!];
    const ratio = Math.exp(logprob - loss.oldLogprobs[i]!);
    const clamped = Math.min(1 + loss.epsClipHigh, Math.max(1 - loss.epsClipLow, ratio));
    const entropy = entropyOf(logprobs);
    let value = -Math.min(ratio * advantage, clamped * advantage) - loss.entropyCoef * entropy;
    let slope = ratio * advantage <= clamped * advantage ? -ratio * advantage : 0;
    if (loss.klCoef > 0) {
      const d = logprob - loss.refLogprobs[i]!;
      const kl = { k1: d, k2: (d * d) / 2, k3: Math.expm1(-d) + d }[loss.klEstimator];
      value += loss.klCoef * kl;
      slope += loss.klCoef * { k1: 1, k2: d, k3: -Math.expm1(-d) }[loss.klEstimator];
    }
    out.outputs[i] = logprob;
    out.entropy[i] = entropy;
    out.losses[i] = value * weight;
    for (const [v, lp] of logprobs.entries()) {
      const p = Math.exp(lp);
      const dLogprob = (v === token ? 1 : 0) - p;
      const dEntropy = -p * (lp + entropy);
      this.gradient[before * vocabSize + v]! +=
        (weight * (slope * dLogprob - loss.entropyCoef * dEntropy)) / loss.temperature;
    }
  }

  async step(options: NativeStepOptions): Promise<NativeStepResult> {
    this.begin('step');
    await new Promise(setImmediate);
    this.running = false;
    const gradNorm = Math.sqrt(this.gradient.reduce((sum, g) => sum + g * g, 0));
    const skipped = !Number.isFinite(gradNorm);
    if (!skipped)
      this.adamw(options, options.maxGradNorm > 0 ? Math.min(1, options.maxGradNorm / (gradNorm + 1e-6)) : 1);
    this.gradient.fill(0);
    return { gradNorm, skipped, nonFinite: skipped ? 'weights' : '' };
  }

  private adamw({ learningRate, beta1, beta2, eps }: NativeStepOptions, scale: number): void {
    this.steps += 1;
    const [bias1, bias2] = [1 - beta1 ** this.steps, 1 - beta2 ** this.steps];
    for (const [i, raw] of this.gradient.entries()) {
      const g = raw * scale;
      this.expAvg[i] = beta1 * this.expAvg[i]! + (1 - beta1) * g;
      this.expAvgSq[i] = beta2 * this.expAvgSq[i]! + (1 - beta2) * g * g;
      this.weights[i]! -= (learningRate * (this.expAvg[i]! / bias1)) / (Math.sqrt(this.expAvgSq[i]! / bias2) + eps);
    }
  }

  samplingProgress() {
    return { generatedTokens: 0, running: 0, waiting: 0 };
  }

  abort(): void {
    if (this.running) this.aborted = true;
  }

  async save(dir: string): Promise<void> {
    await writeFile(join(dir, 'config.json'), '{"model_type": "bigram"}\n');
    await this.writeHalves(join(dir, 'model.bin'), new Uint8Array(this.weights.buffer));
  }

  async saveOptimizer(file: string): Promise<void> {
    const state = Float64Array.of(this.steps, ...this.expAvg, ...this.expAvgSq);
    await this.writeHalves(file, new Uint8Array(state.buffer));
  }

  /** In two writes, so that a kill can fall between them. */
  private async writeHalves(file: string, bytes: Uint8Array): Promise<void> {
    await writeFile(file, bytes.subarray(0, bytes.length / 2));
    this.hooks.at?.(`${this.role} save`);
    await writeFile(file, bytes.subarray(bytes.length / 2), { flag: 'a' });
  }

  async load(dir: string): Promise<void> {
    this.weights.set(new Float64Array(await readBytes(join(dir, 'model.bin'))));
  }

  async loadOptimizer(file: string): Promise<void> {
    const state = new Float64Array(await readBytes(file));
    const size = this.weights.length;
    this.steps = state[0]!;
    this.expAvg.set(state.subarray(1, 1 + size));
    this.expAvgSq.set(state.subarray(1 + size));
  }

  async close(): Promise<void> {
    if (this.running) this.aborted = true;
  }

  private begin(verb: string): void {
    if (this.running) throw new LimrError('LIMR_BUSY', `${verb} while another verb runs`);
    this.running = true;
    this.aborted = false;
    this.point(verb);
  }

  private point(name: string): void {
    this.hooks.at?.(`${this.role} ${name}`);
    if (!this.aborted) return;
    this.running = false;
    throw new LimrError('LIMR_ABORTED', `${name} was aborted`);
  }

  private logSoftmax(before: number, temperature: number): number[] {
    const logits = Array.from(
      this.weights.subarray(before * vocabSize, (before + 1) * vocabSize),
      (w) => w / temperature,
    );
    const top = Math.max(...logits);
    const logSum = top + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0));
    return logits.map((logit) => logit - logSum);
  }
}

interface Terms {
  readonly losses: Float32Array;
  readonly outputs: Float32Array;
  readonly entropy: Float32Array;
}

const zeros = (like: Int32Array): Float32Array => new Float32Array(like.length);

const entropyOf = (logprobs: readonly number[]): number => -logprobs.reduce((sum, lp) => sum + Math.exp(lp) * lp, 0);

async function readBytes(file: string): Promise<ArrayBuffer> {
  const bytes = await readFile(file);
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}
