/** Prompts made to fit promptMaxLen. */
import type { TokenizedPrompt } from '../dataset/asking.js';
import { LimrError } from '../errors.js';
import type { KeyedPrompt } from '../eval/graded-samples.js';
import type { TrainConfig } from './config.js';

export interface FittedPrompt extends TokenizedPrompt {
  /** Place in the set as it was given, which rewards and the random streams know. */
  readonly row: number;
}

export interface FittedPrompts {
  readonly prompts: readonly FittedPrompt[];
  /** Prompts of the set as it was given. */
  readonly given: number;
  /** How many were too long, and so cut or dropped. */
  readonly truncated: number;
}

/**
 * Prompts of more than promptMaxLen tokens are cut at the end that promptTruncation names, or dropped; the others keep
 * their rows.
 * @param source what to call the set in messages
 * @throws {LimrError} LIMR_USAGE for a prompt without tokens, or a longer one under promptTruncation "error", or
 *   when all are dropped
 */
export function fitPrompts(
  prompts: readonly TokenizedPrompt[],
  config: Pick<TrainConfig, 'promptMaxLen' | 'promptTruncation'>,
  source: string,
): FittedPrompts {
  const { promptMaxLen, promptTruncation } = config;
  let truncated = 0;
  const fitted = prompts.flatMap((prompt, row): FittedPrompt[] => {
    const { tokens, id } = prompt;
    if (tokens.length === 0)
      throw new LimrError('LIMR_USAGE', `prompt ${id} of ${source} has no tokens`, 'Remove it from the file.');
    if (tokens.length <= promptMaxLen) return [{ ...prompt, row }];
    if (promptTruncation === 'error')
      throw new LimrError(
        'LIMR_USAGE',
        `prompt ${id} of ${source} has ${tokens.length} tokens, and promptMaxLen is ${promptMaxLen}`,
        'Raise --prompt-max-len, or leave such prompts out by --prompt-truncation drop.',
      );
    truncated += 1;
    if (promptTruncation === 'drop') return [];
    const kept = promptTruncation === 'left' ? tokens.slice(-promptMaxLen) : tokens.slice(0, promptMaxLen);
    return [{ ...prompt, row, tokens: kept }];
  });
  if (fitted.length === 0 && truncated > 0) {
    throw new LimrError(
      'LIMR_USAGE',
      `all ${truncated} prompts of ${source} have more than ${promptMaxLen} tokens and are dropped`,
      'Raise --prompt-max-len.',
    );
  }
  return { prompts: fitted, given: prompts.length, truncated };
}

/**
 * A drawn prompt as the set that was given knows it: what --prompt-truncation drop leaves out changes no other prompt's row or random
 * stream.
 * @param row place among the prompts that fit
 * @param key the row, or row + prompts.length the second time in one rollout, and so on
 */
export function keyedPrompt(
  { prompts, given }: Pick<FittedPrompts, 'prompts' | 'given'>,
  row: number,
  key: number,
): KeyedPrompt {
  const prompt = prompts[row]!;
  return { prompt, row: prompt.row, key: prompt.row + Math.floor(key / prompts.length) * given };
}
