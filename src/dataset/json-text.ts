/** What V8's JSON.parse does not do: say where a text breaks (its messages do not always give a position), and keep large integers. */

const whitespace = /[ \t\r\n]*/y;
const scalar =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside strings
  /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/**
 * @param text a text that JSON.parse refuses
 * @returns offset of the first token that cannot stand there (text.length when the text ends too early)
 */
export function jsonErrorOffset(text: string): number {
  /** Brackets that are open. */
  const open: ('[' | '{')[] = [];
  let at = 0;
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.test(text);
    if (found) at = pattern.lastIndex;
    return found;
  };
  const take = (character: string): boolean => {
    skip(whitespace);
    if (text[at] !== character) return false;
    ++at;
    return true;
  };
  const takeKey = (): boolean => {
    skip(whitespace);
    return text[at] === '"' && skip(scalar) && take(':');
  };

  for (;;) {
    // A value.
    skip(whitespace);
    if (take('[')) {
      if (!take(']')) {
        open.push('[');
        continue;
      }
    } else if (take('{')) {
      if (!take('}')) {
        open.push('{');
        if (!takeKey()) return at;
        continue;
      }
    } else if (!skip(scalar)) return at;
    // What follows it.
    for (;;) {
      const bracket = open.at(-1);
      if (bracket === undefined) {
        skip(whitespace);
        return at;
      }
      if (take(',')) {
        if (bracket === '{' && !takeKey()) return at;
        break;
      }
      if (!take(bracket === '[' ? ']' : '}')) return at;
      open.pop();
    }
  }
}

/** A text, or a number whole. */
const textOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/**
 * The JSON text with integers beyond 2^53 put into quotes: JSON.parse would round them without a word.
 * @returns the text itself where there are none
 */
export function exactIntegers(text: string): string {
  if (!/\d{16}/.test(text)) return text;
  return text.replace(textOrNumber, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? `"${token}"` : token,
  );
}

/** Line of an offset, from 1. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) ++line;
  return line;
}
