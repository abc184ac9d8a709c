/** How a question of a data set becomes the text that a model completes. */
import type { ChatMessage } from '../tokenizer/chat-template.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';

/** LIMR's system message. */
export const boxedSystemPrompt = 'Please reason step by step, and put your final answer within \\boxed{}.';

export interface AskingStyle {
  /** auto = when the tokenizer has a chat template. */
  readonly applyChatTemplate: 'auto' | 'on' | 'off';
  /** System message of the chat template; "" = none. Without a template there is no place for it. */
  readonly systemPrompt: string;
}

/** A question, its reference answer, and the tokens that ask it. */
export interface TokenizedPrompt {
  readonly id: string;
  /** The question, as the data set has it. */
  readonly prompt: string;
  readonly answer: string;
  /** Chat template applied, encoded. */
  readonly tokens: Int32Array;
  /** The question's row of the data set, for rewards that want more of it; default: nothing. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/**
 * @returns the question as it is, or the conversation that asks it, up to the assistant's turn
 * @throws {LimrError} LIMR_UNSUPPORTED when a template is wanted and there is none
 */
export function askingText(question: string, tokenizer: Tokenizer, style: AskingStyle): string {
  if (!usesChatTemplate(tokenizer, style)) return question;
  const system: ChatMessage[] = style.systemPrompt === '' ? [] : [{ role: 'system', content: style.systemPrompt }];
  return tokenizer.renderChat([...system, { role: 'user', content: question }]);
}

/** Tokens of `askingText`. A template writes its own special tokens; a bare question gets the tokenizer's, if it has any. */
export function askingTokens(question: string, tokenizer: Tokenizer, style: AskingStyle): Int32Array {
  const addSpecialTokens = !usesChatTemplate(tokenizer, style);
  return tokenizer.encode(askingText(question, tokenizer, style), { addSpecialTokens });
}

function usesChatTemplate(tokenizer: Tokenizer, { applyChatTemplate }: AskingStyle): boolean {
  return applyChatTemplate === 'auto' ? tokenizer.chatTemplate !== undefined : applyChatTemplate === 'on';
}
