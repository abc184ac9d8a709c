/** Characters that a terminal or a reader obeys instead of showing them, but newline and tab. */
const controls = /(?![\n\t])[\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

const hex = (character: string, digits: number): string => character.charCodeAt(0).toString(16).padStart(digits, '0');

/**
 * Text of a model or a file, made safe to show: control characters but newline and tab, and characters that reorder text, are
 * spelled out as \x1b or \u202e.
 */
export function escapeControls(text: string): string {
  return text.replace(controls, (character) => {
    return character.charCodeAt(0) <= 0xff ? `\\x${hex(character, 2)}` : `\\u${hex(character, 4)}`;
  });
}

/**
 * JSON that is safe to print in a terminal: the same value, its control characters and those that reorder text as \u escapes.
 * @param indent as of JSON.stringify
 */
export function printableJson(value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(controls, (character) => `\\u${hex(character, 4)}`);
}
