import { didYouMean } from '../did-you-mean.js';
import { LimrError } from '../errors.js';
import { createGrader, type Grader, graderNames } from './graders/index.js';
import { type AnswerLookup, type LimrScores, limrRuleReward, limrScores } from './limr-rule.js';
import { randomReward } from './random.js';
import type { Reward } from './reward.js';
import { type TemplateName, templateNames } from './template.js';

/** @throws {LimrError} LIMR_USAGE for a name that no grader has */
export function graderOf(grader: string): Grader {
  return createGrader(oneOf('grader', grader, graderNames));
}

/** Which reward, and what it depends on. Names may come straight from flags and files: they are checked here. */
export type RewardOptions = {
  /** Default `plain`. */
  readonly template?: string;
  /** Default +1, -0.5, -1. */
  readonly scores?: Partial<LimrScores>;
} & (
  | { readonly kind: 'limr-rule'; readonly grader: string; readonly lookup?: AnswerLookup }
  | { readonly kind: 'random'; readonly seed: number; readonly rate: number; readonly form?: 'rule' | 'ignore' }
);

/**
 * The reward of a kind, ready to score samples.
 * @throws {LimrError} LIMR_USAGE for an unknown kind, grader, template or form, and for numbers out of range
 */
export function createReward(options: RewardOptions): Reward {
  const template: TemplateName = oneOf('template', options.template ?? 'plain', templateNames);
  const scores = { ...limrScores, ...options.scores };
  for (const [name, score] of Object.entries(scores)) {
    if (!(name in limrScores)) oneOf('score', name, Object.keys(limrScores));
    if (!Number.isFinite(score)) throw usage(`score ${name} is ${score}`, 'Give a finite number.');
  }
  const { kind } = options;
  switch (kind) {
    case 'limr-rule': {
      const { grader, lookup } = options;
      return limrRuleReward({
        grader,
        comparator: graderOf(grader).compare,
        template,
        scores,
        ...(lookup && { lookup }),
      });
    }
    case 'random': {
      const { seed, rate } = options;
      if (!(rate >= 0 && rate <= 1)) throw usage(`rate is ${rate}`, 'Give a number in [0, 1].');
      if (seed !== seed >>> 0) throw usage(`seed is ${seed}`, 'Give an integer in [0, 4294967295].');
      const form = oneOf('form', options.form ?? 'rule', ['rule', 'ignore'] as const);
      return randomReward({ seed, rate, template, form, scores });
    }
    default:
      throw usage(`unknown reward "${kind satisfies never}"`, 'Known: limr-rule, random.');
  }
}

function oneOf<Name extends string>(what: string, name: string, names: readonly Name[]): Name {
  const found = names.find((known) => known === name);
  if (found === undefined) {
    throw usage(`unknown ${what} "${name}"`, didYouMean(name, names) || `Known: ${names.join(', ')}.`);
  }
  return found;
}

function usage(message: string, hint: string): LimrError {
  return new LimrError('LIMR_USAGE', message, hint);
}
