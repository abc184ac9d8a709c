/** How to sample: options, their defaults, and their validation. */
import { LimrError } from '../errors.js';
import type { NativeGenerateRequest, NativeToken } from '../native.js';
import { inRange, whole } from './numbers.js';
import { checkTokenIds, type Tokens } from './sequences.js';

/** How samples are drawn: temperature first, then top-k, top-p and min-p. */
export interface SamplingOptions {
  /** Samples of each prompt, which share its prefill. Default 1. */
  readonly samplesPerPrompt?: number;
  /** 0 = greedy. Default 1. */
  readonly temperature?: number;
  /** The k likeliest tokens only; 0 = off, the default. */
  readonly topK?: number;
  /** Nucleus of this probability; 1 = off, the default. */
  readonly topP?: number;
  /** Tokens of at least this share of the likeliest one's probability; 0 = off, the default. */
  readonly minP?: number;
  /** Temperature of the reported log-probs. Default: `temperature`, or 1 when greedy. */
  readonly logprobTemperature?: number;
  /** Tokens before which no end-of-text token is sampled. Default 0. */
  readonly minTokens?: number;
  /** Generated tokens a sample, at most. Default 256. */
  readonly maxTokens?: number;
  /** Tokens that end a sample, which keeps them. Default: the model's generation_config.json. */
  readonly eosTokenIds?: Tokens;
  /** Texts that end a sample, which keeps them. Default none. */
  readonly stopStrings?: readonly string[];
  /** Further ids that are never sampled; those that the tokenizer lacks never are. Default none. */
  readonly bannedTokenIds?: Tokens;
  /** Unsigned 32-bit; with purpose, rollout, row and sample index it determines every draw. Default 0. */
  readonly seed?: number;
  readonly purpose?: number;
  readonly rollout?: number;
  /** Sequences decoded at once, at most. Default 64. */
  readonly maxBatch?: number;
  /** Prompt tokens a prefill step, at most. Default 512. */
  readonly prefillChunk?: number;
  /** Bytes of the KV cache; 0 = what `maxBatch` sequences can need, the default. */
  readonly kvCacheBytes?: number;
  /** Finished samples that may wait for their taker before sampling pauses. Default 256. */
  readonly maxUnacknowledged?: number;
  /** Stops the call, which then throws LIMR_ABORTED. */
  readonly signal?: AbortSignal;
  /** Called with every token as it is drawn, before its sample is finished. It must not throw. */
  readonly onToken?: (token: NativeToken) => void;
}

/** All of a request but its prompts. */
export type SamplingConfig = Omit<NativeGenerateRequest, 'tokens' | 'offsets' | 'rows'>;

/** What the model contributes to a sampling configuration. */
export interface SamplingDefaults {
  readonly vocabSize: number;
  readonly eosTokenIds: Tokens;
  readonly bannedTokenIds: Tokens;
}

const WORD = 0xffffffff;

/** Completes and checks options. @throws {LimrError} LIMR_USAGE, naming the option, the value found and the values allowed */
export function resolveSampling(options: SamplingOptions, defaults: SamplingDefaults): SamplingConfig {
  const temperature = inRange('temperature', options.temperature ?? 1, 0);
  const maxTokens = whole('maxTokens', options.maxTokens ?? 256, 1);
  const minTokens = whole('minTokens', options.minTokens ?? 0, 0);
  if (minTokens > maxTokens) {
    throw new LimrError(
      'LIMR_USAGE',
      `minTokens is ${minTokens}, more than maxTokens, ${maxTokens}`,
      'Lower minTokens.',
    );
  }
  const stopStrings = options.stopStrings ?? [];
  if (stopStrings.some((text) => text === '')) {
    throw new LimrError('LIMR_USAGE', 'a stop string is empty', 'Leave it out: it would end every sample at once.');
  }
  const eosTokenIds = options.eosTokenIds ?? defaults.eosTokenIds;
  checkTokenIds(eosTokenIds, defaults.vocabSize, 'eosTokenIds');
  const banned = Array.from(options.bannedTokenIds ?? []);
  checkTokenIds(banned, defaults.vocabSize, 'bannedTokenIds');
  const bannedTokenIds = Int32Array.from(new Set([...Array.from(defaults.bannedTokenIds), ...banned])).sort();
  if (bannedTokenIds.length >= defaults.vocabSize) {
    throw new LimrError('LIMR_USAGE', 'bannedTokenIds leaves no token to sample', 'Ban fewer tokens.');
  }
  return Object.freeze({
    samplesPerPrompt: whole('samplesPerPrompt', options.samplesPerPrompt ?? 1, 1),
    temperature,
    topK: whole('topK', options.topK ?? 0, 0),
    topP: inRange('topP', options.topP ?? 1, 0, 1, true),
    minP: inRange('minP', options.minP ?? 0, 0, 1),
    logprobTemperature: inRange(
      'logprobTemperature',
      options.logprobTemperature ?? (temperature > 0 ? temperature : 1),
      0,
      Number.MAX_VALUE,
      true,
    ),
    minTokens,
    maxTokens,
    eosTokenIds: Int32Array.from(eosTokenIds),
    stopStrings: Object.freeze([...stopStrings]),
    bannedTokenIds,
    seed: whole('seed', options.seed ?? 0, 0, WORD),
    purpose: whole('purpose', options.purpose ?? 0, 0, WORD),
    rollout: whole('rollout', options.rollout ?? 0, 0, WORD),
    maxBatch: whole('maxBatch', options.maxBatch ?? 64, 1),
    prefillChunk: whole('prefillChunk', options.prefillChunk ?? 512, 1),
    kvCacheBytes: whole('kvCacheBytes', options.kvCacheBytes ?? 0, 0),
    maxUnacknowledged: whole('maxUnacknowledged', options.maxUnacknowledged ?? 256, 1),
  });
}
