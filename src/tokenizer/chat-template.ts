/** Chat templates, rendered as transformers' `apply_chat_template(tokenize=False)` does. */
import { Template } from '@huggingface/jinja';
import { LimrError } from '../errors.js';

/** A message of a conversation. */
export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool';
  readonly content: string;
}

/** A chat template in Jinja, as tokenizer_config.json or chat_template.jinja has it. */
export class ChatTemplate {
  private readonly template: Template;

  /**
   * @param source Jinja text of the template
   * @param specialTokens bos_token, eos_token, ... as the template may name them
   * @param file where it comes from, for messages
   * @throws {LimrError} LIMR_FORMAT when the template does not parse
   */
  constructor(
    readonly source: string,
    private readonly specialTokens: Readonly<Record<string, string>>,
    private readonly file: string,
  ) {
    try {
      this.template = new Template(source);
    } catch (error) {
      throw this.failure('does not parse', error);
    }
  }

  /**
   * A conversation as the text that the model was trained on.
   * @param addGenerationPrompt ends the text with the header of the assistant's turn
   * @throws {LimrError} LIMR_FORMAT when the template refuses the messages
   */
  render(messages: readonly ChatMessage[], addGenerationPrompt = true): string {
    try {
      return this.template.render({
        ...this.specialTokens,
        messages: messages.map(({ role, content }) => ({ role, content })),
        tools: null,
        documents: null,
        add_generation_prompt: addGenerationPrompt,
      });
    } catch (error) {
      throw this.failure('refuses these messages', error);
    }
  }

  private failure(what: string, error: unknown): LimrError {
    const reason = error instanceof Error ? error.message : String(error);
    const hint = 'Prompts may go without a template: --apply-chat-template off.';
    return new LimrError('LIMR_FORMAT', `${this.file}: the chat template ${what}: ${reason}`, hint, { cause: error });
  }
}
