/** Prompts made to fit promptMaxLen. */
import type { TokenizedPrompt } from '../dataset/asking.js';
import { LimrError } from '../errors.js';
import type { TrainConfig } from './config.js';

export interface FittedPrompts {
  readonly prompts: readonly TokenizedPrompt[];
  /** How many were cut. */
  readonly truncated: number;
}

/**
 * Cuts prompts of more than promptMaxLen tokens at the end that promptTruncation names.
 * @param source what to call the set in messages
 * @throws {LimrError} LIMR_USAGE for a prompt without tokens, or a longer one under promptTruncation "error"
 */
export function fitPrompts(
  prompts: readonly TokenizedPrompt[],
  config: Pick<TrainConfig, 'promptMaxLen' | 'promptTruncation'>,
  source: string,
): FittedPrompts {
  const { promptMaxLen, promptTruncation } = config;
  let truncated = 0;
  const fitted = prompts.map((prompt) => {
    const { tokens, id } = prompt;
    if (tokens.length === 0)
      throw new LimrError('LIMR_USAGE', `prompt ${id} of ${source} has no tokens`, 'Remove it from the file.');
    if (tokens.length <= promptMaxLen) return prompt;
    if (promptTruncation === 'error')
      throw new LimrError(
        'LIMR_USAGE',
        `prompt ${id} of ${source} has ${tokens.length} tokens, and promptMaxLen is ${promptMaxLen}`,
        'Raise --prompt-max-len, or set --prompt-truncation.',
      );
    truncated += 1;
    const kept = promptTruncation === 'left' ? tokens.slice(-promptMaxLen) : tokens.slice(0, promptMaxLen);
    return { ...prompt, tokens: kept };
  });
  return { prompts: fitted, truncated };
}
