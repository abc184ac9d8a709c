/** The cases of each suite, with what they do counted by hand. */
import { linearShapes } from '../../src/bench/gemm-cases.js';
import { decodeWork, prefillWork, trainWork, type Work } from '../../src/bench/model-cases.js';
import { type ModelShape, multipliedWeights } from '../../src/plan/time.js';
import type { PeerCase } from './protocol.js';

export interface SuiteCase {
  readonly each: PeerCase;
  readonly unit: string;
  readonly work: Partial<Work> & { readonly amount: number };
}

export interface SuiteOptions {
  readonly gemmTokens: readonly number[];
  readonly gemmOps: readonly string[];
  readonly gemmLayers: readonly string[];
  readonly prefillTokens: readonly number[];
  readonly decodeBatches: readonly number[];
  readonly decodeContexts: readonly number[];
  readonly decodeSteps: number;
  readonly samplesPerPrompt: number;
  /** "4x256" */
  readonly trainBatches: readonly string[];
  readonly checkpointing: boolean;
  readonly sharePrompts: boolean;
  /** "8x8x64+128": prompts x samples x prompt tokens + generated tokens. */
  readonly rl: string;
  readonly klCoef: number;
  readonly texts: { readonly file: string; readonly tokenizer: string; readonly count: number } | undefined;
  readonly weightBytes: number;
}

/** Weights of fewer bytes may stay in caches from step to step: then memory is not what is read. */
const cachedBytes = 128e6;

type Suite = (shape: ModelShape, options: SuiteOptions) => SuiteCase[];

const tokens = (each: PeerCase, work: SuiteCase['work']): SuiteCase => ({ each, unit: 'tokens', work });

export const suites: Readonly<Record<string, Suite>> = {
  gemm: (shape, { gemmOps, gemmLayers, gemmTokens }) =>
    linearShapes(shape)
      .filter(({ layer }) => gemmLayers.includes(layer))
      .flatMap(({ layer, outputs, inputs }) =>
        gemmOps.flatMap((op) =>
          gemmTokens.map((count): SuiteCase => {
            const flops = 2 * count * outputs * inputs;
            const bytes = 2 * count * (outputs + inputs) + (op === 'dweight' ? 8 : 2) * outputs * inputs;
            const name = `${op} ${layer} [${count},${inputs}]x[${inputs},${outputs}]`;
            const each = { name, kind: 'gemm', op, tokens: count, outputs, inputs };
            return { each, unit: 'FLOP', work: { amount: flops, flops, bytes } };
          }),
        ),
      ),

  prefill: (shape, { prefillTokens }) =>
    prefillTokens.map((count) =>
      tokens({ name: `prefill ${count}`, kind: 'prefill', tokens: count }, prefillWork(shape, count)),
    ),

  decode: (shape, { decodeBatches, decodeContexts, decodeSteps, samplesPerPrompt }) =>
    decodeContexts.flatMap((context) =>
      decodeBatches.map((batch) => {
        const shared = batch % samplesPerPrompt === 0 ? samplesPerPrompt : 1;
        const name = `decode b${batch} c${context}`;
        const each = { name, kind: 'decode', batch, context, steps: decodeSteps, samplesPerPrompt: shared };
        const { bytes, ...work } = decodeWork(shape, batch, context + decodeSteps / 2);
        return tokens(each, 2 * multipliedWeights(shape) < cachedBytes ? work : { ...work, bytes });
      }),
    ),

  train: (shape, { trainBatches, checkpointing }) =>
    trainBatches.map((text) => {
      const [sequences = 0, length = 0] = text.split('x').map(Number);
      const name = `train ${text}${checkpointing ? ' checkpointing' : ''}`;
      return tokens({ name, kind: 'train', sequences, length, checkpointing }, trainWork(shape, sequences, length));
    }),

  rl: (_, { rl, klCoef, checkpointing, sharePrompts }) => {
    const [prompts = 0, samples = 0, promptTokens = 0, maxTokens = 0] = rl.split(/[x+]/).map(Number);
    const name = `grpo ${rl}${sharePrompts ? ' shared prompts' : ''}`;
    const each = { name, kind: 'rl', prompts, samples, promptTokens, maxTokens, klCoef, checkpointing, sharePrompts };
    return [{ each, unit: 'samples', work: { amount: prompts * samples } }];
  },

  load: (_, { weightBytes }) => [{ each: { name: 'load', kind: 'load' }, unit: 'B', work: { amount: weightBytes } }],

  tokenize: (_, { texts }) => {
    if (texts === undefined) throw new Error('--suite tokenize needs --texts FILE and --tokenizer DIR');
    const { file, tokenizer, count } = texts;
    const each = { name: `tokenize ${count} texts`, kind: 'tokenize', file, tokenizer };
    return [{ each, unit: 'texts', work: { amount: count } }];
  },
};
