/**
 * The typed contract of the native addon, and its only loader. Everything that crosses the boundary is in this file.
 *
 * Sequences cross packed: `tokens` holds all sequences one after the other, sequence s is `tokens[offsets[s] .. offsets[s+1])`.
 * Per-token arrays are aligned with `tokens`: entry i speaks of token i given the tokens before it in its sequence, so the
 * first entry of every sequence has no log-probability (NaN) and must have weight 0.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { errorCodes, LimrError } from './errors.js';

/** What the build and the machine offer; filled without touching a model. */
export interface NativeMachine {
  readonly version: string;
  readonly compiler: string;
  /** Kernel sets that this CPU can run, best first, e.g. ["avx512bf16", "avx512", "avx2", "scalar"]. */
  readonly isas: readonly string[];
  /** CPUs that this process may use (affinity and cgroup quota). */
  readonly cpus: number;
  /** Bytes: the smaller of physical memory and the cgroup's limit. */
  readonly memoryBytes: number;
}

/** The CUDA backend and a GPU. */
export interface NativeCudaOptions {
  /** File of limr_cuda.so. */
  readonly module: string;
  /** The i of cuda:i. */
  readonly device: number;
  /** Files or sonames of cuBLASLt to try, in order; empty = where the module looks by itself. */
  readonly cublaslt: readonly string[];
  /** Wait after every launch, so that a failure names its op. */
  readonly sync: boolean;
}

/** A GPU, as the driver describes it. */
export interface NativeCudaDevice {
  readonly name: string;
  /** "9.0" */
  readonly capability: string;
  readonly multiprocessors: number;
  /** The newest CUDA that the driver runs, and the one that the module was built with: "13.0". */
  readonly driver: string;
  readonly runtime: string;
  readonly memoryBytes: number;
  readonly freeBytes: number;
}

/** What the CUDA backend finds here. */
export interface NativeCudaProbe {
  /** What its kernels were compiled for. */
  readonly architectures: string;
  readonly devices: readonly NativeCudaDevice[];
  /** The file of cuBLASLt that was loaded; absent when something is missing. */
  readonly cublaslt?: string;
  /** What keeps it from running: no driver, no GPU, no cuBLASLt. */
  readonly problem?: { readonly message: string; readonly hint: string };
}

/** How the moments of AdamW are kept; the CPU has f32 only. 8bit: dynamic codes with a scale of each 256. */
export type MomentFormat = 'f32' | 'bf16' | '8bit';

export interface NativeContextOptions {
  /** Compute threads, >= 1. */
  readonly threads: number;
  /** One of `NativeMachine.isas`; "" takes the best. */
  readonly isa: string;
  /** Upper limit for weights, optimizer state and workspace together; 0 = no limit of ours. */
  readonly memoryLimitBytes: number;
  /** Look for non-finite numbers after every op, so that `nonFinite` names the first op that wrote one. */
  readonly checkNans: boolean;
  /** The GPU that models and workspace are on; null or absent = this machine's CPU and memory. */
  readonly cuda?: NativeCudaOptions | null;
}

export type ModelHead = 'lm' | 'value';

export interface NativeLoadOptions {
  /** Folder in Hugging Face layout (config.json + safetensors), or only config.json when `randomSeed` is given. */
  readonly dir: string;
  readonly head: ModelHead;
  /** Allocates fp32 gradients, the 16-bit remainders of the master weights, and AdamW moments. */
  readonly trainable: boolean;
  /** Random initial weights, N(0, initializer_range), from this seed, instead of reading safetensors. -1 = read. */
  readonly randomSeed: number;
  /** Seed of a fresh value head, N(0, 1/(hidden_size+1)), when the folder has no score.weight. */
  readonly valueHeadSeed: number;
  /** Recompute a layer's activations in backward instead of keeping them. */
  readonly activationCheckpointing: boolean;
  /** CPU only: `accumulate` computes a common beginning of sequences that follow each other once, gradients included. Default false. */
  readonly sharePrefixes?: boolean;
  /** Default f32. */
  readonly moments?: MomentFormat;
  /** GPU only: master weights' low halves and moments in pinned host memory, streamed through the GPU by `step`. Default false. */
  readonly optimizerOnHost?: boolean;
  /**
   * GPU only: rest in pinned host memory while another model that takes turns works; needs `optimizerOnHost` when trainable. A model with
   * gradients stays until its `step`. Default false.
   */
  readonly takeTurns?: boolean;
}

