/** From a benchmark's questions to what the engine is asked to sample. */
import { type TokenizedPrompt, tokenizePrompts } from '../dataset/asking.js';
import type { PromptSet } from '../dataset/prompts.js';
import type { Model } from '../engine/model.js';
import type { SamplingConfig } from '../engine/sampling.js';
import { LimrError } from '../errors.js';
import type { AskedQuestion } from '../eval/benchmark-run.js';
import type { Benchmark, BenchmarkSource } from '../eval/benchmarks.js';
import { type EvalOptions, paperMaxTokens } from './eval-options.js';

/** A benchmark, ready to be sampled. */
export interface Evaluation {
  readonly source: BenchmarkSource;
  readonly questions: readonly AskedQuestion[];
  readonly dropped: number;
  readonly sampling: SamplingConfig;
}

/**
 * Encodes the questions, and settles how they are sampled.
 * @param remark takes what is not the paper's setting, and what is left out
 * @throws {LimrError} LIMR_USAGE for questions that are too long
 */
export function prepareEvaluation(
  source: BenchmarkSource,
  set: PromptSet,
  model: Model,
  options: EvalOptions,
  remark: (text: string) => void,
): Evaluation {
  const tokenized = tokenizePrompts(set, model.tokenizerFor('an evaluation'), options);
  const context = model.info.maxPositionEmbeddings;
  const questions = fittingQuestions(tokenized, source, options, context);
  const dropped = tokenized.length - questions.length;
  const { name } = source.benchmark;
  if (dropped > 0) remark(`${name}: ${dropped} of ${tokenized.length} questions are too long and left out`);
  const longest = questions.reduce((most, { prompt }) => Math.max(most, prompt.tokens.length), 0);
  const maxTokens = options.generateMaxLen ?? Math.min(paperMaxTokens, context - longest);
  if (longest + maxTokens > context) {
    throw new LimrError(
      'LIMR_USAGE',
      `${name}: a question of ${longest} tokens and ${maxTokens} generated ones exceed the model's context of ${context}`,
      `Lower --generate-max-len to ${context - longest}, or leave long questions out: --prompt-truncation drop --prompt-max-len ${Math.max(1, context - maxTokens)}.`,
    );
  }
  if (options.generateMaxLen === null && maxTokens < paperMaxTokens) {
    remark(
      `${name}: samples have at most ${maxTokens} tokens, not ${paperMaxTokens}: the model's context is ${context}`,
    );
  }
  const sampling = samplingOf(model, source.benchmark, options, maxTokens);
  const { samplesPerPrompt, temperature } = sampling;
  if (temperature === 0 && samplesPerPrompt > 1) {
    remark(`${name}: at temperature 0 the ${samplesPerPrompt} samples of a question are one and the same`);
  }
  return { source, questions, dropped, sampling };
}

/** The questions that are short enough, with their rows. @throws {LimrError} LIMR_USAGE for a longer one, unless they are dropped */
function fittingQuestions(
  prompts: readonly TokenizedPrompt[],
  { benchmark: { name }, path }: BenchmarkSource,
  options: EvalOptions,
  context: number,
): AskedQuestion[] {
  const { promptMaxLen, promptTruncation, generateMaxLen } = options;
  const room = context - (generateMaxLen ?? 1);
  if (room < 1) {
    throw new LimrError(
      'LIMR_USAGE',
      `--generate-max-len ${generateMaxLen} leaves no room for a question in the model's context of ${context}`,
      'Lower it, or leave it out: samples then get what the questions leave.',
    );
  }
  const most = Math.min(promptMaxLen ?? room, context - 1);
  const questions = prompts.map((prompt, row) => ({ row, prompt }));
  const fitting = questions.filter(({ prompt }) => prompt.tokens.length <= most);
  const long = questions.find(({ prompt }) => prompt.tokens.length > most);
  if (long !== undefined && promptTruncation === 'error') {
    throw new LimrError(
      'LIMR_USAGE',
      `question ${long.row} of ${name} (${path}) has ${long.prompt.tokens.length} tokens, and at most ${most} fit`,
      `Raise --prompt-max-len, lower --generate-max-len, or leave such questions out by --prompt-truncation drop; the model's context is ${context}.`,
    );
  }
  if (fitting.length === 0) {
    throw new LimrError(
      'LIMR_USAGE',
      `all ${questions.length} questions of ${name} (${path}) have more than ${most} tokens and are left out`,
      `Raise --prompt-max-len, or lower --generate-max-len; the model's context is ${context}.`,
    );
  }
  return fitting;
}

function samplingOf(model: Model, benchmark: Benchmark, options: EvalOptions, maxTokens: number): SamplingConfig {
  return model.samplingConfig({
    samplesPerPrompt: options.nSamplesPerPrompt ?? benchmark.samplesPerQuestion,
    temperature: options.temperature ?? benchmark.temperature,
    topP: options.topP,
    topK: options.topK,
    minP: options.minP,
    minTokens: options.minTokens,
    maxTokens,
    stopStrings: options.stop,
    seed: options.seed,
    maxBatch: options.maxBatch,
    prefillChunk: options.prefillChunk,
    kvCacheBytes: options.kvCacheBytes,
  });
}
