/** Letters of multiple choice: which one an answer chooses, and what else it says. */

const faces =
  /\\(?:text(?:bf|it|rm|sf)?|math(?:bf|rm|sf)|boldsymbol|bm|mbox|left|right)(?![a-zA-Z])|\\[{} ,;:!]|[{}$~`*"“”]|\\q?quad/g;
const introduction = /^(?:(?:answer|option|choice)\b\s*:?|选项?)\s*(?=\(?[A-J](?![a-zA-Z]))/i;
const alone = /^(?:\(([A-J])\)?|\[([A-J])\]|'([A-J])'|([A-J])\s*\)?)[.:。]?$/;
const first = /^(?:\(([A-J])\)|([A-J])\s*(?:[.:](?=\s)|\)))\s*\S/;
const letters = /^[A-J]{2,10}$/;
const letterList = /^(?:\([A-J]\)|[A-J])(?:\s*(?:,\s*(?:and\b)?|、|，|\band\b|&)?\s*(?:\([A-J]\)|[A-J]))+$/;
const circled = /^[①-⑳](?:[\s,、，]*[①-⑳])*$/;
const maxLength = 400;

interface Choice {
  readonly letter: string;
  /** What stands behind the letter: `42` of `(C) 42`. */
  readonly content: string;
}

/**
 * Whether two answers choose the same: a letter against a letter with its content (`C`, `(C) 42`), or several letters written
 * together and apart (`ACD`, `A, C, D`), or circled numbers. Null when they are not about choices.
 */
export function sameChoice(x: string, y: string): boolean | null {
  if (x.length >= maxLength || y.length >= maxLength) return null;
  const [a, b] = [bare(x), bare(y)];
  const [left, right] = [choiceOf(a), choiceOf(b)];
  if (left && right && (left.content === '' || right.content === '')) return left.letter === right.letter;
  const [some, others] = [several(a), several(b)];
  return some !== null && others !== null ? some === others : null;
}

/** Whether an answer is the letter of a choice, with or without its content. */
export function isChoice(answer: string): boolean {
  return answer.length < maxLength && choiceOf(bare(answer)) !== null;
}

/** What stands behind the letter of a choice in brackets, `27` of `\textbf{(D) }27`; null when that is not what an answer is. */
export function contentOfChoice(answer: string): string | null {
  const match =
    answer.length < maxLength ? /^(?:\\[,;:! ]|\s)*(?:\\[a-z]+\s*\{)?\s*\(([A-J])\)[\s}~]*(?=\S)/.exec(answer) : null;
  if (match === null) return null;
  const content = answer.slice(match[0].length).replace(/^(?:\\[ ,;:!]|\\q?quad|[\s~])+/, '');
  return /^[^\s=+*/^_<>,)-]/.test(content) && !/[{}]$/.test(content) ? content : null;
}

function bare(answer: string): string {
  return answer.replace(faces, ' ').trim().replace(introduction, '');
}

function choiceOf(answer: string): Choice | null {
  const only = alone.exec(answer);
  if (only) return { letter: only.slice(1).find((letter) => letter !== undefined)!, content: '' };
  const head = first.exec(answer);
  return head && { letter: (head[1] ?? head[2])!, content: answer.slice(head[0].length - 1) };
}

/** The choices of an answer that names more than one, sorted; letters that stand together must be in order. */
function several(answer: string): string | null {
  const together = answer.replace(/[.。]$/, '');
  if (letters.test(together)) return isRising(together) ? together : null;
  if (letterList.test(together)) return sorted(together.match(/[A-J]/g)!);
  return circled.test(together) ? sorted(together.match(/[①-⑳]/gu)!) : null;
}

function isRising(text: string): boolean {
  return [...text].every((letter, index) => index === 0 || letter > text[index - 1]!);
}

function sorted(parts: readonly string[]): string {
  return [...new Set(parts)].sort().join('');
}