export interface NativeModelInfo {
  readonly modelType: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numHiddenLayers: number;
  readonly numAttentionHeads: number;
  readonly numKeyValueHeads: number;
  readonly headDim: number;
  readonly maxPositionEmbeddings: number;
  readonly tieWordEmbeddings: boolean;
  readonly head: ModelHead;
  readonly trainable: boolean;
  /** Parameters of the model as Hugging Face counts them (tied ones once). */
  readonly numParameters: number;
  /** Resident bytes of weights, and of gradients and optimizer state. */
  readonly weightBytes: number;
  readonly optimizerBytes: number;
}

/** Why a sample ended: an end-of-text token, a stop text, the length limit, or an abort. */
export type StopReason = 'eos' | 'stop' | 'length' | 'abort';

export interface NativeGenerateRequest {
  /** Prompts, packed. Every prompt has at least one token. */
  readonly tokens: Int32Array;
  readonly offsets: Int32Array;
  /** Key of each prompt in the random stream: its dataset row. Length = number of prompts. */
  readonly rows: Int32Array;
  readonly samplesPerPrompt: number;
  /** First two words of the random key; `purpose` separates training from evaluation. */
  readonly seed: number;
  readonly purpose: number;
  readonly rollout: number;
  /** 0 = greedy. */
  readonly temperature: number;
  /** 0 = off. */
  readonly topK: number;
  /** 1 = off. */
  readonly topP: number;
  /** 0 = off. */
  readonly minP: number;
  /** The T of the reported log-probs: log_softmax(logits / T) over the full vocabulary, before any mask. */
  readonly logprobTemperature: number;
  readonly minTokens: number;
  /** Upper bound of generated tokens a sample. */
  readonly maxTokens: number;
  /** Any of them ends a sample with reason "eos"; it is part of the sample's tokens. */
  readonly eosTokenIds: Int32Array;
  /** A sample ends with reason "stop" once its text contains one of them (bytes in UTF-8). Needs `setTokenBytes`. */
  readonly stopStrings: readonly string[];
  /** Token ids that are never sampled (padding rows of the embedding, unused specials). */
  readonly bannedTokenIds: Int32Array;
  /** Sequences decoded at once, at most. */
  readonly maxBatch: number;
  /** Prompt tokens a prefill step, at most. */
  readonly prefillChunk: number;
  /** Bytes of the KV cache, 0 = as much as `maxBatch` sequences of this request can need. A smaller cache preempts. */
  readonly kvCacheBytes: number;
  /** Sampling waits while this many finished samples have not been acknowledged with `acknowledge`. */
  readonly maxUnacknowledged: number;
  /** Deliver every token as it is drawn, too. Default false. */
  readonly streamTokens?: boolean;
}

export interface NativeSample {
  /** Index of the prompt in the request, and of the sample within the prompt. */
  readonly prompt: number;
  readonly sample: number;
  readonly tokens: Int32Array;
  readonly logprobs: Float32Array;
  readonly stopReason: StopReason;
}

/** A token of a sample that is still being decoded. */
export interface NativeToken {
  readonly prompt: number;
  readonly sample: number;
  readonly token: number;
}

export interface NativeGenerateStats {
  readonly promptTokens: number;
  /** Prompt tokens actually computed: a prompt's samples share its prefill; preempted sequences prefill again. */
  readonly prefillTokens: number;
  readonly generatedTokens: number;
  readonly preemptions: number;
  /** Steps that computed more than prompts. A sample without siblings draws its first token as its prompt ends, before any of these. */
  readonly decodeSteps: number;
  readonly prefillSeconds: number;
  readonly decodeSeconds: number;
  readonly waitSeconds: number;
  readonly kvBlocks: number;
  readonly peakKvBlocks: number;
}

/** Where a `generate` stands; right at some moment of its last step. */
export interface NativeSamplingProgress {
  readonly generatedTokens: number;
  /** Sequences in the batch, and those that wait to enter it. */
  readonly running: number;
  readonly waiting: number;
}

export interface NativePacked {
  readonly tokens: Int32Array;
  readonly offsets: Int32Array;
}

export interface NativeScoreRequest extends NativePacked {
  /** Tokens of weight 0 get NaN, and cost less; absent: none is. */
  readonly weights?: Float32Array;
  /** T of log-probs and entropy; ignored by a value head. */
  readonly temperature: number;
  /** Packed tokens a forward pass, at most; sequences are never split, and never reordered. */
  readonly maxTokens: number;
}

