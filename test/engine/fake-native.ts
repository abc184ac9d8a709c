/** An addon in TypeScript, for what stands above the addon: it keeps the contract of src/native.ts and computes nothing. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LimrError } from '../../src/errors.js';
import type {
  NativeAddon,
  NativeContextOptions,
  NativeGenerateRequest,
  NativeGenerateStats,
  NativeHiddenRequest,
  NativeLoadOptions,
  NativeLoss,
  NativeLossTerms,
  NativeModel,
  NativeModelInfo,
  NativePacked,
  NativePlan,
  NativePlanRequest,
  NativeSample,
  NativeScoreRequest,
  NativeScores,
  NativeStepOptions,
  NativeToken,
} from '../../src/native.js';
import { computed } from './computed.js';

export interface FakeOptions {
  readonly vocabSize?: number;
  readonly maxPositionEmbeddings?: number;
  /** Tokens that a sample gets; its stop reason is "eos" when the last one ends a text, else "length". */
  readonly respond?: (prompt: Int32Array, sample: number, request: NativeGenerateRequest) => readonly number[];
  /** Loss of a cross-entropy batch's tokens, before weights. */
  readonly tokenLoss?: (token: number) => number;
  readonly saveError?: () => Error;
  readonly plan?: (request: NativePlanRequest) => NativePlan;
}

export interface Call {
  readonly verb: string;
  readonly argument: unknown;
}

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

export class FakeModel implements NativeModel {
  readonly calls: Call[] = [];
  optimizerSteps = 0;
  unacknowledged = 0;
  mostUnacknowledged = 0;
  closed = false;
  private aborted = false;
  readonly info: NativeModelInfo;

  constructor(
    readonly loaded: NativeLoadOptions,
    private readonly options: FakeOptions,
  ) {
    this.info = {
      modelType: 'qwen2',
      vocabSize: options.vocabSize ?? 300,
      hiddenSize: 8,
      intermediateSize: 16,
      numHiddenLayers: 1,
      numAttentionHeads: 2,
      numKeyValueHeads: 1,
      headDim: 4,
      maxPositionEmbeddings: options.maxPositionEmbeddings ?? 512,
      tieWordEmbeddings: true,
      head: loaded.head,
      trainable: loaded.trainable,
      numParameters: 1000,
      weightBytes: 2000,
      optimizerBytes: loaded.trainable ? 14_000 : 0,
    };
  }

  setTokenBytes(bytes: Uint8Array, offsets: Int32Array): void {
    this.calls.push({ verb: 'setTokenBytes', argument: { bytes, offsets } });
  }

  async generate(
    request: NativeGenerateRequest,
    receive: (samples: NativeSample[], tokens: NativeToken[]) => void,
  ): Promise<NativeGenerateStats> {
    this.calls.push({ verb: 'generate', argument: request });
    this.aborted = false;
    this.unacknowledged = 0;
    let generatedTokens = 0;
    for (let prompt = 0; prompt + 1 < request.offsets.length; ++prompt) {
      const tokens = request.tokens.subarray(request.offsets[prompt], request.offsets[prompt + 1]);
      for (let sample = 0; sample < request.samplesPerPrompt; ++sample) {
        do await tick();
        while (this.unacknowledged >= request.maxUnacknowledged && !this.aborted);
        if (this.aborted) throw new LimrError('LIMR_ABORTED', 'generate was aborted');
        const respond = this.options.respond ?? (() => [1, 2, 3]);
        const response = Int32Array.from(respond(tokens, sample, request)).subarray(0, request.maxTokens);
        const ended = request.eosTokenIds.includes(response.at(-1) ?? -1);
        generatedTokens += response.length;
        this.unacknowledged += 1;
        this.mostUnacknowledged = Math.max(this.mostUnacknowledged, this.unacknowledged);
        receive(
          [
            {
              prompt,
              sample,
              tokens: response,
              logprobs: new Float32Array(response.length).fill(-1),
              stopReason: ended ? 'eos' : 'length',
            },
          ],
          [],
        );
      }
    }
    const promptTokens = request.tokens.length;
    const decodeSteps = generatedTokens;
    const seconds = { prefillSeconds: 0.5, decodeSeconds: 1, waitSeconds: 0 };
    const counts = { preemptions: 0, kvBlocks: 1, peakKvBlocks: 1 };
    return { promptTokens, prefillTokens: promptTokens, generatedTokens, decodeSteps, ...seconds, ...counts };
  }

  acknowledge(count: number): void {
    this.unacknowledged -= count;
  }

  samplingProgress() {
    return { generatedTokens: 0, running: 0, waiting: 0 };
  }

  abort(): void {
    this.calls.push({ verb: 'abort', argument: undefined });
    this.aborted = true;
  }

