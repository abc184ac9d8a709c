/** Text in lines of at most `width` characters, broken between words; a longer word has a line of its own. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** The column in which the texts of a list begin. */
const textColumn = 26;

/**
 * A list of terms and what they mean: the text beside its term, or below where the term is long.
 * @param column where the texts begin; default 26
 */
export function definitions(
  items: readonly (readonly [term: string, text: string])[],
  width: number,
  column = textColumn,
): string[] {
  const indent = ' '.repeat(column);
  return items.flatMap(([term, text]) => {
    const lines = wrap(text, width - column);
    const head = `  ${term}`;
    if (head.length > column - 2) return [head, ...lines.map((line) => indent + line)];
    return lines.map((line, i) => (i === 0 ? head.padEnd(column) : indent) + line);
  });
}