export interface NativeHiddenRequest extends NativePacked {
  /** Packed tokens a forward pass, at most; sequences are never split, and never reordered. */
  readonly maxTokens: number;
}

export interface NativeScores {
  /** lm head: log-prob of each token (NaN for first tokens, here and below, and for those of weight 0). Value head: empty. */
  readonly logprobs: Float32Array;
  /** lm head: entropy of the distribution that token was drawn from (NaN for first tokens). Value head: empty. */
  readonly entropy: Float32Array;
  /** Value head: V at the position *before* each token, aligned as `logprobs` (NaN for first tokens). lm head: empty. */
  readonly values: Float32Array;
  /** Tokens that went through the layers: of sequences that follow each other, whole cache pages of a common prefix once. */
  readonly computedTokens: number;
  /** Pairs of such a token and one that it looks at, itself included. */
  readonly computedPairs: number;
}

/**
 * A loss over one micro-batch. `weights[i]` multiplies the loss of token i; TypeScript computes it over the whole optimizer
 * step, so that sums over micro-batches are the step's loss. Tokens of weight 0 cost nothing.
 */
export type NativeLoss =
  | {
      readonly kind: 'policy';
      readonly weights: Float32Array;
      readonly advantages: Float32Array;
      readonly oldLogprobs: Float32Array;
      /** Empty unless klCoef > 0. */
      readonly refLogprobs: Float32Array;
      readonly epsClipLow: number;
      readonly epsClipHigh: number;
      /** Coefficient of the KL term inside the loss; 0 = none. */
      readonly klCoef: number;
      /** k1 = lp - ref; k2 = (lp - ref)^2 / 2; k3 = exp(ref - lp) - 1 - (ref - lp). */
      readonly klEstimator: 'k1' | 'k2' | 'k3';
      readonly entropyCoef: number;
      readonly temperature: number;
    }
  | {
      readonly kind: 'value';
      readonly weights: Float32Array;
      readonly oldValues: Float32Array;
      readonly returns: Float32Array;
      /** 0 = no clipping. */
      readonly valueClip: number;
    }
  | { readonly kind: 'cross_entropy'; readonly weights: Float32Array; readonly temperature: number };

/** Per token, aligned with `tokens`; entries of weight 0 are 0. */
export interface NativeLossTerms {
  /** weights[i] * loss of token i, f32; the step's loss is their sum in canonical order. */
  readonly losses: Float32Array;
  /** lm head: log-probs under the current weights. Value head: values. */
  readonly outputs: Float32Array;
  /** lm head only; empty for a value head. */
  readonly entropy: Float32Array;
  /** Name of the first op whose output was not finite, or "". Its gradients poison the step, which then skips. */
  readonly nonFinite: string;
  /** As those of `NativeScores`; without `sharePrefixes` every token and pair. */
  readonly computedTokens: number;
  readonly computedPairs: number;
}

export interface NativeStepOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly eps: number;
  /** Decoupled; matrices only, never biases and norms. */
  readonly weightDecay: number;
  /** Global L2 norm; 0 = no clipping. */
  readonly maxGradNorm: number;
}

/** What an optimizer step did. */
export interface NativeStepResult {
  /** Before clipping. Not finite when the step was skipped. */
  readonly gradNorm: number;
  readonly skipped: boolean;
  /** Name of the first parameter whose gradient was not finite, or "". */
  readonly nonFinite: string;
}

/** Which buffer of a parameter `readTensor` copies, converted to f32, in Hugging Face's [rows, cols] order. */
export type TensorKind = 'weight' | 'master' | 'grad' | 'exp_avg' | 'exp_avg_sq';

