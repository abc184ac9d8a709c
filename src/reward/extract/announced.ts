const announcement = /\banswers?\b|\b(?:correct|right|best)\s+(?:option|choice)\b|^\s{0,8}####|答案|故选|应选/gim;
/** Announcements further from the end are not of the final answer. */
const maxAnnouncements = 8;
/** What is looked at behind each. */
const reach = 2_000;

/** "answer" with what makes an announcement of it: "is", a colon, an equals sign, or a line of its own. */
const link =
  /^(?:[*_`"\s]*(?:[:：=]|\n)|[^.\n:：]{0,80}?\b(?:is|are|be)\b|\s*(?:是|为)|(?<=^)\s*(?=-?[\d$\\]|[A-J](?![A-Za-z])))[*_`"\s:：]*/i;
const filler =
  /^(?:(?:therefore|thus|hence|then|indeed|simply|just|approximately|about|roughly|exactly|given by|equal to|that|option|choice)\b[,:]?[*_`\s]*)+/i;
const delimited =
  /^[\s*:]*(?:\$\$([^$]+)\$\$|\$((?:\\\$|[^$\n])+)\$|\\\(((?:(?!\\\))[\s\S])+)\\\)|\\\[((?:(?!\\\])[\s\S])+)\\\])/;
const joint = /^\s*(?:,?\s*(?:and|or)\b|,)\s*(?=\$|\\\(|\\\[)/;
const opening = /\$|\\\(|\\\[/;
const maxBeforeFormula = 60;

/**
 * What a response announces as its answer ("The answer is", "**Answer:**", "### Final Answer", "#### 72"), the last first:
 * formulas that follow at once, else the words up to the end of the clause if they can be an answer, else a formula that
 * follows in the same sentence.
 */
export function* announcedAnswers(text: string): Generator<string, void, undefined> {
  const tagged = lastTagged(text);
  if (tagged !== null) yield tagged;
  const ends = Array.from(text.matchAll(announcement), (match) => match.index + match[0].length);
  for (const end of ends.reverse().slice(0, maxAnnouncements)) {
    const behind = text.slice(end, end + reach);
    const linked = link.exec(behind);
    if (!linked) continue;
    const rest = behind.slice(linked[0].length).replace(filler, '');
    const found = formulas(rest) ?? clause(rest) ?? formulaSoon(rest);
    if (found) yield found;
  }
}

/** What stands in the last `<answer> .. </answer>`, without delimiters; null when there is none, or it is too long for an answer. */
function lastTagged(text: string): string | null {
  const end = text.lastIndexOf('</answer>');
  const begin = end < 0 ? -1 : text.lastIndexOf('<answer>', end);
  if (begin < 0 || end - begin > maxClause) return null;
  const content = text.slice(begin + '<answer>'.length, end).trim();
  return formulas(content) ?? (content.includes('\n') ? null : asAnswer(content.replace(/[.。]$/, '')));
}

const correctOption = /\b(?:option|choice)\s+\(?([A-J])\)?\s+is\s+(?:the\s+)?(?:correct|right|answer)/gi;

/** The last letter that a response calls the correct option; null when it calls none so. */
export function chosenOption(text: string): string | null {
  return [...text.matchAll(correctOption)].at(-1)?.[1] ?? null;
}

/** Formulas that follow at once, joined by commas. */
function formulas(from: string): string | null {
  let rest = from;
  const parts: string[] = [];
  for (let found = delimited.exec(rest); found; found = delimited.exec(rest)) {
    parts.push((found[1] ?? found[2] ?? found[3] ?? found[4])!.trim());
    rest = rest.slice(found[0].length);
    const next = joint.exec(rest);
    if (!next) break;
    rest = rest.slice(next[0].length);
  }
  return parts.length === 0 ? null : parts.join(', ');
}

function formulaSoon(rest: string): string | null {
  const sentence = /^[^\n]*?(?=[.!?]\s|\n|$)/.exec(rest)![0];
  const at = sentence.search(opening);
  return at < 0 || at > maxBeforeFormula ? null : formulas(rest.slice(at));
}

const clauseEnd = /[.!?;](?=\s|$|\*|"|<)|[。；！？]|\*\*|__|`|\$|\\[([]/;
const remark =
  /,?\s+(?:because|since|as|which|so|where|when|if|hence|given|for|after|by|that)\b.*$|,?\s+\([a-z]{2}.*$/i;

/** The words up to the end of the clause; null if they are no answer. */
function clause(rest: string): string | null {
  const line = /^\s*([^\n]*)/.exec(rest)![1]!;
  const end = line.search(clauseEnd);
  const words = (end < 0 ? line : line.slice(0, end)).replace(remark, '').replace(/[\s.,;:!?*_"']+$/, '');
  return asAnswer(words);
}

const maxClause = 200;
const command = /\\(?:text|mathrm|mbox|operatorname)\s*\{[^{}]*\}|\\[a-zA-Z]+/g;
const mathematicalWord = /^(?:and|or|sin|cos|tan|cot|sec|csc|log|ln|exp|sqrt|pi|inf|infinity|mod|percent)$/i;
const remarkAlone =
  /^(?:correct|incorrect|right|wrong|valid|verified|clear|known|unique|obvious|simple|below|above|there|not|it|this|the|here)$/i;
const beginsWithNumber = /^[-+(]?\s*[$€£]?\.?\d/;
const maxUnitWords = 3;

/** Words as an answer: mathematics, a number with its unit, or one word, which is text. Other prose is none: null. */
export function asAnswer(words: string): string | null {
  if (words === '' || words.length > maxClause || /[=+\-*/^]$/.test(words)) return null;
  if (/^\p{L}[\p{L}'-]+$/u.test(words) && !mathematicalWord.test(words)) {
    return remarkAlone.test(words) ? null : `\\text{${words}}`;
  }
  const prose = (words.replace(command, ' ').match(/\p{L}{2,}/gu) ?? []).filter((word) => !mathematicalWord.test(word));
  if (prose.length === 0) return /[\p{L}\p{N}\\]/u.test(words) ? words : null;
  return beginsWithNumber.test(words) && prose.length <= maxUnitWords ? words : null;
}
