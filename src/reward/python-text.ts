/**
 * Python's idea of text, where LIMR's rules depend on it: strings of code points, and whitespace by Unicode's property
 * (str.strip, \s) instead of JavaScript's, which lacks U+001C..001F and U+0085 and has U+FEFF.
 */

/** Whether Python's `str.isspace` and regular-expression `\s` hold for this code point. */
export function isPythonSpace(codePoint: number): boolean {
  if (codePoint < 0x80) return (codePoint >= 9 && codePoint <= 13) || (codePoint >= 28 && codePoint <= 32);
  if (codePoint >= 0x2000 && codePoint <= 0x200a) return true;
  switch (codePoint) {
    case 0x85:
    case 0xa0:
    case 0x1680:
    case 0x2028:
    case 0x2029:
    case 0x202f:
    case 0x205f:
    case 0x3000:
      return true;
    default:
      return false;
  }
}

/** `str.strip()`. Linear. Every whitespace character is one UTF-16 unit, so units are enough. */
export function pythonStrip(text: string): string {
  let begin = 0;
  let end = text.length;
  while (begin < end && isPythonSpace(text.charCodeAt(begin))) begin += 1;
  while (end > begin && isPythonSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(begin, end);
}

/** `str.split()`: the words between whitespace. */
export function pythonSplit(text: string): string[] {
  const words: string[] = [];
  let begin = 0;
  for (let i = 0; i <= text.length; i += 1) {
    if (i < text.length && !isPythonSpace(text.charCodeAt(i))) continue;
    if (i > begin) words.push(text.slice(begin, i));
    begin = i + 1;
  }
  return words;
}

/** `str.split(separator)[-1]`: what follows the last separator, the whole text when there is none. */
export function afterLast(text: string, separator: string): string {
  const at = text.lastIndexOf(separator);
  return at < 0 ? text : text.slice(at + separator.length);
}

/** `str.split(separator)[0]`: what precedes the first separator, the whole text when there is none. */
export function beforeFirst(text: string, separator: string): string {
  const at = text.indexOf(separator);
  return at < 0 ? text : text.slice(0, at);
}

/** The text's code points; a lone surrogate is one of them, as in Python. */
export function codePoints(text: string): Uint32Array {
  const points = new Uint32Array(text.length);
  let count = 0;
  for (let i = 0; i < text.length; i += 1) {
    const point = text.codePointAt(i)!;
    if (point > 0xffff) i += 1;
    points[count] = point;
    count += 1;
  }
  return points.subarray(0, count);
}
