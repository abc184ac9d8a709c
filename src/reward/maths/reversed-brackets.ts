import type { Token } from './lex.js';

const open: Token = { type: 'operator', text: '(', space: false };
const close: Token = { type: 'operator', text: ')', space: false };

/** Tokens with the outward brackets of open interval ends, `]1, 2[`, as round ones: `(1, 2)`. */
export function withoutReversedBrackets(tokens: readonly Token[]): readonly Token[] {
  const result = [...tokens];
  const opened: string[] = [];
  tokens.forEach((token, index) => {
    if (token.type !== 'operator') return;
    const inside = opened.at(-1);
    if (token.text === ']' && inside !== '[' && inside !== ']' && inside !== '(') {
      opened.push(']');
      result[index] = open;
    } else if (token.text === '[' && (inside === '[' || inside === ']') && endsElement(tokens[index + 1])) {
      opened.pop();
      result[index] = close;
    } else if (token.text === '[' || token.text === '(') {
      opened.push(token.text);
    } else if (token.text === ']' || token.text === ')') {
      opened.pop();
    }
  });
  return result;
}

/** Whether nothing, or no operand, stands behind a bracket, so that it closes. */
function endsElement(next: Token | undefined): boolean {
  if (next === undefined) return true;
  return (
    next.type === 'operator' &&
    ['cup', 'cap', 'setminus', ',', ';', 'and', 'or', ')', '}', 'rbrace'].includes(next.text)
  );
}
