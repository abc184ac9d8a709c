import { spaceClass, spaceEnds } from '../../extract/source-text.js';
import { isPythonSpace } from '../../python-text.js';

/**
 * One pass over a text that spells alike what means alike; where several rules fit, the first one listed:
 *
 *   \mathrm \mathit \mathbf, \textnormal \textbf \textit \textrm -> \text      \dfrac \tfrac \cfrac -> \frac
 *   ' .' -> ' 0.'     {. -> {0.     ~= -> \approx     {,} -> ,     and, or, \text{and}, \text{or} -> ,     '\ ' -> ' '
 *   infinity, inf -> \infty     \ldots -> ' '     percent, percentage, pct, in \text{} too -> \%     ' sqrt' -> \sqrt
 *
 * Whitespace before `{,}`, `and`, `or` and the words for percent goes too, a comma before `and`, `or` and `\ldots` as well.
 * Linear: the end of each run of whitespace is known.
 */
export function respell(text: string): string {
  const scanner = new Scanner(text);
  const pieces: string[] = [];
  let copied = 0;
  const special = new RegExp(beginsRule, 'g');
  for (let hit = special.exec(text); hit; hit = special.exec(text)) {
    const found = scanner.rule(hit.index);
    if (!found) continue;
    pieces.push(text.slice(copied, hit.index), found.text);
    copied = found.end;
    special.lastIndex = copied;
  }
  return copied === 0 ? text : pieces.join('') + text.slice(copied);
}

interface Replacement {
  readonly text: string;
  readonly end: number;
}

const beginsRule = `[\\\\{~,iaop${spaceClass}]`;
const textCommand = /\\(?:math(?:rm|it|bf)|text(?:normal|bf|it|rm))/y;
const fractionCommand = /\\[dtc]frac/y;
const percentWord = /percentage|percent|pct/y;
const percentText = /\\text\{(?:percentage|percent|pct)\}/y;

class Scanner {
  private readonly ends: Int32Array;

  constructor(private readonly text: string) {
    this.ends = spaceEnds(text);
  }

  rule(at: number): Replacement | undefined {
    const { text } = this;
    switch (text[at]) {
      case '\\':
        return (
          this.command(at) ?? this.joinText(at) ?? this.escapedSpace(at) ?? this.dots(at) ?? this.percentInText(at)
        );
      case '{':
        return text[at + 1] === '.' ? { text: '{0.', end: at + 2 } : this.bracedComma(at);
      case '~':
        return text[at + 1] === '=' ? { text: '\\approx', end: at + 2 } : undefined;
      case ',':
        return this.join(at) ?? this.joinText(at) ?? this.dots(at);
      case 'a':
      case 'o':
        return this.join(at);
      case 'i':
        return this.infinity(at);
      case 'p':
        return this.percent(at);
      default:
        return this.space(at);
    }
  }

  private space(at: number): Replacement | undefined {
    if (!isPythonSpace(this.text.charCodeAt(at))) return undefined;
    if (this.text[at + 1] === '.') return { text: ' 0.', end: at + 2 };
    const found = this.bracedComma(at) ?? this.join(at) ?? this.joinText(at) ?? this.percent(at);
    return found ?? (this.text.startsWith(' sqrt', at) ? { text: '\\sqrt', end: at + ' sqrt'.length } : undefined);
  }

  private command(at: number): Replacement | undefined {
    const text = this.match(textCommand, at);
    if (text > 0) return { text: '\\text', end: text };
    const fraction = this.match(fractionCommand, at);
    return fraction > 0 ? { text: '\\frac', end: fraction } : undefined;
  }

  private bracedComma(at: number): Replacement | undefined {
    const open = this.ends[at]!;
    if (this.text[open] !== '{') return undefined;
    const comma = this.ends[open + 1]!;
    if (this.text[comma] !== ',') return undefined;
    const close = this.ends[comma + 1]!;
    return this.text[close] === '}' ? { text: ',', end: close + 1 } : undefined;
  }

  /** `and`, `or` as words. */
  private join(at: number): Replacement | undefined {
    if (isLetter(this.text[at - 1])) return undefined;
    const end = this.joinWordEnd(this.afterComma(at));
    return end > 0 && !isLetter(this.text[end]) ? { text: ',', end } : undefined;
  }

  private joinText(at: number): Replacement | undefined {
    const group = this.afterComma(at);
    if (!this.text.startsWith('\\text{', group)) return undefined;
    const word = this.joinWordEnd(this.ends[group + '\\text{'.length]!);
    if (word < 0) return undefined;
    const close = this.ends[word]!;
    return this.text[close] === '}' ? { text: ',', end: close + 1 } : undefined;
  }

  private afterComma(at: number): number {
    return this.ends[this.text[at] === ',' ? at + 1 : at]!;
  }

  private joinWordEnd(at: number): number {
    if (this.text.startsWith('and', at)) return at + 3;
    return this.text.startsWith('or', at) ? at + 2 : -1;
  }

  private escapedSpace(at: number): Replacement | undefined {
    if (this.text[at - 1] === '\\' || !isPythonSpace(this.text.charCodeAt(at + 1))) return undefined;
    return { text: ' ', end: at + 2 };
  }

  private dots(at: number): Replacement | undefined {
    const begin = this.text[at] === ',' ? at + 1 : at;
    return this.text.startsWith('\\ldots', begin) ? { text: ' ', end: begin + '\\ldots'.length } : undefined;
  }

  private percent(at: number): Replacement | undefined {
    const end = this.match(percentWord, this.ends[at]!);
    return end > 0 ? { text: '\\%', end } : undefined;
  }

  private percentInText(at: number): Replacement | undefined {
    const end = this.match(percentText, at);
    return end > 0 ? { text: '\\%', end } : undefined;
  }

  private infinity(at: number): Replacement | undefined {
    if (this.text.startsWith('infinity', at)) return { text: '\\infty', end: at + 'infinity'.length };
    const found =
      this.text.startsWith('inf', at) && !this.text.startsWith('inity', at + 3) && this.text[at - 1] !== '\\';
    return found ? { text: '\\infty', end: at + 'inf'.length } : undefined;
  }

  /** Where a sticky pattern that matches at `at` ends, else -1. */
  private match(pattern: RegExp, at: number): number {
    pattern.lastIndex = at;
    return pattern.test(this.text) ? pattern.lastIndex : -1;
  }
}

function isLetter(char: string | undefined): boolean {
  return char !== undefined && /[a-zA-Z]/.test(char);
}
