/**
 * Boxed answers, found as LIMR's regular expression finds them, in linear time and without its backtracking:
 *
 *   \\boxed\{(A*\})   A = [^{}] | \\{ | \\} | \{B*\}   B = the same around C   C = [^{}] | \\{ | \\} | \{[^{}]*\}
 *
 * So there is no space before the brace, content may be empty and span lines, braces nest three levels inside the box, and
 * `\{`, `\}` are structural or literal, whichever lets the match succeed, structural first. Levels 1..4 below are "in A",
 * "in B", "in C" and "in the innermost braces", where a backslash escapes nothing.
 */

const backslash = 0x5c;
const open = 0x7b;
const close = 0x7d;
const marker = '\\boxed{';

/** `text.count('\\boxed')`: how often the command occurs, complete or not. */
export function countBoxed(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\\boxed'); at >= 0; at = text.indexOf('\\boxed', at + 6)) count += 1;
  return count;
}

/** Contents of all boxes, in order and not overlapping: `re.findall(...)` with each match's closing brace cut off. */
export function boxedAnswers(text: string): string[] {
  const first = text.indexOf(marker);
  if (first < 0) return [];
  const closable = closableLevels(text, first);
  const answers: string[] = [];
  for (let at = first; at >= 0; ) {
    const begin = at + marker.length;
    if (closable[begin - first]! & 1) {
      const end = boxEnd(text, begin, closable, first);
      answers.push(text.slice(begin, end));
      at = text.indexOf(marker, end + 1);
    } else {
      at = text.indexOf(marker, begin);
    }
  }
  return answers;
}

/** Content of the last box, or undefined when no box is complete. Not trimmed. */
export function lastBoxedAnswer(text: string): string | undefined {
  return boxedAnswers(text).at(-1);
}

/**
 * For every position from `first` on: bit k-1 is set when a box that stands there in level k can still be closed.
 * Whether it can depends on nothing to the left, so one pass from the right serves all boxes.
 */
function closableLevels(text: string, first: number): Uint8Array {
  const levels = new Uint8Array(text.length - first + 2);
  for (let i = text.length - 1; i >= first; i -= 1) {
    const next = levels[i + 1 - first]!;
    const unit = text.charCodeAt(i);
    if (unit === close) {
      levels[i - first] = ((next << 1) & 15) | 1;
    } else if (unit === open) {
      levels[i - first] = next >> 1;
    } else if (unit === backslash && isBrace(text.charCodeAt(i + 1))) {
      levels[i - first] = next | (levels[i + 2 - first]! & 7);
    } else {
      levels[i - first] = next;
    }
  }
  return levels;
}

/** Position of the brace that closes the box whose content begins at `begin`; that one exists is known. */
function boxEnd(text: string, begin: number, closable: Uint8Array, first: number): number {
  let level = 1;
  for (let i = begin; ; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit === close) {
      level -= 1;
      if (level === 0) return i;
    } else if (unit === open) {
      level += 1;
    } else if (unit === backslash && !(closable[i + 1 - first]! & (1 << (level - 1)))) {
      i += 1; // the brace after it cannot be structural here, so the two are an escape
    }
  }
}

function isBrace(unit: number): boolean {
  return unit === open || unit === close;
}
