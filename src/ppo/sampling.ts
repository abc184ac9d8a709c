/** The engine's sampling requests that a configuration stands for. */
import type { SamplingConfig } from '../engine/sampling.js';
import { evalMaxLen, logprobTemperature, type TrainConfig } from './config.js';

/** What the tokenizer contributes. */
export interface SpecialTokens {
  readonly eosTokenIds: readonly number[];
  /** Never sampled. */
  readonly bannedTokenIds: readonly number[];
}

/** Finished samples that may wait for their taker before sampling pauses. */
const maxUnacknowledged = 256;

/** Samples for training: nSamplesPerPrompt at the training temperature. */
export function trainingRequest(
  config: TrainConfig,
  special: SpecialTokens,
  rollout: number,
  purpose: number,
  samplesPerPrompt = config.nSamplesPerPrompt,
): SamplingConfig {
  return {
    samplesPerPrompt,
    seed: config.seed,
    purpose,
    rollout,
    temperature: config.temperature,
    topK: config.topK,
    topP: config.topP,
    minP: config.minP,
    logprobTemperature: logprobTemperature(config),
    minTokens: config.minTokens,
    maxTokens: config.generateMaxLen,
    eosTokenIds: Int32Array.from(special.eosTokenIds),
    stopStrings: config.stop,
    bannedTokenIds: Int32Array.from(special.bannedTokenIds),
    maxBatch: config.maxBatch,
    prefillChunk: config.prefillChunk,
    kvCacheBytes: config.kvCacheBytes,
    maxUnacknowledged,
  };
}

/** Samples for an evaluation: evalNSamples at evalTemperature and evalTopP, and no other mask. */
export function evaluationRequest(
  config: TrainConfig,
  special: SpecialTokens,
  rollout: number,
  purpose: number,
): SamplingConfig {
  return {
    ...trainingRequest(config, special, rollout, purpose, config.evalNSamples),
    temperature: config.evalTemperature,
    topK: 0,
    topP: config.evalTopP,
    minP: 0,
    logprobTemperature: config.evalTemperature === 0 ? 1 : config.evalTemperature,
    maxTokens: evalMaxLen(config),
  };
}
