/** Evaluation during training: accuracy on held-out prompts, at evalTemperature and, apart, at training's own settings. */
import type { Reward } from '../reward/reward.js';
import type { TrainConfig } from './config.js';
import type { EngineModel } from './engine-port.js';
import type { Observer } from './events.js';
import { type Metrics, ratio } from './metrics.js';
import { purpose } from './random.js';
import { type GradedSample, sampleAndGrade, sampleRecord, type TextDecoder, type TrainPrompt } from './rollout.js';
import { evaluationRequest, type SamplingRequest, type SpecialTokens, trainingRequest } from './sampling.js';

export interface EvaluationSet {
  /** In metric names and file names: no slash, no space. */
  readonly name: string;
  readonly prompts: readonly TrainPrompt[];
}

export interface EvaluationInput {
  readonly config: TrainConfig;
  readonly sets: readonly EvaluationSet[];
  readonly actor: EngineModel;
  readonly reward: Reward;
  readonly text: TextDecoder;
  readonly special: SpecialTokens;
  readonly rollout: number;
  readonly observe: Observer;
  readonly signal: AbortSignal | undefined;
}

export interface EvaluationResult {
  readonly metrics: Metrics;
  /** For samples/test/step_<k>.json. */
  readonly records: readonly object[];
  readonly generatedTokens: number;
}

/**
 * Evaluates every set. Keys are eval/<set>/<metric>, and eval/<set>/sampled/<metric> for the samples of `evalSampled`.
 * @throws {LimrError} LIMR_ABORTED; what the reward throws
 */
export async function evaluate(input: EvaluationInput): Promise<EvaluationResult> {
  const metrics: Record<string, number | null> = {};
  const records: object[] = [];
  let generatedTokens = 0;
  for (const [index, set] of input.sets.entries()) {
    for (const { prefix, sampling } of requests(input, set, index)) {
      const phase = { kind: 'eval', set: set.name } as const;
      const prompts = set.prompts.map((prompt, row) => ({ prompt, row, key: row }));
      const { samples, stats } = await sampleAndGrade({ ...input, prompts, sampling, phase });
      const measured = accuracyMetrics(samples, sampling.samplesPerPrompt, prefix);
      Object.assign(metrics, measured);
      for (const sample of samples)
        records.push({ ...sampleRecord(sample), set: set.name, temperature: sampling.temperature });
      generatedTokens += stats.generatedTokens;
      input.observe({ type: 'evaluation', rollout: input.rollout, set: set.name, metrics: measured });
    }
  }
  return { metrics, records, generatedTokens };
}

function requests(
  { config, special, rollout }: EvaluationInput,
  set: EvaluationSet,
  index: number,
): readonly { readonly prefix: string; readonly sampling: SamplingRequest }[] {
  const { evalNSamples, evalSampled } = config;
  const fixed = evaluationRequest(config, special, rollout, purpose.evaluation(index));
  const sampled = trainingRequest(config, special, rollout, purpose.sampledEvaluation(index), evalSampled);
  return [
    ...(evalNSamples > 0 ? [{ prefix: `eval/${set.name}`, sampling: fixed }] : []),
    ...(evalSampled > 0 ? [{ prefix: `eval/${set.name}/sampled`, sampling: sampled }] : []),
  ];
}

/**
 * Accuracy and what it is made of. The standard error is over prompts: the spread of their n-sample means, with P - 1, over
 * sqrt(P); null for one prompt.
 * @param samples in canonical order
 */
export function accuracyMetrics(samples: readonly GradedSample[], samplesPerPrompt: number, prefix: string): Metrics {
  const count = samples.length;
  const share = (test: (sample: GradedSample) => boolean, of = count): number | null =>
    ratio(samples.filter(test).length, of);
  const wellFormed = samples.filter(({ grade }) => grade.wellFormed).length;
  const tokens = samples.reduce((sum, sample) => sum + sample.tokens.length, 0);
  return {
    [`${prefix}/accuracy`]: share(({ grade }) => grade.correct),
    [`${prefix}/accuracy_se`]: standardError(samples, samplesPerPrompt),
    [`${prefix}/accuracy_well_formed`]: share(({ grade }) => grade.correct && grade.wellFormed, wellFormed),
    [`${prefix}/well_formed`]: ratio(wellFormed, count),
    [`${prefix}/length`]: ratio(tokens, count),
    [`${prefix}/truncated`]: share(({ stopReason }) => stopReason === 'length'),
  };
}

function standardError(samples: readonly GradedSample[], samplesPerPrompt: number): number | null {
  const means: number[] = [];
  for (let first = 0; first < samples.length; first += samplesPerPrompt) {
    const group = samples.slice(first, first + samplesPerPrompt);
    means.push(group.filter(({ grade }) => grade.correct).length / group.length);
  }
  const mean = means.reduce((a, b) => a + b, 0) / means.length;
  const squares = means.reduce((sum, m) => sum + (m - mean) ** 2, 0);
  return ratio(Math.sqrt(squares / (means.length - 1)), Math.sqrt(means.length));
}