export interface NativeModel {
  readonly info: NativeModelInfo;
  /** Bytes of every token id: id i is `bytes[offsets[i] .. offsets[i+1])`. Needed once, before stop strings. */
  setTokenBytes(bytes: Uint8Array, offsets: Int32Array): void;
  /**
   * `receive` gets finished samples in the order they finish and, with `streamTokens`, the tokens of every decode step before
   * that; one of the two is empty. Resolves when all are delivered.
   */
  generate(
    request: NativeGenerateRequest,
    receive: (samples: NativeSample[], tokens: NativeToken[]) => void,
  ): Promise<NativeGenerateStats>;
  /** Tells a running `generate` that the caller has taken `count` more samples. */
  acknowledge(count: number): void;
  /** Of the `generate` that runs, or of the last one. May be called at any time. */
  samplingProgress(): NativeSamplingProgress;
  /** Stops a running verb at its next decode step or layer; it rejects with LIMR_ABORTED. */
  abort(): void;
  score(request: NativeScoreRequest): Promise<NativeScores>;
  /** f32 logits [tokens, vocab]: the next token's distribution at every position. For small inputs. */
  logits(request: NativePacked): Promise<Float32Array>;
  /**
   * f32 [sequences, hidden]: of each sequence, the mean over its tokens of the last hidden state, after the final norm. The states are
   * bf16, as the head gets them; the sum over them is f64 in their order. A pass takes no more workspace than one of `score`.
   */
  meanHiddenStates(request: NativeHiddenRequest): Promise<Float32Array>;
  accumulate(batch: NativePacked, loss: NativeLoss): Promise<NativeLossTerms>;
  step(options: NativeStepOptions): Promise<NativeStepResult>;
  /** Optimizer steps taken (not counting skipped ones). */
  readonly optimizerSteps: number;
  zeroGrad(): Promise<void>;
  /** Writes model.safetensors (sharded above 5 GB) and config.json into an existing folder; fsyncs them. */
  save(dir: string): Promise<void>;
  /** Remainders, moments and step count; bit-exact. Fsynced. */
  saveOptimizer(file: string): Promise<void>;
  loadOptimizer(file: string): Promise<void>;
  /** Hugging Face names of the parameters. */
  tensorNames(): string[];
  readTensor(name: string, kind: TensorKind): { rows: number; cols: number; data: Float32Array };
  /** Frees everything. Idempotent. Rejects a running verb as `abort` does. */
  close(): Promise<void>;
}

/** What one phase needs, to the byte the arenas will ask for. */
export interface NativePlanRequest {
  /** Folder with config.json. */
  readonly dir: string;
  readonly head: ModelHead;
  readonly trainable: boolean;
  readonly activationCheckpointing: boolean;
  /** Packed tokens of a training micro-batch, and of a scoring pass; 0 = phase absent. */
  readonly trainTokens: number;
  readonly scoreTokens: number;
  /** Sequences packed in a micro-batch, at most: each one's tail rounds up to a whole page. */
  readonly maxSequences: number;
  /** 0 = no generation. */
  readonly maxBatch: number;
  readonly prefillChunk: number;
  readonly contextLength: number;
  readonly kvCacheBytes: number;
  readonly threads: number;
  /** Default cpu. A plan for a GPU needs none. */
  readonly device?: 'cpu' | 'cuda';
  readonly moments?: MomentFormat;
  readonly optimizerOnHost?: boolean;
}

export interface NativePlan {
  readonly weightBytes: number;
  readonly gradientBytes: number;
  readonly optimizerBytes: number;
  /** Pinned host memory of the optimizer; 0 unless `optimizerOnHost`. */
  readonly optimizerHostBytes: number;
  /** Workspace of each phase; phases share one arena, so its size is the largest. */
  readonly trainBytes: number;
  readonly scoreBytes: number;
  readonly generateBytes: number;
  /** Of a GPU's memory, once a process: what its libraries take. 0 on the CPU. */
  readonly overheadBytes: number;
  readonly numParameters: number;
}

/** What slices of about a fiftieth of a second did, a second. */
export interface NativeRate {
  /** Of any slice: what the machine can do. */
  readonly best: number;
  /** Of all: what it did while this was measured, beside whatever else runs on it. */
  readonly median: number;
}

export interface NativeMachineRates {
  /** Flop of products of bf16 pairs with f32 sums, out of registers, on all threads with the context's kernels. */
  readonly flops: NativeRate;
  /** Bytes read in order from more memory than caches hold, on all threads. */
  readonly readBytes: NativeRate;
}

/** What the machine can do at most, and the memory that measuring it takes. */
export interface NativeMachineProbe {
  readonly readBytes: number;
  /** `seconds` for each of the rates. */
  measure(seconds: number): Promise<NativeMachineRates>;
  close(): void;
}

export type LinearOp = 'forward' | 'swiglu' | 'dinp' | 'dweight';

/** A product of `tokens` rows with a weight [outputs, inputs]: 2 * tokens * outputs * inputs flop. */
export interface NativeLinearOptions {
  readonly op: LinearOp;
  readonly tokens: number;
  readonly outputs: number;
  readonly inputs: number;
  /** Weights rotate through so much memory, as the layers of a model do; 0 = one weight, which caches may keep. */
  readonly rotateBytes: number;
}

