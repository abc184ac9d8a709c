const delimiter = /(?<!\\)\$|\\boxed|\\fbox|\\\(|\\\[/;
const command = /\\[a-zA-Z]+(?:\s*\{[^{}]*\})?/g;
/** Two words side by side, or a line break: somebody is talking. */
const prose = /[a-z]{2,}[,:]?\s+(?:\*\*)?[a-z]{2,}|\n\s*\S/i;
/** As in "Answer: 5", "So 5" and "2 + 3 is 5". */
const answerWord =
  /\b(?:answer|therefore|thus|hence|so|is|are|equals|makes|gives)\b|####|答案|故|所以|因此|<\/?(?:think|answer)>|^[A-Za-z]{3,}:\s/i;

/** Longer texts are responses. */
const maxLength = 1_000;

/** Whether a text says itself where its mathematics is: dollars, brackets with a backslash, a box. */
export function isDelimited(text: string): boolean {
  return delimiter.test(text);
}

/** Whether a text is an answer and nothing else, such as `\frac{1}{2}`, and not a response that has one in it. */
export function isBareAnswer(text: string): boolean {
  if (text.length > maxLength || isDelimited(text)) return false;
  const words = text.replace(command, ' ').trim();
  return !prose.test(words) && !answerWord.test(words);
}
