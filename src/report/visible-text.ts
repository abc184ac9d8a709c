/**
 * Text of a model or a file, made safe to look at: control characters, characters that reorder text, and those that nobody sees are
 * spelt out as \x1b, \u202e or \u{e0041}. Newline and tab stay. A page marks the spelt ones, so that they are told from
 * the same letters in the text.
 */

export interface TextRun {
  readonly text: string;
  /** Stands for one character. */
  readonly isSpelt: boolean;
}

/** Soft hyphen, zero-width space and joiners of words, byte-order mark, tags; lone surrogates. ZWJ and ZWNJ belong to scripts and emoji. */
const unseen =
  /(?![\n\t])[\p{Cc}\p{Cs}\p{Bidi_Control}\p{Zl}\p{Zp}\u00ad\u180e\u200b\u2060-\u2064\ufeff\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;

export function visibleRuns(text: string): TextRun[] {
  const runs: TextRun[] = [];
  let end = 0;
  for (const match of text.matchAll(unseen)) {
    if (match.index > end) runs.push({ text: text.slice(end, match.index), isSpelt: false });
    runs.push({ text: spelling(match[0].codePointAt(0)!), isSpelt: true });
    end = match.index + match[0].length;
  }
  if (end < text.length) runs.push({ text: text.slice(end), isSpelt: false });
  return runs;
}

function spelling(code: number): string {
  const digits = code.toString(16);
  if (code <= 0xff) return `\\x${digits.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${digits.padStart(4, '0')}` : `\\u{${digits}}`;
}
