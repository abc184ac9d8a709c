import { describe, expect, it } from 'vitest';
import { type AskingStyle, askingText, askingTokens, tokenizePrompts } from '../../src/dataset/asking.js';
import { conversationOf, questionOf } from '../../src/dataset/conversation.js';
import type { PromptSet } from '../../src/dataset/prompts.js';
import { tokensOf } from '../../src/dataset/token-rows.js';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.js';

/** One token a character; a begin-of-text token (1) where special tokens are asked for. */
const tokenizer = (chatTemplate?: object): Tokenizer =>
  ({
    chatTemplate,
    renderChat: (messages: readonly { role: string; content: string }[]) =>
      messages.map(({ role, content }) => `${role[0]}:${content};`).join(''),
    encode: (text: string, { addSpecialTokens }: { addSpecialTokens: boolean }) =>
      Int32Array.from([...(addSpecialTokens ? [1] : []), ...Buffer.from(text)]),
  }) as unknown as Tokenizer;

const text = (tokens: Int32Array): string => Buffer.from(tokens).toString().replace('\u0001', '<s>');

describe('askingTokens', () => {
  it.each([
    ['auto', false, '', '<s>2+2?'],
    ['off', true, 'Think.', '<s>2+2?'],
    ['auto', true, '', 'u:2+2?;'],
    ['on', true, 'Think.', 's:Think.;u:2+2?;'],
  ] as const)('template %s, one there: %s, system message "%s"', (applyChatTemplate, has, systemPrompt, want) => {
    const style: AskingStyle = { applyChatTemplate, systemPrompt };
    expect(text(askingTokens('2+2?', tokenizer(has ? {} : undefined), style))).toBe(want);
  });
});

describe('askingText', () => {
  const style = { applyChatTemplate: 'auto', systemPrompt: 'Think.' } as const;
  const chat = [
    { role: 'system', content: 'Box it.' },
    { role: 'user', content: '1?' },
    { role: 'assistant', content: '1.' },
    { role: 'user', content: '2?' },
  ] as const;

  it('keeps a conversation and its own system message', () => {
    expect(askingText(chat, tokenizer({}), style)).toBe('s:Box it.;u:1?;a:1.;u:2?;');
    expect(askingText(chat.slice(1), tokenizer({}), style)).toBe('s:Think.;u:1?;a:1.;u:2?;');
  });

  it('puts the last question into the input template, whatever it holds', () => {
    const withTemplate = { ...style, inputTemplate: 'Q: {} {a}\nA:' };
    expect(askingText('x$&{}', tokenizer(), withTemplate)).toBe('Q: x$&{} {a}\nA:');
    expect(askingText(chat, tokenizer({}), withTemplate)).toBe('s:Box it.;u:1?;a:1.;u:Q: 2? {a}\nA:;');
    for (const inputTemplate of ['Q:', '{} {}']) {
      expect(() => askingText('x', tokenizer(), { ...style, inputTemplate })).toThrowError(
        expect.objectContaining({ code: 'LIMR_USAGE' }),
      );
    }
  });

  it('drops no message in silence where there is no chat template', () => {
    expect(askingText([{ role: 'user', content: '2?' }], tokenizer(), style)).toBe('2?');
    const set: PromptSet = {
      file: 'chats.json',
      prompts: [{ row: 7, id: 'a', prompt: '2?', messages: chat, answer: '2', fields: {} }],
      duplicatePrompts: [],
      duplicateIds: [],
      emptyAnswers: [],
    };
    expect(() => tokenizePrompts(set, tokenizer(), style)).toThrowError(
      expect.objectContaining({
        code: 'LIMR_UNSUPPORTED',
        message: 'chats.json, row 7: a conversation of 4 messages needs a chat template',
      }),
    );
    expect(tokenizePrompts(set, tokenizer({}), style)).toMatchObject([{ id: 'a', prompt: '2?', answer: '2' }]);
  });
});

describe('conversationOf', () => {
  const user = { role: 'user', content: 'q' };
  it.each([
    [[], 'the conversation is empty'],
    [[user, { role: 'assistant', content: 'a' }], "the conversation ends with the assistant's message"],
    [[{ role: 'human', content: 'q' }], 'message 0 is not {"role"'],
    [[user, { role: 'user', content: null }], 'message 1 is not {"role"'],
    [[user, 'q'], 'message 1 is not {"role"'],
  ])('refuses %j', (messages, message) => {
    expect(() => conversationOf(messages, 'a.json[3]: "chat"')).toThrowError(
      expect.objectContaining({
        code: 'LIMR_FORMAT',
        message: expect.stringContaining(`a.json[3]: "chat": ${message}`),
      }),
    );
  });

  it('takes the question from the last turn of the user', () => {
    expect(questionOf(conversationOf([user, { role: 'assistant', content: 'a' }, { ...user, content: 'r' }], ''))).toBe(
      'r',
    );
  });
});

describe('tokensOf', () => {
  const row = (fields: Record<string, unknown>) => tokensOf({ fields, where: 'rows.jsonl:3' }, 10);

  it('reads ids, and leaves rows of text to others', () => {
    expect(row({ tokens: [0, 9] })).toEqual([0, 9]);
    expect(row({ text: 'hi' })).toBeUndefined();
  });

  it.each([
    [{ tokens: ['a'] }, 'LIMR_FORMAT', 'rows.jsonl:3: "tokens" is not a list of token ids'],
    [{ tokens: 'a', text: 'hi' }, 'LIMR_FORMAT', 'rows.jsonl:3: "tokens" is not a list of token ids'],
    [{ tokens: [1, 10] }, 'LIMR_USAGE', 'rows.jsonl:3: token 1 is 10, and the model has the ids 0 to 9'],
  ])('refuses %j', (fields, code, message) => {
    expect(() => row(fields)).toThrowError(expect.objectContaining({ code, message }));
  });
});
