/** Evaluation of a model on benchmarks, with the settings of LIMR's paper unless told otherwise. */
import { selfRemark } from '../audit/audit.js';
import { type PromptSet, promptSetRemarks } from '../dataset/prompts.js';
import type { Model } from '../engine/model.js';
import { LimrError } from '../errors.js';
import { type QuestionPool, runBenchmark } from '../eval/benchmark-run.js';
import { type BenchmarkSummary, summarizeBenchmark } from '../eval/benchmark-summary.js';
import { type BenchmarkSource, findBenchmarks, readBenchmark } from '../eval/benchmarks.js';
import type { SamplingProgress } from '../eval/graded-samples.js';
import { QuestionFile } from '../eval/question-file.js';
import type { QuestionRecord } from '../eval/question-record.js';
import { task as questionTask } from '../eval/question-task.js';
import type { HubHooks } from '../hub/index.js';
import type { JsonObject } from '../json.js';
import { graderOf } from '../reward/create-reward.js';
import { WorkerPool } from '../reward/pool.js';
import { dataPath, embeddedEvalPrompts, embeddedModel, modelFolder } from './embedded.js';
import type { EvalOptions } from './eval-options.js';
import { type Evaluation, prepareEvaluation } from './eval-prepare.js';
import { dataFingerprint, modelFingerprint } from './fingerprint.js';
import { type ChosenMachine, withEngine } from './machine.js';
import { checkOutputFile } from './output-file.js';
import { defaultRewardWorkers } from './rewards.js';

/** What a caller of `launchEval` is told. */
export interface EvalHooks extends HubHooks {
  /** Told, by benchmark, whenever a sample ends or is graded. */
  readonly onProgress?: (benchmark: string, progress: SamplingProgress) => void;
  /** Sentences for a person: unusual data, settings that are not the paper's. */
  readonly remark?: (text: string) => void;
  readonly signal?: AbortSignal;
}

/** A benchmark's result, with the settings that made it. */
export interface BenchmarkResult extends BenchmarkSummary {
  readonly name: string;
  readonly path: string;
  /** Questions left out, since they were too long: the accuracy is that of the others. */
  readonly dropped: number;
  readonly temperature: number;
  readonly topP: number;
  readonly generateMaxLen: number;
  /** Of the questions that this call asked. */
  readonly seconds: number;
  readonly tokens: number;
}

/** What `eval` found, by benchmark. */
export interface EvalResult {
  readonly model: string;
  readonly seed: number;
  readonly benchmarks: readonly BenchmarkResult[];
}

/**
 * Samples and grades `--benchmarks`.
 * @throws {LimrError} LIMR_USAGE, LIMR_IO, LIMR_FORMAT of model and data; LIMR_ABORTED after the signal: what is graded by then stays in
 *   `<output>.unfinished`
 */
export async function launchEval(
  options: EvalOptions,
  machine: ChosenMachine,
  hooks: EvalHooks = {},
): Promise<EvalResult> {
  const graders = gradersOf(options);
  if (options.output !== '') await QuestionFile.check(options.output, options.resume);
  const model = await modelFolder(options.model, hooks);
  const sources = await sourcesOf(options, model, hooks);
  const sets: PromptSet[] = [];
  for (const source of sources) sets.push(await readQuestions(source, options, graders[0]!, hooks));
  return withEngine(machine, async (engine) => {
    const loaded = await engine.load(model);
    const remark = hooks.remark ?? (() => {});
    const evaluations = sources.map((source, i) => prepareEvaluation(source, sets[i]!, loaded, options, remark));
    const isa = `${engine.machine().version} ${engine.isa}`;
    const identity = options.output === '' ? {} : await identityOf(evaluations, options, model, isa);
    const file = options.output === '' ? undefined : await QuestionFile.open(options.output, identity, options.resume);
    const pool: QuestionPool = new WorkerPool(
      questionTask,
      { graders },
      {
        workers: options.rewardWorkers ?? defaultRewardWorkers(),
        timeoutMs: options.rewardTimeoutMs,
        ...(hooks.remark === undefined ? {} : { onIncident: hooks.remark }),
      },
    );
    try {
      const results: BenchmarkResult[] = [];
      const records: QuestionRecord[] = [];
      for (const evaluation of evaluations) {
        const { result, asked } = await evaluateOne(evaluation, { loaded, graders, pool, file, hooks });
        results.push(result);
        records.push(...asked);
      }
      await file?.finish(records);
      return { model, seed: options.seed, benchmarks: results };
    } catch (error) {
      const isAborted = error instanceof LimrError && error.code === 'LIMR_ABORTED';
      if (file?.unfinished === undefined || !isAborted) throw error;
      throw new LimrError(
        'LIMR_ABORTED',
        `interrupted; the questions so far are in ${file.unfinished}`,
        'Go on by --resume.',
      );
    } finally {
      await pool.close();
      await file?.close();
    }
  });
}

