/** How a question of a data set becomes the text that a model completes. */
import { LimrError } from '../errors.js';
import type { ChatMessage } from '../tokenizer/chat-template.js';
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import type { Prompt, PromptSet } from './prompts.js';

/** LIMR's system message. */
export const boxedSystemPrompt = 'Please reason step by step, and put your final answer within \\boxed{}.';

/** Where a question goes in an input template. */
export const templateSlot = '{}';

/** How a question becomes the text that a model is asked. */
export interface AskingStyle {
  /** auto = when the tokenizer has a chat template. */
  readonly applyChatTemplate: 'auto' | 'on' | 'off';
  /**
   * System message of the chat template, unless the conversation has one; "" = none. Without a template there is no place for it.
   */
  readonly systemPrompt: string;
  /** Text around the question, such as "Question: {}\nAnswer:"; with a chat template it is part of the user's turn. Default: none. */
  readonly inputTemplate?: string;
}

/** A question, or the conversation that ends with it. */
export type Question = string | readonly ChatMessage[];

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
 * @throws {LimrError} LIMR_UNSUPPORTED when a template is wanted, or needed for a conversation, and there is none; LIMR_USAGE for an
 *   input template without a place for the question
 */
export function askingText(question: Question, tokenizer: Tokenizer, style: AskingStyle): string {
  const messages: readonly ChatMessage[] =
    typeof question === 'string' ? [{ role: 'user', content: question }] : question;
  const asked = intoTemplate(messages, style.inputTemplate ?? '');
  if (!usesChatTemplate(tokenizer, style)) return onlyMessage(asked);
  const { systemPrompt } = style;
  const isGiven = systemPrompt === '' || asked.some(({ role }) => role === 'system');
  return tokenizer.renderChat(isGiven ? asked : [{ role: 'system', content: systemPrompt }, ...asked]);
}

/** Tokens of `askingText`. A template writes its own special tokens; a bare question gets the tokenizer's, if it has any. */
export function askingTokens(question: Question, tokenizer: Tokenizer, style: AskingStyle): Int32Array {
  const addSpecialTokens = !usesChatTemplate(tokenizer, style);
  return tokenizer.encode(askingText(question, tokenizer, style), { addSpecialTokens });
}

/** A set's prompts, ready to be sampled. @throws {LimrError} what `askingText` throws, naming the row */
export function tokenizePrompts(set: PromptSet, tokenizer: Tokenizer, style: AskingStyle): TokenizedPrompt[] {
  return set.prompts.map((prompt) => {
    const { id, answer, fields } = prompt;
    return { id, prompt: prompt.prompt, answer, fields, tokens: tokensOfRow(set.file, prompt, tokenizer, style) };
  });
}

function tokensOfRow(file: string, { row, prompt, messages }: Prompt, tokenizer: Tokenizer, style: AskingStyle) {
  try {
    return askingTokens(messages ?? prompt, tokenizer, style);
  } catch (error) {
    if (!(error instanceof LimrError)) throw error;
    throw new LimrError(error.code, `${file}, row ${row}: ${error.message}`, error.hint, { cause: error });
  }
}

function usesChatTemplate(tokenizer: Tokenizer, { applyChatTemplate }: AskingStyle): boolean {
  return applyChatTemplate === 'auto' ? tokenizer.chatTemplate !== undefined : applyChatTemplate === 'on';
}

/** The last message of the user, put into the template. */
function intoTemplate(messages: readonly ChatMessage[], template: string): readonly ChatMessage[] {
  if (template === '') return messages;
  const parts = template.split(templateSlot);
  if (parts.length !== 2) {
    throw new LimrError(
      'LIMR_USAGE',
      `the input template has ${parts.length - 1} places for the question, expected one ${templateSlot}`,
      `Write it as "Question: ${templateSlot}", with further braces around text only.`,
    );
  }
  const last = messages.findLastIndex(({ role }) => role === 'user');
  return messages.map((message, i) => (i === last ? { ...message, content: parts.join(message.content) } : message));
}

/** The text of a conversation of one message: for more, only a chat template says how to tell them apart. */
function onlyMessage(messages: readonly ChatMessage[]): string {
  if (messages.length === 1) return messages[0]!.content;
  throw new LimrError(
    'LIMR_UNSUPPORTED',
    `a conversation of ${messages.length} messages needs a chat template`,
    'Take a model that has one, or name a field with the bare question by --input-key.',
  );
}
