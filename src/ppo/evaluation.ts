/**
 * Evaluation during training: accuracy on held-out prompts, at evalTemperature and, apart, at training's own settings.
 */
import type { TokenizedPrompt } from '../dataset/asking.js';
import type { EngineModel } from '../engine/port.js';
import type { SamplingConfig } from '../engine/sampling.js';
import { type GradedSample, sampleAndGrade, summarizeSamples, type TokenDecoder } from '../eval/graded-samples.js';
import { purpose } from '../random.js';
import type { Reward } from '../reward/reward.js';
import type { TrainConfig } from './config.js';
import type { Observer } from './events.js';
import { finite, type Metrics } from './metrics.js';
import type { FittedPrompt } from './prompts.js';
import { sampleRecord } from './sample-records.js';
import { evaluationRequest, type SpecialTokens, trainingRequest } from './sampling.js';
import { samplingWork, type Work } from './work.js';

export interface EvaluationSet {
  /** In metric names and file names: no slash, no space. */
  readonly name: string;
  readonly prompts: readonly TokenizedPrompt[];
}

/** A set whose prompts fit. */
export interface FittedSet extends EvaluationSet {
  readonly prompts: readonly FittedPrompt[];
}

export interface EvaluationInput {
  readonly config: TrainConfig;
  readonly sets: readonly FittedSet[];
  readonly actor: EngineModel;
  readonly reward: Reward;
  readonly text: TokenDecoder;
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
  readonly work: Work;
}

/**
 * Evaluates every set. Keys are eval/<set>/<metric>, and eval/<set>/sampled/<metric> for the samples of `evalSampled`.
 * @throws {LimrError} LIMR_ABORTED; what the reward throws
 */
export async function evaluate(input: EvaluationInput): Promise<EvaluationResult> {
  const metrics: Record<string, number | null> = {};
  const records: object[] = [];
  let generatedTokens = 0;
  const work = { tokens: 0, headTokens: 0, pairs: 0 };
  for (const [index, set] of input.sets.entries()) {
    for (const { prefix, sampling } of requests(input, set, index)) {
      const phase = { kind: 'eval', set: set.name } as const;
      const { samples, stats } = await sampleAndGrade({
        ...input,
        prompts: set.prompts.map((prompt) => ({ prompt, row: prompt.row, key: prompt.row })),
        sampling,
        onProgress: (progress) => input.observe({ type: 'samples', rollout: input.rollout, phase, ...progress }),
      });
      const measured = accuracyMetrics(samples, sampling.samplesPerPrompt, prefix);
      Object.assign(metrics, measured);
      for (const sample of samples)
        records.push({ ...sampleRecord(sample, input.reward.name), set: set.name, temperature: sampling.temperature });
      generatedTokens += stats.generatedTokens;
      const own = samplingWork(samples);
      for (const key of ['tokens', 'headTokens', 'pairs'] as const) work[key] += own[key];
      input.observe({ type: 'evaluation', rollout: input.rollout, set: set.name, metrics: measured });
    }
  }
  return { metrics, records, generatedTokens, work };
}

function requests(
  { config, special, rollout }: EvaluationInput,
  set: EvaluationSet,
  index: number,
): readonly { readonly prefix: string; readonly sampling: SamplingConfig }[] {
  const { evalNSamples, evalSampled } = config;
  const fixed = evaluationRequest(config, special, rollout, purpose.evaluation(index));
  const sampled = trainingRequest(config, special, rollout, purpose.sampledEvaluation(index), evalSampled);
  return [
    ...(evalNSamples > 0 ? [{ prefix: `eval/${set.name}`, sampling: fixed }] : []),
    ...(evalSampled > 0 ? [{ prefix: `eval/${set.name}/sampled`, sampling: sampled }] : []),
  ];
}

function accuracyMetrics(samples: readonly GradedSample[], samplesPerPrompt: number, prefix: string): Metrics {
  const summary = summarizeSamples(samples, samplesPerPrompt);
  const total = samples.reduce((sum, { grade }) => sum + grade.reward, 0);
  return {
    [`${prefix}/accuracy`]: summary.accuracy,
    [`${prefix}/accuracy_se`]: finite(summary.accuracySe),
    [`${prefix}/accuracy_well_formed`]: finite(summary.accuracyWellFormed),
    [`${prefix}/well_formed`]: summary.wellFormed,
    [`${prefix}/reward`]: total / samples.length,
    [`${prefix}/length`]: summary.meanLength,
    [`${prefix}/truncated`]: summary.truncated,
  };
}
