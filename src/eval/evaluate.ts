/** Evaluation of a model on prompts with reference answers: samples, grades them while others decode, sums up. */
import type { Model } from '../engine/model.js';
import type { SamplingOptions } from '../engine/sampling.js';
import { LimrError } from '../errors.js';
import type { StopReason } from '../native.js';
import { type Reward, type RewardResult, type RewardSample, scoreSamples } from '../reward/reward.js';
import { type EvaluationSummary, summarize } from './accuracy.js';

/** A question, its answer, and the tokens that ask it. */
export interface EvaluationPrompt {
  readonly id: string;
  /** The question as the data set has it. */
  readonly prompt: string;
  readonly answer: string;
  /** Chat template applied, encoded. */
  readonly tokens: ArrayLike<number>;
}

export interface EvaluationProgress {
  readonly done: number;
  readonly total: number;
  readonly correct: number;
  readonly tokens: number;
}

export interface EvaluateOptions extends SamplingOptions {
  readonly onProgress?: (progress: EvaluationProgress) => void;
}

/** A graded response. */
export interface EvaluatedSample {
  readonly response: string;
  readonly tokens: Int32Array;
  readonly stopReason: StopReason;
  readonly grade: RewardResult;
}

export interface Evaluation {
  readonly summary: EvaluationSummary;
  /** [prompt][sample], in the order of the prompts. */
  readonly samples: readonly (readonly EvaluatedSample[])[];
}

/**
 * @param model with its tokenizer
 * @param options sampling; greedy (temperature 0) unless told otherwise
 * @throws {LimrError} LIMR_STATE without a tokenizer; what sampling and the reward throw
 */
export async function evaluate(
  model: Model,
  prompts: readonly EvaluationPrompt[],
  reward: Reward,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { tokenizer } = model;
  if (tokenizer === undefined) {
    throw new LimrError(
      'LIMR_STATE',
      'evaluation needs a tokenizer',
      'Load the model from a folder with tokenizer.json.',
    );
  }
  const sampling = { temperature: 0, ...options };
  const perPrompt = sampling.samplesPerPrompt ?? 1;
  const samples: EvaluatedSample[][] = prompts.map(() => []);
  const progress = { done: 0, total: prompts.length * perPrompt, correct: 0, tokens: 0 };
  const grading: Promise<void>[] = [];
  for await (const { prompt: index, sample, tokens, logprobs, stopReason } of model.generate(prompts, sampling)) {
    const { id, prompt, answer, tokens: asked } = prompts[index]!;
    const input: RewardSample = {
      prompt,
      promptId: id,
      answer,
      row: index,
      sample,
      rollout: sampling.rollout ?? 0,
      response: tokenizer.decode(tokens, { skipSpecialTokens: true }),
      fullText: tokenizer.decode([...Array.from(asked), ...tokens]),
      tokens,
      logprobs,
      stopReason,
    };
    progress.done += 1;
    progress.tokens += tokens.length;
    const graded = scoreSamples(reward, [input]).then(([grade]) => {
      samples[index]![sample] = { response: input.response, tokens, stopReason, grade: grade! };
      if (grade!.correct) progress.correct += 1;
      options.onProgress?.({ ...progress });
    });
    graded.catch(() => {}); // reported by Promise.all below, once sampling has ended
    grading.push(graded);
  }
  await Promise.all(grading);
  const outcomes = samples.map((group) =>
    group.map(({ tokens, stopReason, grade: { correct, wellFormed } }) => {
      return { correct, wellFormed, length: tokens.length, truncated: stopReason === 'length' };
    }),
  );
  return { summary: summarize(outcomes), samples };
}