  async score(request: NativeScoreRequest): Promise<NativeScores> {
    this.calls.push({ verb: 'score', argument: request });
    await tick();
    if (this.aborted) throw new LimrError('LIMR_ABORTED', 'score was aborted');
    const perToken = (value: number) => {
      const array = new Float32Array(request.tokens.length).fill(value);
      for (const offset of request.offsets.subarray(0, -1)) array[offset] = Number.NaN;
      return array;
    };
    const isValue = this.info.head === 'value';
    const none = new Float32Array(0);
    return isValue
      ? { logprobs: none, entropy: none, values: perToken(0.25), ...computed(request) }
      : { logprobs: perToken(-0.5), entropy: perToken(1), values: none, ...computed(request) };
  }

  async logits(request: NativePacked): Promise<Float32Array> {
    return Float32Array.from({ length: request.tokens.length * this.info.vocabSize }, (_, i) => i);
  }

  /** Each sequence's first token, hiddenSize times. */
  async meanHiddenStates(request: NativeHiddenRequest): Promise<Float32Array> {
    this.calls.push({ verb: 'meanHiddenStates', argument: request });
    await tick();
    if (this.aborted) throw new LimrError('LIMR_ABORTED', 'meanHiddenStates was aborted');
    return Float32Array.from(
      Array.from(request.offsets.subarray(0, -1)).flatMap((at) =>
        new Array<number>(this.info.hiddenSize).fill(request.tokens[at]!),
      ),
    );
  }

  async accumulate(batch: NativePacked, loss: NativeLoss): Promise<NativeLossTerms> {
    this.calls.push({ verb: 'accumulate', argument: { batch, loss } });
    const tokenLoss = this.options.tokenLoss ?? (() => 1);
    const losses = Float32Array.from(batch.tokens, (token, i) => tokenLoss(token) * loss.weights[i]!);
    const outputs = new Float32Array(batch.tokens.length);
    return { losses, outputs, entropy: new Float32Array(0), nonFinite: '', ...computed(batch) };
  }

  async step(options: NativeStepOptions) {
    this.calls.push({ verb: 'step', argument: options });
    this.optimizerSteps += 1;
    return { gradNorm: 0.5, skipped: false, nonFinite: '' };
  }

  async zeroGrad(): Promise<void> {
    this.calls.push({ verb: 'zeroGrad', argument: undefined });
  }

  async save(dir: string): Promise<void> {
    await writeFile(join(dir, 'config.json'), '{"model_type": "qwen2"}');
    if (this.options.saveError !== undefined) throw this.options.saveError();
    await writeFile(join(dir, 'model.safetensors'), 'weights');
  }

  async saveOptimizer(file: string): Promise<void> {
    await writeFile(file, 'optimizer');
  }

  async loadOptimizer(file: string): Promise<void> {
    this.calls.push({ verb: 'loadOptimizer', argument: file });
  }

  tensorNames(): string[] {
    return ['model.norm.weight'];
  }

  readTensor(): { rows: number; cols: number; data: Float32Array } {
    return { rows: 1, cols: 2, data: Float32Array.of(1, 2) };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** The addon, and what was made with it. */
export function fakeNative(options: FakeOptions = {}): {
  readonly addon: NativeAddon;
  readonly models: FakeModel[];
  readonly contexts: NativeContextOptions[];
} {
  const models: FakeModel[] = [];
  const contexts: NativeContextOptions[] = [];
  const bytes = { gradientBytes: 0, optimizerBytes: 0, optimizerHostBytes: 0, overheadBytes: 0 };
  const nothing = { ...bytes, trainBytes: 0, scoreBytes: 0, generateBytes: 0 };
  const addon: NativeAddon = {
    machine: () => ({
      version: '0',
      compiler: 'none',
      isas: ['avx2', 'scalar'],
      cpus: 2,
      memoryBytes: 1e9,
    }),
    errorCodes: () => [],
    plan: options.plan ?? (() => ({ weightBytes: 2000, numParameters: 1000, ...nothing })),
    cudaProbe: () => ({ architectures: 'none', devices: [] }),
    createContext: (context) => {
      contexts.push(context);
      return {
        threads: context.threads,
        isa: context.isa === '' ? 'avx2' : context.isa,
        device: context.cuda ? `cuda:${context.cuda.device}` : 'cpu',
        load: async (load) => {
          const model = new FakeModel(load, options);
          models.push(model);
          return model;
        },
        machineProbe: async () => ({
          readBytes: 1e6,
          measure: async () => ({ flops: { best: 1e12, median: 1e12 }, readBytes: { best: 1e10, median: 1e10 } }),
          close: () => {},
        }),
        linear: async ({ tokens, outputs, inputs }) => ({
          flops: 2 * tokens * outputs * inputs,
          bytes: 2 * outputs * inputs,
          time: async () => 1e-3,
          close: () => {},
        }),
        close: async () => {},
      };
    },
  };
  return { addon, models, contexts };
}
