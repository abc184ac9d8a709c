/**
 * The tiny models and their references that scripts/golden makes: test/golden always, test/golden/on-demand where someone ran
 * `python scripts/golden/make_tiny_models.py --all && python scripts/golden/make_goldens.py --all` (torch and transformers needed).
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ModelHead, NativeContext, NativeModel, NativePacked } from '../../src/native.js';
import { loadNative } from '../../src/native.js';
import type { PolicySettings } from './losses.js';

const committed = fileURLToPath(new URL('../golden/', import.meta.url));
const onDemand = join(committed, 'on-demand');

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | Float64Array | Int32Array;
}

const arrays = { F32: Float32Array, F64: Float64Array, I32: Int32Array };

/**
 * All tensors of a safetensors file of f32, f64 and i32.
 * @throws {Error} on another dtype: a test must not compare what it did not read
 */
export function readTensors(file: string): Map<string, Tensor> {
  const bytes = readFileSync(file);
  const headerLength = Number(bytes.readBigUInt64LE(0));
  const header: Record<string, { dtype: keyof typeof arrays; shape: number[]; data_offsets: [number, number] }> =
    JSON.parse(bytes.toString('utf8', 8, 8 + headerLength));
  const out = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const type = arrays[entry.dtype];
    if (!type) throw new Error(`${file}: ${name} has dtype ${entry.dtype}`);
    const [begin, end] = entry.data_offsets.map((offset) => offset + 8 + headerLength);
    const copy = new Uint8Array(bytes.subarray(begin, end)); // aligned
    out.set(name, { shape: entry.shape, data: new type(copy.buffer) });
  }
  return out;
}

/** A model and its references, by name of the tensors in scripts/golden/make_goldens.py. */
export class Golden<Report> {
  readonly dir: string;
  readonly report: Report;
  private readonly tensors: Map<string, Tensor>;

  constructor(
    readonly name: string,
    root: string,
  ) {
    this.dir = join(root, 'models', name);
    this.report = JSON.parse(readFileSync(join(root, 'parity', `${name}.json`), 'utf8'));
    this.tensors = readTensors(join(root, 'parity', `${name}.safetensors`));
  }

  tensor(name: string): Tensor {
    const found = this.tensors.get(name);
    if (!found) throw new Error(`${this.name}: no reference ${name}`);
    return found;
  }

  f32(name: string): Float32Array {
    const { data } = this.tensor(name);
    if (!(data instanceof Float32Array)) throw new Error(`${this.name}: ${name} is not f32`);
    return data;
  }

  i32(name: string): Int32Array {
    const { data } = this.tensor(name);
    if (!(data instanceof Int32Array)) throw new Error(`${this.name}: ${name} is not i32`);
    return data;
  }

  /** Packed sequences stored as `<prefix>tokens` and `<prefix>offsets`. */
  packed(prefix: string): NativePacked {
    return { tokens: this.i32(`${prefix}tokens`), offsets: this.i32(`${prefix}offsets`) };
  }

  /** Reference gradients stored as `<prefix>grad.<Hugging Face name>`. */
  gradients(prefix: string): Map<string, Float32Array> {
    const start = `${prefix}grad.`;
    const names = [...this.tensors.keys()].filter((name) => name.startsWith(start));
    return new Map(names.sort().map((name) => [name.slice(start.length), this.f32(name)]));
  }
}

export interface Trajectory {
  readonly loss: readonly number[];
  readonly grad_norm: readonly number[];
}

/** parity/<name>.json of a causal language model. */
export interface LmReport {
  /** Prefixes of the batches with all references, and of those with the gradients of biases and norms alone. */
  readonly batches: readonly string[];
  readonly vector_batches: readonly string[];
  readonly bf16: { readonly grad_rms: Readonly<Record<string, number>>; readonly margin_error: number };
  readonly adamw: {
    readonly settings: {
      readonly beta1: number;
      readonly beta2: number;
      readonly eps: number;
      readonly weight_decay: number;
      readonly max_grad_norm: number;
    };
    readonly steps: number;
    readonly runs: readonly {
      readonly learning_rate: number;
      readonly master: Trajectory;
      readonly rounded: Trajectory;
      readonly bf16: Trajectory;
    }[];
  };
}

const lmNames = ['qwen2-tied', 'qwen2-untied', 'qwen3-tied', 'llama-rope3'];

/** Language models with references: the committed ones, then those made on demand. */
export function lmGoldens(): Golden<LmReport>[] {
  const goldens = lmNames.map((name) => new Golden<LmReport>(name, committed));
  const folder = join(onDemand, 'parity');
  if (!existsSync(folder)) {
    console.log('parity: the wider models are absent; scripts/golden/make_goldens.py --all makes them');
    return goldens;
  }
  const wide = readdirSync(folder).filter((file) => file.endsWith('.json'));
  return [...goldens, ...wide.sort().map((file) => new Golden<LmReport>(file.slice(0, -'.json'.length), onDemand))];
}

/** parity/<name>.json of the models that carry policy and value losses. */
export interface LossReport {
  readonly cases: readonly LossCase[];
  readonly bf16: Readonly<
    Record<string, Readonly<Record<string, number>> & { readonly grad_rms: Record<string, number> }>
  >;
}

export type LossCase = { readonly name: string } & (
  | {
      readonly kind: 'policy';
      readonly eps_clip_low: number;
      readonly eps_clip_high: number;
      readonly kl_coef: number;
      readonly kl_estimator: 'k1' | 'k2' | 'k3';
      readonly entropy_coef: number;
      readonly temperature: number;
    }
  | { readonly kind: 'value'; readonly value_clip: number }
);

/** A case's settings by the contract's names. */
export const policySettings = (c: Extract<LossCase, { kind: 'policy' }>): PolicySettings => ({
  epsClipLow: c.eps_clip_low,
  epsClipHigh: c.eps_clip_high,
  klCoef: c.kl_coef,
  klEstimator: c.kl_estimator,
  entropyCoef: c.entropy_coef,
});

/** The policy and value cases of test/golden/losses.json; its tables are in losses-f64.safetensors and losses-f32.safetensors. */
export function lossCases(): LossCase[] {
  const { cases }: { cases: { kind: string }[] } = JSON.parse(readFileSync(join(committed, 'losses.json'), 'utf8'));
  return cases.filter((c): c is LossCase => c.kind === 'policy' || c.kind === 'value');
}

export function lossGolden(name: 'qwen2-policy' | 'llama-value'): Golden<LossReport> {
  return new Golden<LossReport>(name, committed);
}

/** A context with the best ISA of this machine. */
export function openContext(threads = 2): NativeContext {
  return loadNative().createContext({ threads, isa: '', memoryLimitBytes: 0, checkNans: false });
}

/** Loads a golden model for training, runs `use`, and frees it whatever happens. */
export async function withModel<T>(
  context: NativeContext,
  dir: string,
  use: (model: NativeModel) => Promise<T>,
  options: { head?: ModelHead; trainable?: boolean; activationCheckpointing?: boolean } = {},
): Promise<T> {
  const { head = 'lm', trainable = true, activationCheckpointing = true } = options;
  const model = await context.load({ dir, head, trainable, randomSeed: -1, valueHeadSeed: 0, activationCheckpointing });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

/** All gradients that the model holds, by Hugging Face name. */
export function readGradients(model: NativeModel): Map<string, Float32Array> {
  return new Map(
    model
      .tensorNames()
      .sort()
      .map((name) => [name, model.readTensor(name, 'grad').data]),
  );
}
