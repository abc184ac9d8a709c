/** How fast this machine is at what the engine does, beside what the machine can do. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { respellings } from '../audit/respell.js';
import type { BenchCase } from '../bench/case.js';
import { type BenchComparison, compareBench } from '../bench/compare.js';
import { gemmCase, linearShapes } from '../bench/gemm-cases.js';
import { decodeCase, decodeRoom, prefillCase, rolloutCase, trainCase } from '../bench/model-cases.js';
import { type BenchHooks, type BenchResult, runBench } from '../bench/run.js';
import { modelShape, shapeConfig } from '../bench/shapes.js';
import { loadCase, tokenizeCase, verifyCase } from '../bench/text-cases.js';
import { readPrompts } from '../dataset/prompts.js';
import type { Engine } from '../engine/engine.js';
import type { Model } from '../engine/model.js';
import { LimrError } from '../errors.js';
import { readJson, writeDurably } from '../files.js';
import type { HubHooks } from '../hub/index.js';
import { isObject } from '../json.js';
import type { LinearOp } from '../native.js';
import type { ModelShape } from '../plan/time.js';
import { graderOf } from '../reward/create-reward.js';
import { Tokenizer } from '../tokenizer/tokenizer.js';
import { type BenchOptions, type SuiteName, suites } from './bench-options.js';
import { commit } from './commit.js';
import { dataPath, embeddedEvalPrompts, embeddedModel, embeddedPrompts, modelFolder, modelName } from './embedded.js';
import { type ChosenMachine, withEngine } from './machine.js';

export interface BenchReport extends BenchResult {
  readonly version: string;
  readonly commit: string;
  readonly date: string;
  readonly machine: {
    readonly cpu: string;
    readonly cpus: number;
    readonly memoryBytes: number;
    readonly isa: string;
    readonly threads: number;
    readonly platform: string;
    readonly node: string;
  };
  /** Name of the model or shape, and its parameters; absent where no suite needs one. */
  readonly model?: { readonly name: string; readonly numParameters: number; readonly random: boolean };
}

export interface BenchRunResult {
  readonly report: BenchReport;
  readonly comparison?: BenchComparison;
  /** What was left out, and why. */
  readonly remarks: readonly string[];
}

/** Suites that run a model. */
const modelSuites: readonly SuiteName[] = ['prefill', 'decode', 'rollout', 'train', 'load'];