function gradersOf({ grader }: EvalOptions): readonly string[] {
  const graders = [...new Set(grader.split(','))];
  graders.forEach(graderOf);
  return graders;
}

async function sourcesOf(options: EvalOptions, model: string, hooks: EvalHooks): Promise<readonly BenchmarkSource[]> {
  const { benchmarks, data, output, resume } = options;
  if (resume && output === '') {
    throw new LimrError('LIMR_USAGE', '--resume needs the --output that was interrupted', 'Name it.');
  }
  if (benchmarks !== '') return findBenchmarks(benchmarks, data, (name) => dataPath(name, hooks));
  if (model === embeddedModel && data === '') return findBenchmarks(`heldout=${embeddedEvalPrompts}`, '');
  throw new LimrError(
    'LIMR_USAGE',
    'there is nothing to evaluate on',
    'Name benchmarks by --benchmarks aime24,math500.',
  );
}

/** Reads a benchmark, and remarks on what is unusual in it. */
async function readQuestions(
  source: BenchmarkSource,
  options: EvalOptions,
  headline: string,
  { remark }: EvalHooks,
): Promise<PromptSet> {
  const { name } = source.benchmark;
  await checkOutputFile('--output', options.output, { [`benchmark ${name}`]: source.path });
  const set = await readBenchmark(source, options, options.limit ?? undefined);
  const golds = set.prompts.map(({ answer }) => answer);
  const ungradable = selfRemark(set.file, golds, graderOf(headline));
  for (const text of [...promptSetRemarks(set), ...(ungradable === undefined ? [] : [ungradable])]) remark?.(text);
  return set;
}

interface Tools {
  readonly loaded: Model;
  readonly graders: readonly string[];
  readonly pool: QuestionPool;
  readonly file: QuestionFile | undefined;
  readonly hooks: EvalHooks;
}

async function evaluateOne(
  { source, questions, dropped, sampling }: Evaluation,
  { loaded, graders, pool, file, hooks }: Tools,
): Promise<{ readonly result: BenchmarkResult; readonly asked: readonly QuestionRecord[] }> {
  const { name } = source.benchmark;
  const done = new Map(file?.done.filter(({ benchmark }) => benchmark === name).map((record) => [record.row, record]));
  const started = performance.now();
  let tokens = 0;
  const onQuestion = async (record: QuestionRecord): Promise<void> => {
    done.set(record.row, record);
    tokens += record.samples.reduce((sum, { length }) => sum + length, 0);
    await file?.add(record);
  };
  await runBenchmark({
    benchmark: name,
    questions: questions.filter(({ row }) => !done.has(row)),
    model: loaded.port(),
    text: loaded.tokenizerFor('an evaluation'),
    sampling,
    graders,
    pool,
    onQuestion,
    onProgress: (progress) => hooks.onProgress?.(name, progress),
    signal: hooks.signal,
  });
  const asked = questions.map(({ row }) => done.get(row)!);
  const result: BenchmarkResult = {
    name,
    path: source.path,
    dropped,
    temperature: sampling.temperature,
    topP: sampling.topP,
    generateMaxLen: sampling.maxTokens,
    ...summarizeBenchmark(asked, graders),
    seconds: (performance.now() - started) / 1000,
    tokens,
  };
  return { result, asked };
}

/** What decides the records. Threads, batches and memory do not. */
async function identityOf(
  evaluations: readonly Evaluation[],
  options: EvalOptions,
  model: string,
  build: string,
): Promise<JsonObject> {
  const benchmarks: JsonObject[] = [];
  for (const { source, sampling, questions } of evaluations) {
    benchmarks.push({
      name: source.benchmark.name,
      data: await dataFingerprint(source.path),
      questions: questions.length,
      samplesPerQuestion: sampling.samplesPerPrompt,
      temperature: sampling.temperature,
      generateMaxLen: sampling.maxTokens,
    });
  }
  const { inputKey, labelKey, applyChatTemplate, systemPrompt, inputTemplate, limit, grader } = options;
  const { topP, topK, minP, minTokens, stop, seed, promptMaxLen } = options;
  return {
    model: await modelFingerprint(model),
    build,
    benchmarks,
    ...{ inputKey, labelKey, applyChatTemplate, systemPrompt, inputTemplate, limit, promptMaxLen, grader },
    ...{ topP, topK, minP, minTokens, stop, seed },
  };
}
