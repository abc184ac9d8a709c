/**
 * llama.cpp, by npm's node-llama-cpp, as a peer (bench/peers/README.md).
 *
 *   node --import tsx bench/peers/llama_cpp/run.ts FOLDER FILE.gguf
 *
 * FOLDER is where node-llama-cpp is installed; its prebuilt CPU binaries choose kernels by the CPU. FILE holds the weights of the setup's
 * model (write_gguf.py beside this file). A prompt is evaluated in one batch; a decode step takes a token of each sequence in one batch.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { tokens } from '../../../src/bench/measures.js';
import type { PeerSetup } from '../protocol.js';
import { number, type Program, serve } from '../serve.js';

/** What is used of node-llama-cpp 3. */
interface Sequence {
  readonly nextTokenIndex: number;
  clearHistory(): Promise<void>;
  eraseContextTokenRanges(ranges: { readonly start: number; readonly end: number }[]): Promise<void>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: { readonly temperature: number; readonly yieldEogToken: boolean },
  ): AsyncGenerator<number, void>;
}
interface Context {
  getSequence(): Sequence;
  dispose(): Promise<void>;
}
interface ContextOptions {
  readonly contextSize: number;
  readonly batchSize: number;
  readonly threads: number;
  readonly sequences?: number;
}
interface LlamaModel {
  createContext(options: ContextOptions): Promise<Context>;
}
interface Llama {
  loadModel(options: { readonly modelPath: string; readonly gpuLayers: number }): Promise<LlamaModel>;
}
interface LlamaModule {
  readonly LlamaLogLevel: { readonly error: string };
  getLlama(options: {
    readonly gpu: false;
    readonly build: 'never';
    readonly logLevel: string;
    readonly maxThreads: number;
  }): Promise<Llama>;
}

const [folder = '', file = ''] = process.argv.slice(2);
const greedy = { temperature: 0, yieldEogToken: true } as const;
/** Positions that a context keeps free beyond what a case needs. */
const spare = 64;

async function openModel({ threads }: PeerSetup) {
  const root = path.resolve(folder, 'node_modules/node-llama-cpp');
  const { getLlama, LlamaLogLevel } = (await import(
    pathToFileURL(path.join(root, 'dist/index.js')).href
  )) as LlamaModule;
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads });
  return { model: await llama.loadModel({ modelPath: file, gpuLayers: 0 }), version };
}

await serve(async (setup): Promise<Program> => {
  const { model, version } = await openModel(setup);
  const { threads } = setup;
  const config = JSON.parse(readFileSync(path.join(setup.model, 'config.json'), 'utf8')) as { vocab_size: number };
  const prompt = (length: number, start = 0) => Array.from(tokens(length, config.vocab_size, start));
  return {
    about: {
      peer: `llama.cpp, node-llama-cpp ${version} (${path.basename(file).split('.').at(-2)})`,
      versions: { 'node-llama-cpp': version },
    },
    kinds: {
      prefill: async (each) => {
        const length = number(each, 'tokens');
        const context = await model.createContext({ contextSize: length + spare, batchSize: length, threads });
        const sequence = context.getSequence();
        return {
          run: async () => {
            await sequence.clearHistory();
            const started = performance.now();
            const stream = sequence.evaluate(prompt(length), greedy);
            await stream.next();
            const seconds = (performance.now() - started) / 1000;
            await stream.return();
            return { seconds };
          },
          close: () => context.dispose(),
        };
      },
      decode: async (each) => {
        const [batch, length, steps] = [number(each, 'batch'), number(each, 'context'), number(each, 'steps')];
        const contextSize = length + steps + spare;
        const context = await model.createContext({ contextSize, sequences: batch, batchSize: 512, threads });
        // All but the last token of each prompt is there before a repetition, and again after it.
        const sequences = Array.from({ length: batch }, (_, s) => ({
          sequence: context.getSequence(),
          tokens: prompt(length, s * length),
        }));
        for (const { sequence, tokens: ids } of sequences) {
          await sequence.evaluateWithoutGeneratingNewTokens(ids.slice(0, -1));
        }
        return {
          run: async () => {
            for (const { sequence } of sequences) {
              const [start, end] = [length - 1, sequence.nextTokenIndex];
              if (end > start) await sequence.eraseContextTokenRanges([{ start, end }]);
            }
            const started = performance.now();
            await Promise.all(
              sequences.map(async ({ sequence, tokens: ids }) => {
                let drawn = 0;
                for await (const _ of sequence.evaluate(ids.slice(-1), greedy)) if (++drawn === steps) break;
              }),
            );
            return { seconds: (performance.now() - started) / 1000 / steps };
          },
          close: () => context.dispose(),
        };
      },
    },
    close: async () => process.exit(0), // its threads would keep the process
  };
});
