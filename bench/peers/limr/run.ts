/** Our engine as a peer (bench/peers/README.md), by the measures of `limr-engine bench`. */
import { readFileSync } from 'node:fs';
import { decodeStepSeconds, prefillSeconds, secondsOf, sequences, trainSeconds } from '../../../src/bench/measures.js';
import { Engine, type LoadOptions } from '../../../src/engine/engine.js';
import type { Model } from '../../../src/engine/model.js';
import type { LinearOp } from '../../../src/native.js';
import { Tokenizer } from '../../../src/tokenizer/tokenizer.js';
import type { PeerCase, PeerSetup } from '../protocol.js';
import { number, type Program, type Ready, serve, timed } from '../serve.js';
import { prepareRl } from './rl.js';

const gemmSeconds = 0.01;
const rotateBytes = 256 * 2 ** 20;
const prefillChunk = 2048;
const probeSeconds = 0.2;

/** The model of the setup: one at a time, loaded again only with other options. */
class OneModel {
  private loaded: { readonly key: string; readonly model: Model } | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly dir: string,
  ) {}

  async get(options: LoadOptions = {}): Promise<Model> {
    const key = JSON.stringify(options);
    if (this.loaded?.key === key) return this.loaded.model;
    await this.loaded?.model.close();
    const model = await this.engine.load(this.dir, { tokenizer: false, ...options });
    this.loaded = { key, model };
    return model;
  }
}

const open = async ({ threads, model: dir }: PeerSetup): Promise<Program> => {
  const engine = Engine.open({ threads });
  const { version } = engine.machine();
  const models = new OneModel(engine, dir);
  const stays = (run: Ready['run']): Ready => ({ run, close: () => {} });
  return {
    about: {
      peer: `limr-engine ${version} (${engine.isa})`,
      versions: { limr: version, isa: engine.isa, node: process.version },
    },
    kinds: {
      gemm: async (each) => {
        const [count, outputs, inputs] = ['tokens', 'outputs', 'inputs'].map((key) => number(each, key));
        const op = each.op as LinearOp;
        const linear = await engine.linear({ op, tokens: count!, outputs: outputs!, inputs: inputs!, rotateBytes });
        return { run: timed(() => linear.time(gemmSeconds)), close: () => linear.close() };
      },
      prefill: async (each) => {
        const model = await models.get();
        return stays(timed(() => prefillSeconds(model, number(each, 'tokens'), prefillChunk)));
      },
      decode: async (each) => {
        const model = await models.get();
        const [batch, context, samplesPerPrompt] = ['batch', 'context', 'samplesPerPrompt'].map((k) => number(each, k));
        const size = { batch: batch!, context: context!, samplesPerPrompt: samplesPerPrompt! };
        return stays(timed(() => decodeStepSeconds(model, size, number(each, 'steps'))));
      },
      train: async (each) => {
        const model = await models.get({ trainable: true, activationCheckpointing: each.checkpointing === true });
        const packed = sequences(number(each, 'sequences'), number(each, 'length'), model.info.vocabSize);
        return stays(timed(() => trainSeconds(model, packed)));
      },
      rl: (each) => prepareRl(engine, dir, each),
      load: async () =>
        stays(async () => {
          const started = performance.now();
          const model = await engine.load(dir, { tokenizer: false });
          const seconds = (performance.now() - started) / 1000;
          await model.close();
          return { seconds };
        }),
      tokenize: async (each) => {
        const tokenizer = await Tokenizer.load(String(each.tokenizer));
        const texts = readTexts(String(each.file));
        return stays(
          timed(() =>
            secondsOf(async () => {
              for (const text of texts) tokenizer.encode(text);
            }),
          ),
        );
      },
      check: async (each: PeerCase) => {
        const model = await models.get();
        return stays(
          timed(async () => {
            const { logprobs } = await model.score([each.tokens as number[]]);
            return logprobs.subarray(1).reduce((sum, value) => sum + value, 0) / (logprobs.length - 1);
          }),
        );
      },
      machine: async () => {
        const probe = await engine.machineProbe();
        return {
          run: async () => {
            const { flops, readBytes } = await probe.measure(probeSeconds);
            return { seconds: 2 * probeSeconds, flops: flops.best, readBytes: readBytes.best };
          },
          close: () => probe.close(),
        };
      },
    },
    close: () => engine.close(),
  };
};

/** Of rows {text}. */
function readTexts(file: string): string[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => (JSON.parse(line) as { text: string }).text);
}

await serve(open);
