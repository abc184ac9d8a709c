/** Columns of chat messages. */
import { LimrError } from '../errors.js';
import type { ChatMessage } from '../tokenizer/chat-template.js';

const roles: readonly string[] = ['system', 'user', 'assistant', 'tool'] satisfies ChatMessage['role'][];

/**
 * A column's conversation, up to the turn that the model takes.
 * @param value a list of {role, content}
 * @param what the column, for messages
 * @throws {LimrError} LIMR_FORMAT unless each message has a role and a text, and the last one is not the assistant's
 */
export function conversationOf(value: readonly unknown[], what: string): readonly ChatMessage[] {
  const messages = value.map((item, i): ChatMessage => {
    const { role, content } = (typeof item === 'object' && item !== null ? item : {}) as Partial<ChatMessage>;
    if (typeof role === 'string' && roles.includes(role) && typeof content === 'string') return { role, content };
    throw new LimrError(
      'LIMR_FORMAT',
      `${what}: message ${i} is not {"role": ${roles.map((name) => JSON.stringify(name)).join(' | ')}, "content": text}`,
      'Convert the column, or choose another one with --input-key.',
    );
  });
  const last = messages.at(-1)?.role;
  if (last === 'user' || last === 'tool') return messages;
  throw new LimrError(
    'LIMR_FORMAT',
    `${what}: the conversation ${last === undefined ? 'is empty' : `ends with the ${last}'s message`}`,
    'A prompt ends with the message that the model answers.',
  );
}

/** The question of a conversation: the user's last message. */
export function questionOf(messages: readonly ChatMessage[]): string {
  return messages.findLast(({ role }) => role === 'user')?.content ?? '';
}