/** A linear layer with random weights, to be timed; some of its results were compared with the reference implementation. */
export interface NativeLinear {
  readonly flops: number;
  /** Read and written at least. */
  readonly bytes: number;
  /** Seconds a call: the mean of as many as take `atLeast` seconds. */
  time(atLeast: number): Promise<number>;
  close(): void;
}

export interface NativeContext {
  readonly threads: number;
  readonly isa: string;
  /** "cpu", "cuda:0" */
  readonly device: string;
  load(options: NativeLoadOptions): Promise<NativeModel>;
  /** `readBytes`: 0 = four times the last-level caches, at least 256 MiB. */
  machineProbe(options: { readonly readBytes: number }): Promise<NativeMachineProbe>;
  linear(options: NativeLinearOptions): Promise<NativeLinear>;
  close(): Promise<void>;
}

export interface NativeAddon {
  machine(): NativeMachine;
  /** All error codes of the native core, e.g. "LIMR_SHAPE". */
  errorCodes(): string[];
  plan(request: NativePlanRequest): NativePlan;
  /** @throws {LimrError} LIMR_PLATFORM when the module does not load; what else is missing is in the result */
  cudaProbe(options: NativeCudaOptions): NativeCudaProbe;
  createContext(options: NativeContextOptions): NativeContext;
}

/** Where the build leaves the addon, in the order tried; the package root is one folder above this module. */
const addonPaths = ['../build/Release/limr.node', '../build/Debug/limr.node'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);

/** Where the build leaves the CUDA backend, likewise. */
export const cudaModulePaths = addonPaths.map((path) => path.replace(/limr\.node$/, 'limr_cuda.so'));

let addon: NativeAddon | undefined;

/**
 * The native addon, loaded once a process.
 * @throws {LimrError} LIMR_PLATFORM naming the paths tried, this platform and the loader's own words
 */
export function loadNative(): NativeAddon {
  addon ??= withLimrErrors(requireAddon());
  return addon;
}

function requireAddon(): NativeAddon {
  const require = createRequire(import.meta.url);
  const failures: string[] = [];
  for (const path of addonPaths) {
    try {
      return require(path) as NativeAddon;
    } catch (error) {
      const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
      failures.push(`${path}: ${existsSync(path) ? reason : 'no such file'}`);
    }
  }
  throw new LimrError(
    'LIMR_PLATFORM',
    `the native addon does not load on ${process.platform} ${process.arch}, Node ${process.version}\n  ${failures.join('\n  ')}`,
    'Build it with `npm rebuild limr-engine` (in a clone: `npm run build`); it needs a C++20 compiler and CMake.',
  );
}

/** Methods that return another native object, whose errors need the same treatment. */
const opensHandle = new Set<string | symbol>(['createContext', 'load', 'machineProbe', 'linear']);

/**
 * Rebuilds what native methods throw, or reject with, as a LimrError with the caller's stack: the addon's own errors are
 * made on another thread and carry none.
 */
export function withLimrErrors<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== 'function') return value;
      const guarded = function guarded(...args: unknown[]): unknown {
        const caller = new Error();
        Error.captureStackTrace(caller, guarded);
        const wrap = (result: unknown) =>
          opensHandle.has(key) && typeof result === 'object' && result !== null ? withLimrErrors(result) : result;
        try {
          const result: unknown = Reflect.apply(value, object, args);
          if (!(result instanceof Promise)) return wrap(result);
          return result.then(wrap, (error: unknown) => {
            throw rebuild(error, caller);
          });
        } catch (error) {
          throw rebuild(error, caller);
        }
      };
      return guarded;
    },
  });
}

function rebuild(error: unknown, caller: Error): unknown {
  if (!(error instanceof Error) || error instanceof LimrError || !('code' in error)) return error;
  const code = errorCodes.find((known) => known === error.code);
  if (code === undefined) return error;
  const hint = 'hint' in error && typeof error.hint === 'string' ? error.hint : '';
  const rebuilt = new LimrError(code, error.message, hint, { cause: error });
  const frames = caller.stack?.split('\n').slice(1).join('\n') ?? '';
  rebuilt.stack = `${rebuilt.name}: ${rebuilt.message}\n${frames}`;
  return rebuilt;
}
