import { wordSets } from './commands.js';
import type { Token } from './lex.js';

const numberWords = new Map(
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty'
    .split(' ')
    .map((word, value) => [word, String(value)] as const),
);

/** Tokens with spellings of plain text as the tokens that they stand for: `five`, `3 x 10^8`, `(1, 2) U (3, 4)`, `1 (mod 3)`. */
export function respelled(tokens: readonly Token[]): readonly Token[] {
  const only = tokens.length === 1 ? tokens[0]! : undefined;
  if (only?.type === 'text' || only?.type === 'letters') {
    const value = numberWords.get(only.text.toLowerCase());
    return value === undefined ? tokens : [{ ...only, type: 'number', text: value }];
  }
  if (tokens.length > 1 && tokens.every(({ type }) => type === 'letters')) {
    const words = tokens.map(({ text }) => text).join(' ');
    return wordSets.has(words.toLowerCase()) ? [{ type: 'text', text: words, space: false }] : tokens;
  }
  const result = [...tokens];
  result.forEach((token, index) => {
    const [before, after, next] = [result[index - 1], result[index + 1], result[index + 2]];
    if (
      token.type === 'letters' &&
      token.text === 'x' &&
      before?.type === 'number' &&
      after?.text === '10' &&
      next?.text === '^'
    ) {
      result[index] = operator('*');
    } else if (
      token.type === 'letters' &&
      token.text === 'to' &&
      before?.type === 'number' &&
      after?.type === 'number'
    ) {
      result[index] = operator(':');
    } else if (token.type === 'letters' && token.text === 'U' && closes(before) && opens(after)) {
      result[index] = operator('cup');
    } else if (token.type === 'operator' && token.text === '(' && after?.type === 'operator' && after.text === 'mod') {
      const close = result.findIndex(({ type, text }, at) => at > index && type === 'operator' && text === ')');
      if (close < 0) return;
      result[index] = { type: 'structure', text: 'pmod', space: token.space };
      result[index + 1] = operator('{');
      result[close] = operator('}');
    }
  });
  return result;
}

function operator(text: string): Token {
  return { type: 'operator', text, space: true };
}

function closes(token: Token | undefined): boolean {
  return token?.type === 'operator' && [')', ']', 'rbrace'].includes(token.text);
}

function opens(token: Token | undefined): boolean {
  return token?.type === 'operator' && ['(', '[', 'lbrace'].includes(token.text);
}