/** @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT of a file, LIMR_MEMORY, LIMR_ABORTED */
export async function launchBench(
  options: BenchOptions,
  machine: ChosenMachine,
  hooks: BenchHooks & HubHooks = {},
): Promise<BenchRunResult> {
  const { model: name, shape: shapeName, compare } = options;
  if (name !== '' && shapeName !== '') {
    throw new LimrError('LIMR_USAGE', '--model and --shape name the same', 'Give one of them.');
  }
  const before = compare === '' ? undefined : await readReport(compare);
  const chosen = suites.filter((suite) => options.suite.split(',').includes(suite));
  const folder = await mkdtemp(join(tmpdir(), 'limr-bench-'));
  try {
    return await withEngine(machine, async (engine) => {
      const config = shapeName === '' ? undefined : shapeConfig(shapeName);
      const dir = config === undefined ? await modelFolder(name, hooks) : folder;
      if (config !== undefined) await writeFile(join(dir, 'config.json'), JSON.stringify(config));
      const probe = await engine.machineProbe();
      const bench = new Bench(engine, options, dir, config !== undefined, probe.readBytes / 4);
      const cases = await bench
        .cases(chosen, hooks)
        .then((all) => (engine.device === 'cpu' ? all : all.map(unlimited)));
      if (engine.device !== 'cpu') bench.remarks.push("shares of a peak are left out: what is measured is the CPU's");
      const result = await runBench(cases, probe, options.repetitions, hooks);
      const report: BenchReport = {
        ...(await about(engine)),
        ...(bench.model === undefined
          ? {}
          : {
              model: {
                name: shapeName === '' ? modelName(name) : shapeName,
                numParameters: bench.model.info.numParameters,
                random: config !== undefined,
              },
            }),
        ...result,
      };
      if (options.output !== '') await writeDurably(options.output, `${JSON.stringify(report, null, 2)}\n`);
      const { remarks } = bench;
      return { report, ...(before === undefined ? {} : { comparison: compareBench(before, report) }), remarks };
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Without what is compared with the limits of the CPU. */
function unlimited({ flops, bytes, limit, ...rest }: BenchCase): BenchCase {
  return rest;
}

async function about(engine: Engine): Promise<Pick<BenchReport, 'version' | 'commit' | 'date' | 'machine'>> {
  const { version, cpus: usable, memoryBytes } = engine.machine();
  return {
    version,
    commit: await commit(),
    date: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? '',
      cpus: usable,
      memoryBytes,
      isa: engine.isa,
      threads: engine.threads,
      platform: `${process.platform} ${process.arch}`,
      node: process.version,
    },
  };
}

/** @throws {LimrError} LIMR_IO, LIMR_FORMAT when it is no report of `bench` */
async function readReport(file: string): Promise<BenchReport> {
  const report = await readJson(file);
  const isReport = isObject(report) && Array.isArray(report.cases) && Array.isArray(report.turns);
  if (!isReport) throw new LimrError('LIMR_FORMAT', `${file} is not a result of bench`, 'Make one with --output.');
  return report as unknown as BenchReport;
}

/** Makes the cases of the chosen suites. */
class Bench {
  readonly remarks: string[] = [];
  model: Model | undefined;

  constructor(
    private readonly engine: Engine,
    private readonly options: BenchOptions,
    private readonly dir: string,
    /** Random weights: the folder has only a configuration. */
    private readonly random: boolean,
    /** Of the last-level cache, about. */
    private readonly cacheBytes: number,
  ) {}

  async cases(chosen: readonly SuiteName[], hooks: HubHooks): Promise<BenchCase[]> {
    const shape = modelShape(await readJson(join(this.dir, 'config.json')), join(this.dir, 'config.json'));
    if (chosen.some((suite) => modelSuites.includes(suite))) {
      this.model = await this.engine.load(this.dir, {
        trainable: chosen.includes('train'),
        activationCheckpointing: this.options.gradientCheckpointing,
        tokenizer: false,
        ...(this.random ? { randomSeed: 1 } : {}),
      });
    }
    const cases: BenchCase[] = [];
    for (const suite of chosen) cases.push(...(await this.suite(suite, shape, hooks)));
    return cases;
  }

  private async suite(suite: SuiteName, shape: ModelShape, hooks: HubHooks): Promise<readonly BenchCase[]> {
    switch (suite) {
      case 'gemm':
        return this.gemm(shape);
      case 'prefill':
        return this.prefill(shape);
      case 'decode':
        return this.decode(shape);
      case 'rollout':
        return [await this.rollout()];
      case 'train':
        return this.train(shape);
      case 'load':
        return [await this.load()];
      case 'tokenize':
        return [await this.tokenize(hooks)];
      case 'verify':
        return [await verify()];
    }
  }

  private gemm(shape: ModelShape): BenchCase[] {
    const { gemmOps, gemmTokens } = this.options;
    return (gemmOps.split(',') as LinearOp[]).flatMap((op) =>
      linearShapes(shape)
        .filter(({ layer }) => op !== 'swiglu' || layer === 'gate_up')
        .flatMap((linear) => numbers(gemmTokens).map((tokens) => gemmCase(this.engine, op, linear, tokens))),
    );
  }

  private prefill(shape: ModelShape): BenchCase[] {
    const model = this.loaded();
    const longest = model.info.maxPositionEmbeddings - 1;
    const { prefillTokens } = this.options;
    const lengths = prefillTokens === '' ? [Math.min(512, longest)] : numbers(prefillTokens);
    for (const length of lengths) this.refuseLong('--prefill-tokens', length, longest);
    return lengths.map((length) => prefillCase(model, shape, length));
  }

  private decode(shape: ModelShape): BenchCase[] {
    const model = this.loaded();
    const longest = model.info.maxPositionEmbeddings - decodeRoom;
    const { decodeBatch, decodeContext, samplesPerPrompt } = this.options;
    let contexts = numbers(decodeContext === '' ? '16,512,2048' : decodeContext);
    if (decodeContext === '') {
      const fitting = contexts.filter((context) => context <= longest);
      if (fitting.length < contexts.length) {
        this.remarks.push(`contexts beyond the model's ${model.info.maxPositionEmbeddings} positions are left out`);
      }
      contexts = fitting;
    }
    for (const context of contexts) this.refuseLong('--decode-context', context, longest);
    const { cacheBytes } = this;
    return contexts.flatMap((context) =>
      numbers(decodeBatch).map((batch) => decodeCase(model, shape, { batch, context, samplesPerPrompt }, cacheBytes)),
    );
  }

  private rollout(): Promise<BenchCase> {
    const model = this.loaded();
    const { rollout, maxBatch } = this.options;
    const [prompts = 0, samplesPerPrompt = 0, promptTokens = 0, maxTokens = 0] = rollout.split(/[x+]/).map(Number);
    this.refuseLong('--rollout', promptTokens + maxTokens, model.info.maxPositionEmbeddings);
    return rolloutCase(model, { prompts, samplesPerPrompt, promptTokens, maxTokens, maxBatch });
  }

  private train(shape: ModelShape): BenchCase[] {
    const model = this.loaded();
    return this.options.trainBatch.split(',').map((text) => {
      const [count = 0, length = 0] = text.split('x').map(Number);
      this.refuseLong('--train-batch', length, model.info.maxPositionEmbeddings);
      if (count < 1 || length < 2) {
        throw new LimrError('LIMR_USAGE', `--train-batch ${text} has no token to learn`, 'Such as 4x256.');
      }
      return trainCase(model, shape, count, length);
    });
  }

  private async load(): Promise<BenchCase> {
    const model = this.loaded();
    const { weightBytes } = model.info;
    if (!this.random) return loadCase(this.engine, this.dir, weightBytes);
    const saved = join(this.dir, 'saved');
    await model.save(saved);
    return loadCase(this.engine, saved, weightBytes);
  }

  private async tokenize(hooks: HubHooks): Promise<BenchCase> {
    const tokenizer = await Tokenizer.load(this.random ? embeddedModel : this.dir);
    const file = this.options.prompts === '' ? embeddedPrompts : await dataPath(this.options.prompts, hooks);
    const { prompts } = await readPrompts(file);
    return tokenizeCase(
      tokenizer,
      prompts.map(({ prompt }) => prompt),
    );
  }

  private loaded(): Model {
    if (this.model !== undefined) return this.model;
    throw new LimrError('LIMR_INTERNAL', 'a suite of models has none');
  }

  private refuseLong(flag: string, length: number, longest: number): void {
    if (length >= 1 && length <= longest) return;
    throw new LimrError(
      'LIMR_USAGE',
      `${flag} has ${length}, expected 1 to ${longest} with this model`,
      'Choose another length, or a --shape with more positions.',
    );
  }
}

const numbers = (text: string): number[] => text.split(',').map(Number);

/** Answers of the embedded prompts against their other spellings. */
async function verify(): Promise<BenchCase> {
  const { prompts } = await readPrompts(embeddedEvalPrompts);
  const answers = [...new Set(prompts.map(({ answer }) => answer))];
  const pairs = answers.flatMap((answer) =>
    respellings.flatMap((respelling) => {
      const spelled = respelling.apply(answer);
      return spelled === null ? [] : [[answer, spelled] as const];
    }),
  );
  return verifyCase('standard', graderOf('standard'), pairs);
}
