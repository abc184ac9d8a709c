import { isPythonSpace, pythonStrip } from '../../python-text.js';

/** What counts as a separator between the last boxes, so that they are one answer. */
const separator = /and|or|,|;/;
const near = 10;
const nearWithSeparator = 70;

/**
 * The contents of the boxes (`\boxed`, `\fbox`, whitespace allowed before the brace), joined by commas; the text itself if
 * it has none. Boxes are sought from the right, each in what lies left of the one found before; a nested box is found before
 * the one around it, which then is not closed. An open box ends the search: if it is the last of the text, all that follows
 * its command is the answer.
 * @param which all, or the last and those before it that stand close: less than 10 characters apart, or less than 70 with a
 *   separator between and other contents
 */
export function extractBoxed(text: string, which: 'all' | 'last'): string {
  const contents: string[] = [];
  let limit = text.length;
  for (const { start, after } of boxCommandsFromRight(text)) {
    let open = after;
    while (open < limit && isPythonSpace(text.charCodeAt(open))) open += 1;
    if (open >= limit) break;
    const close = text[open] === '{' ? closingBrace(text, open, limit) : -1;
    if (close < 0) {
      if (contents.length === 0) contents.push(text.slice(open));
      break;
    }
    const content = pythonStrip(text.slice(open + 1, close));
    const next = contents.at(-1);
    if (which === 'last' && next !== undefined && !belongsTo(next, content, text.slice(close + 1, limit))) break;
    contents.push(content);
    limit = start;
  }
  return contents.length === 0 ? text : contents.reverse().join(',');
}

function belongsTo(next: string, content: string, between: string): boolean {
  if (between.length >= 2 * nearWithSeparator) return false; // a code point is at most two units
  const distance = Array.from(between).length;
  return distance < near || (next !== content && distance < nearWithSeparator && separator.test(between));
}

function* boxCommandsFromRight(text: string): Generator<{ start: number; after: number }, void, undefined> {
  let boxed = text.lastIndexOf('\\boxed');
  let fbox = text.lastIndexOf('\\fbox');
  while (boxed >= 0 || fbox >= 0) {
    if (boxed > fbox) {
      yield { start: boxed, after: boxed + '\\boxed'.length };
      boxed = boxed > 0 ? text.lastIndexOf('\\boxed', boxed - 1) : -1;
    } else {
      yield { start: fbox, after: fbox + '\\fbox'.length };
      fbox = fbox > 0 ? text.lastIndexOf('\\fbox', fbox - 1) : -1;
    }
  }
}

/** Position of the brace that closes the one at `open`, before `limit`, or -1. Escaped braces count. */
function closingBrace(text: string, open: number, limit: number): number {
  let level = 0;
  for (let i = open; i < limit; i += 1) {
    if (text[i] === '{') level += 1;
    else if (text[i] === '}') {
      level -= 1;
      if (level === 0) return i;
    }
  }
  return -1;
}
