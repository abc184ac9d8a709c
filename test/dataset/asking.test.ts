import { describe, expect, it } from 'vitest';
import { type AskingStyle, askingTokens } from '../../src/dataset/asking.js';
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
